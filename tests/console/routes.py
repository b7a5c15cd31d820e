"""Every route of the console: who gets its page, and the path of one."""

from uuid import UUID

from django.urls import reverse
from django.urls.converters import IntConverter, SlugConverter, StringConverter, UUIDConverter

from console import urls_cloud
from console.models import Role

ROUTES = sorted(str(pattern.name) for pattern in urls_cloud.urlpatterns)
OPEN = ["invite", "login", "passkey_login_begin", "passkey_login_end"]
BEHIND = [name for name in ROUTES if name not in OPEN]
ALL = set(Role)
WORKING = {Role.OWNER, Role.OPERATOR, Role.ANALYST}
OPERATING = {Role.OWNER, Role.OPERATOR}
AUDITING = {Role.OWNER, Role.AUDITOR}
DECIDING = {Role.OWNER, Role.SEALED}
MAY_GET: dict[str, set[Role]] = {
    "overview": WORKING,
    "tenants": WORKING,
    "tenant": WORKING,
    "tenant_state": OPERATING,
    "tenant_plan": OPERATING,
    "key_create": OPERATING,
    "key_rotate": OPERATING,
    "key_revoke": OPERATING,
    "grant_open": WORKING,
    "grants": ALL,
    "grant_revoke": WORKING,
    "grant_alerts": WORKING,
    "grant_alert": WORKING,
    "feeds": WORKING,
    "feed_switch": OPERATING,
    "feed_refresh": OPERATING,
    "feed_accept": OPERATING,
    "tenants_export": WORKING,
    "live": WORKING,
    "queues": WORKING,
    "work_retry": OPERATING,
    "search": ALL,
    "entry": AUDITING,
    "keys": OPERATING | AUDITING,
    "jobs": WORKING,
    "staff": AUDITING,
    "staff_invite": {Role.OWNER},
    "staff_role": {Role.OWNER},
    "staff_disable": {Role.OWNER},
    "staff_mfa_reset": {Role.OWNER},
    "staff_link": {Role.OWNER},
    "tenant_delete": {Role.OWNER},
    "approvals": DECIDING | {Role.OPERATOR, Role.AUDITOR},
    "approve": DECIDING,
    "approval_cancel": DECIDING,
    "emergencies": DECIDING | {Role.OPERATOR, Role.AUDITOR},
    "emergency_ask": DECIDING | {Role.OPERATOR},
    "emergency_close": DECIDING | {Role.OPERATOR},
    "emergency_review": AUDITING,
    "audit": AUDITING,
    "audit_export": AUDITING,
    "system": ALL,
    "account": ALL,
    "password": ALL,
    "recovery": ALL,
    "authenticator": ALL,
    "verify": ALL,
    "passkey_new": ALL,
    "passkey_remove": ALL,
    "passkey_add_begin": set(),
    "passkey_add_complete": set(),
    "passkey_verify_begin": set(),
    "passkey_verify_complete": set(),
    "passkeys_seen": set(),
    "logout": set(),
    "theme": set(),
    "session_end": set(),
    "notice_seen": set(),
}
"""Who gets a page of each route; those without anybody take a POST from everybody."""
FRESH = {
    "tenant_state",
    "tenant_plan",
    "key_create",
    "key_rotate",
    "key_revoke",
    "grant_open",
    "grant_alerts",
    "grant_alert",
    "staff_invite",
    "staff_role",
    "staff_disable",
    "staff_mfa_reset",
    "staff_link",
    "tenant_delete",
    "approve",
    "approval_cancel",
    "emergency_ask",
    "emergency_close",
    "emergency_review",
    "audit_export",
    "recovery",
    "passkey_new",
    "passkey_add_begin",
    "passkey_add_complete",
    "passkey_remove",
    "passkeys_seen",
    "feed_switch",
    "feed_refresh",
    "feed_accept",
    "work_retry",
}
"""What asks for a second factor of the last five minutes."""
NOBODY = UUID(int=0)


FILL: dict[type, object] = {
    UUIDConverter: NOBODY,
    StringConverter: "none",
    SlugConverter: "none",
    IntConverter: 0,
}


def where(name: str, **known: object) -> str:
    """Return the path of a route, whatever it takes: what is `known` of it, else anything fit."""
    pattern = next(each for each in urls_cloud.urlpatterns if each.name == name)
    taken = pattern.pattern.converters
    filled = {each: known.get(each, FILL[type(kind)]) for each, kind in taken.items()}
    return reverse(f"console:{name}", kwargs=filled)
