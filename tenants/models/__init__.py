"""Rows of customers.

Three tables name a tenant and are not isolated by row-level security, because they are read
before it is known whose scope to open: `Tenant`, `KeyIndex` and `Work`. None holds telemetry.
"""

from tenants.models.approvals import BreakGlass, Pending, PendingState
from tenants.models.customers import KeyIndex, Tenant, TenantState
from tenants.models.grants import AccessGrant
from tenants.models.keys import (
    DataKey,
    KeyCertificate,
    KeyPurpose,
    KeyringReader,
    NamedSecret,
    RootState,
    RootVersion,
    SystemKey,
    SystemState,
    TenantKey,
)
from tenants.models.members import Letter, Link, Member, MemberRole
from tenants.models.repeats import AnsweredRequest
from tenants.models.rights import (
    LegalHold,
    ResearchConsent,
    RetentionRun,
    RetentionTerms,
)
from tenants.models.rows import TenantModel, TenantRows
from tenants.models.usage import AttemptWindow, UsageDay
from tenants.models.work import Lease, Work, WorkState

__all__ = [
    "AccessGrant",
    "AnsweredRequest",
    "AttemptWindow",
    "BreakGlass",
    "DataKey",
    "KeyCertificate",
    "KeyIndex",
    "KeyPurpose",
    "KeyringReader",
    "Lease",
    "LegalHold",
    "Letter",
    "Link",
    "Member",
    "MemberRole",
    "NamedSecret",
    "Pending",
    "PendingState",
    "ResearchConsent",
    "RetentionRun",
    "RetentionTerms",
    "RootState",
    "RootVersion",
    "SystemKey",
    "SystemState",
    "Tenant",
    "TenantKey",
    "TenantModel",
    "TenantRows",
    "TenantState",
    "UsageDay",
    "Work",
    "WorkState",
]
