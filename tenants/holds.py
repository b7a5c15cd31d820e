"""Legal holds: while one stands, nothing of the tenant ends.

Deeds that would end something ask here. Besides, a restrictive policy of the database refuses the
deletion of a held tenant's rows to whoever asks (migration 0006 of analytics), so that a path that
forgot to ask deletes nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from audit.actors import Actor
from audit.errors import NotTheOwner
from audit.events import EventType
from audit.record import record
from crypto.ids import uuid7
from tenants.errors import Held, UnfitTerms
from tenants.models import LegalHold, Tenant, TenantState
from tenants.scope import tenant_scope

REASON_LIMIT = 1024
TICKET_LIMIT = 100

_OWNS = """
SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class
WHERE oid = 'legal_hold'::regclass
"""
_HELD = """
SELECT DISTINCT tenant_id FROM legal_hold WHERE released_at IS NULL AND tenant_id = ANY(%s::uuid[])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A hold that stands, as staff see it."""

    id: UUID
    reason: str
    ticket: str
    placed_at: datetime
    placed_by: str


def standing(tenant: UUID) -> list[Standing]:
    """Return a tenant's holds that stand, the oldest first."""
    with tenant_scope(tenant):
        rows = list(LegalHold.objects.filter(released_at=None).order_by("placed_at", "id"))
    return [
        Standing(
            id=row.id,
            reason=row.reason,
            ticket=row.ticket,
            placed_at=row.placed_at,
            placed_by=row.placed_by,
        )
        for row in rows
    ]


def is_held(tenant: UUID) -> bool:
    """Whether a hold stands on a tenant."""
    with tenant_scope(tenant):
        return LegalHold.objects.filter(released_at=None).exists()


def refuse_held(tenant: UUID) -> None:
    """Raise `Held` where a hold stands.

    Inside a transaction no hold is placed before that ends: what was asked is still so when the
    deed commits.
    """
    if connection.in_atomic_block:
        _lock(tenant)
    if is_held(tenant):
        raise Held(f"tenant {tenant} is under a legal hold: nothing of it may end")


def held_among(tenants: Collection[UUID]) -> set[UUID]:
    """Return which of these tenants a hold stands on; the owner's alone, whom a policy shows them.

    Nobody places or releases one until the transaction ends. Raises `NotTheOwner`: any other role
    sees no hold here, and would take that for none.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OWNS)
        if not cursor.fetchone()[0]:
            raise NotTheOwner("only the owner sees every tenant's holds: TAWNY_DB_ROLE=owner")
        cursor.execute("LOCK TABLE legal_hold IN SHARE MODE")
        cursor.execute(_HELD, [list(tenants)])
        return {row[0] for row in cursor.fetchall()}


def place(*, tenant: UUID, actor: Actor, reason: str, now: datetime, ticket: str = "") -> UUID:
    """Place a hold and return its id. Raises `UnfitTerms` where there is nothing left to hold."""
    if not reason.strip() or len(reason) > REASON_LIMIT or len(ticket) > TICKET_LIMIT:
        raise UnfitTerms(
            f"a hold has a reason of 1 to {REASON_LIMIT} characters and a ticket of at most"
            f" {TICKET_LIMIT}"
        )
    hold = uuid7(now)
    with tenant_scope(tenant):
        row = _lock(tenant)
        if row is None or row.state == TenantState.DELETED:
            raise UnfitTerms(f"there is no tenant {tenant}, or its keys are destroyed already")
        LegalHold.objects.create(
            id=hold, reason=reason, ticket=ticket, placed_at=now, placed_by=str(actor)
        )
        record(
            event=EventType.HOLD_PLACED, actor=actor, now=now, tenant=tenant, reason=reason,
            resource=f"hold:{hold}", detail={"ticket": ticket} if ticket else None,
        )  # fmt: skip
    return hold


def release(
    *, tenant: UUID, actor: Actor, reason: str, now: datetime, hold: UUID | None = None
) -> list[UUID]:
    """Release one hold of a tenant, or all; return which. None stood: `UnfitTerms`."""
    with tenant_scope(tenant):
        _lock(tenant)
        rows = LegalHold.objects.filter(released_at=None)
        if hold is not None:
            rows = rows.filter(id=hold)
        released = list(rows.order_by("placed_at", "id").values_list("id", flat=True))
        if not released:
            raise UnfitTerms(f"no such hold stands on tenant {tenant}")
        rows.update(released_at=now, released_by=str(actor))
        for each in released:
            record(
                event=EventType.HOLD_RELEASED, actor=actor, now=now, tenant=tenant, reason=reason,
                resource=f"hold:{each}",
            )  # fmt: skip
    return released


def _lock(tenant: UUID) -> Tenant | None:
    """Hold the tenant's row until the transaction ends: placing and ending take turns on it."""
    with transaction.atomic():
        return Tenant.objects.select_for_update(no_key=True).filter(id=tenant).first()
