"""Rows of customers.

Three tables name a tenant and are not isolated by row-level security, because they are read
before it is known whose scope to open: `Tenant`, `KeyIndex` and `Work`. None holds telemetry.
"""

from tenants.models.customers import KeyIndex, Tenant, TenantState
from tenants.models.keys import DataKey, KeyPurpose, TenantKey
from tenants.models.rows import TenantModel, TenantRows
from tenants.models.work import Lease, Work, WorkState

__all__ = [
    "DataKey",
    "KeyIndex",
    "KeyPurpose",
    "Lease",
    "Tenant",
    "TenantKey",
    "TenantModel",
    "TenantRows",
    "TenantState",
    "Work",
    "WorkState",
]
