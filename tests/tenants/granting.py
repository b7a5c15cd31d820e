"""Who opens a grant on which terms, how it ends, and what the log was told of it."""

from collections.abc import Callable
from datetime import datetime
from threading import Thread
from typing import Any
from uuid import UUID

from django.db import connections

from analytics.models import Stream
from audit.actors import Actor
from audit.models import Staged
from audit.scope import all_tenants_audit
from tenants import grants
from tenants.grants import Grant, GrantScope
from tenants.scope import tenant_scope

STAFF, COLLEAGUE = UUID(int=7), UUID(int=8)
ANALYST = Actor(kind="staff", id=str(STAFF))
TERMS: dict[str, Any] = {
    "staff": STAFF,
    "scopes": [GrantScope.ALERTS, GrantScope.SERIES],
    "reason": "a false alarm",
    "ticket": "T-1",
    "minutes": 30,
    "actor": ANALYST,
}
EVENTS = ("grant.opened", "grant.revoked", "grant.ended", "grant.refused")


def a_grant(tenant: UUID, *, now: datetime) -> Grant:
    """Open a grant on a tenant that has one row to be read."""
    with tenant_scope(tenant):
        Stream.objects.create(kind="ip", newest=now, received_at=now)
    return grants.open_grant(tenant=tenant, now=now, **TERMS)


def noted() -> list[Staged]:
    with all_tenants_audit("reader", using="default"):
        return list(Staged.objects.filter(event__in=EVENTS).order_by("xid", "id"))


def end_now(as_owner: Callable[..., Any]) -> None:
    with as_owner() as session:
        session.execute("UPDATE access_grant SET expires_at = clock_timestamp()")


def in_a_thread(deed: Callable[[], Any]) -> None:
    def do() -> None:
        try:
            deed()
        finally:
            connections.close_all()

    thread = Thread(target=do)
    thread.start()
    thread.join()
