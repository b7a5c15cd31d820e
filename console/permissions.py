"""What each role may do: the one table. A page names a permission, never a role."""

from collections.abc import Mapping
from enum import StrEnum

from console.models import Role


class Permission(StrEnum):
    """What a page lets somebody see or do."""

    OWN_ACCOUNT = "own account"
    OVERVIEW = "see the overview"
    TENANTS = "see tenants"
    KEYS = "make, rotate and revoke API keys"
    GRANTS = "open a grant on a tenant's data, and read under it"
    GRANTS_SEEN = "see grants"
    GRANTS_OF_ALL = "see everybody's grants"
    TENANT_STATE = "suspend and resume tenants, change plans"
    FEEDS = "see feeds"
    FEED_STATE = "switch feeds, have them fetched, let a held list serve"
    STAFF = "see staff"
    STAFF_ROLES = "invite and disable staff, change roles"
    AUDIT = "read the audit log"
    AUDIT_EXPORT = "export the audit log"
    JOBS = "see jobs"
    WORK_RETRY = "retry work that gave up"
    KEY_STATE = "see the versions and ages of the deployment's keys"
    SYSTEM = "see the system's state"
    APPROVALS = "see what waits for a second person"
    APPROVE = "approve or cancel what others asked for"
    ASK_DELETION = "ask for a tenant's deletion"
    ASK_EMERGENCY = "ask for, and end, emergency access"
    REVIEW_EMERGENCY = "review emergency access"


_EVERYBODY = {Permission.OWN_ACCOUNT, Permission.SYSTEM, Permission.GRANTS_SEEN}
_WORKING = {
    Permission.OVERVIEW,
    Permission.TENANTS,
    Permission.FEEDS,
    Permission.JOBS,
    Permission.GRANTS,
}
_OPERATING = {
    Permission.KEYS,
    Permission.TENANT_STATE,
    Permission.FEED_STATE,
    Permission.WORK_RETRY,
    Permission.KEY_STATE,
}
_AUDITING = {
    Permission.AUDIT,
    Permission.AUDIT_EXPORT,
    Permission.STAFF,
    Permission.GRANTS_OF_ALL,
    Permission.KEY_STATE,
}
_REVIEWING = {Permission.APPROVALS, Permission.REVIEW_EMERGENCY}
_EMERGENCY = {Permission.APPROVALS, Permission.APPROVE, Permission.ASK_EMERGENCY}

PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.OPERATOR: frozenset(
        _EVERYBODY | _WORKING | _OPERATING | {Permission.APPROVALS, Permission.ASK_EMERGENCY}
    ),
    Role.ANALYST: frozenset(_EVERYBODY | _WORKING),
    Role.AUDITOR: frozenset(_EVERYBODY | _AUDITING | _REVIEWING),
    Role.SEALED: frozenset(_EVERYBODY | _EMERGENCY),
}
"""An auditor reads the log, and who may do what; nothing of a tenant's traffic or work. Approving
asks for more than the permission: see `tenants.approvals`."""


def permits(role: str, permission: Permission) -> bool:
    """Say whether a role may do something; a role that is none may do nothing."""
    return role in Role.values and permission in PERMISSIONS[Role(role)]
