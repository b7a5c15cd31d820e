"""Deeds on tenants, their keys and their people. Each is one transaction with its audit row."""

from tenants.actions.api_keys import NewKey, create_key, revoke_key, rotate_key
from tenants.actions.deletion import Certificate, Deleted, delete_tenant
from tenants.actions.members import ask_reset, invite, register, reset_keys, verify
from tenants.actions.tenants import (
    NewTenant,
    change_plan,
    create_provisional,
    create_tenant,
    note_expiries,
    resume_tenant,
    suspend_tenant,
)
from tenants.actions.work import retry_work

__all__ = [
    "Certificate",
    "Deleted",
    "NewKey",
    "NewTenant",
    "ask_reset",
    "change_plan",
    "create_key",
    "create_provisional",
    "create_tenant",
    "delete_tenant",
    "invite",
    "note_expiries",
    "register",
    "reset_keys",
    "resume_tenant",
    "retry_work",
    "revoke_key",
    "rotate_key",
    "suspend_tenant",
    "verify",
]
