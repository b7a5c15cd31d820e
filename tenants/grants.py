"""Grants: what lets a member of staff read one tenant's rows, for a reason and for a time.

A grant is a row that row-level security itself asks for: without a live one ``tawny_staff`` sees no
tenant's row, whatever the code does. It is opened and revoked by the deeds here, each with its
entry in the tenant's own audit feed, and used by `staff_scope`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.db import Error as DatabaseError, connections, transaction
from django.db.models import Q, QuerySet

from audit.actors import Actor, system
from audit.events import EventType, Outcome
from audit.record import record
from crypto.ids import uuid7
from tenants import break_glass
from tenants.errors import NoGrant, UnfitTerms, Unrecorded
from tenants.models.customers import Tenant, TenantState
from tenants.models.grants import LONGEST, AccessGrant
from tenants.scope import MAIN, staff_scope, tenant_scope

__all__ = [
    "MOST_MINUTES",
    "Grant",
    "GrantScope",
    "all_tenants_grants",
    "grants",
    "live_grants",
    "note_ended",
    "open_grant",
    "record_read",
    "record_refusal",
    "revoke_grant",
    "revoke_grants_of",
    "staff_scope",
]

MOST_MINUTES = LONGEST // timedelta(minutes=1)
REASON_LIMIT, TICKET_LIMIT = 500, 100
"""Characters, as the columns have them."""
LISTED = 200
"""Grants of one answer, the newest first."""
_NOTED = 500
"""Ended grants that one run notes; the next one takes the rest."""


class GrantScope(StrEnum):
    """What a grant opens; which tables that is, the policies say (docs/staff.md).

    Rows of before name ``export`` and ``research`` as well, which open nothing.
    """

    ALERTS = "alerts"
    SERIES = "series"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A grant as it was when it was read; `revoked_by` is "kind:id" of who ended it early."""

    id: UUID
    tenant: UUID
    staff: UUID
    scopes: frozenset[GrantScope]
    reason: str
    ticket: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    revoked_by: str

    def is_live(self, *, now: datetime) -> bool:
        """Whether it opens anything by the clock of whoever asks; PostgreSQL asks its own."""
        return self.revoked_at is None and self.expires_at > now


def open_grant(
    *,
    tenant: UUID,
    staff: UUID,
    scopes: Sequence[GrantScope],
    reason: str,
    ticket: str,
    minutes: int,
    actor: Actor,
    now: datetime,
) -> Grant:
    """Let `staff` read a tenant's rows for `minutes`; the tenant sees who, why and until when.

    The row and its audit entry are one transaction.

    Raises
    ------
    UnfitTerms
        No or too long a reason or ticket, no scope, not 1 to 60 minutes, or no such tenant.
    Unrecorded
        The audit log takes no entry: there is no grant either.

    """
    reason, ticket = reason.strip(), ticket.strip()
    _fit(tenant=tenant, scopes=scopes, reason=reason, ticket=ticket, minutes=minutes)
    with tenant_scope(tenant):
        row = AccessGrant.objects.create(
            id=uuid7(now),
            staff_id=staff,
            scopes=sorted(set(scopes)),
            reason=reason,
            ticket=ticket,
            created_at=now,
            expires_at=now + timedelta(minutes=minutes),
        )
        opened = _grant(row)
        _record(EventType.GRANT_OPENED, opened, actor=actor, reason=reason, now=now)
    return opened


def _fit(
    *, tenant: UUID, scopes: Sequence[GrantScope], reason: str, ticket: str, minutes: int
) -> None:
    if not 0 < len(reason) <= REASON_LIMIT:
        raise UnfitTerms(f"a grant has a reason, of {REASON_LIMIT} characters at most")
    if not 0 < len(ticket) <= TICKET_LIMIT:
        raise UnfitTerms(f"a grant names a ticket, in {TICKET_LIMIT} characters at most")
    if not 1 <= minutes <= MOST_MINUTES:
        raise UnfitTerms(f"a grant lives 1 to {MOST_MINUTES} minutes")
    if not scopes or not set(scopes) <= set(GrantScope):
        raise UnfitTerms(f"a grant opens some of {', '.join(GrantScope)}")
    if not Tenant.objects.filter(id=tenant).exclude(state=TenantState.DELETED).exists():
        raise UnfitTerms("there is no such tenant")


def revoke_grant(*, grant: UUID, actor: Actor, reason: str, now: datetime) -> Grant:
    """End a live grant at once: its next statement sees nothing. Raises `NoGrant` for any other."""
    with all_tenants_grants():
        found = _of_all_tenants().filter(id=grant).first()
    if found is None:
        raise NoGrant("There is no such grant.")
    with tenant_scope(found.tenant_id):
        changed = AccessGrant.objects.filter(id=grant, revoked_at=None, expires_at__gt=now).update(
            revoked_at=now, revoked_by=str(actor)
        )
        if not changed:
            raise NoGrant("The grant is over already.")
        revoked = _grant(AccessGrant.objects.get(id=grant))
        _record(EventType.GRANT_REVOKED, revoked, actor=actor, reason=reason, now=now)
    return revoked


def revoke_grants_of(*, staff: UUID, actor: Actor, reason: str, now: datetime) -> int:
    """End every live grant of a person, whose access or role ends; return how many.

    One that somebody else ends at the same time is left to them.
    """
    with all_tenants_grants():
        live = _of_all_tenants().filter(staff_id=staff, revoked_at=None, expires_at__gt=now)
        standing = list(live.order_by("id").values_list("id", flat=True))
    revoked = 0
    for each in standing:
        with suppress(NoGrant):
            revoke_grant(grant=each, actor=actor, reason=reason, now=now)
            revoked += 1
    return revoked


def live_grants(*, now: datetime, staff: UUID | None = None) -> list[Grant]:
    """Return live grants on any tenant, of one person or of all, the newest first."""
    return grants(Q(revoked_at=None, expires_at__gt=now), staff=staff)


def grants(*where: Q, staff: UUID | None = None) -> list[Grant]:
    """Return the newest `LISTED` grants that fit, live or over, of one person or of all."""
    with all_tenants_grants():
        rows = _of_all_tenants().filter(*where)
        if staff is not None:
            rows = rows.filter(staff_id=staff)
        return [_grant(row) for row in rows.order_by("-created_at", "id")[:LISTED]]


def note_ended(*, now: datetime) -> int:
    """Tell the audit log of grants whose time was over, once each; return of how many."""
    with all_tenants_grants():
        over = _of_all_tenants().filter(expires_at__lte=now, revoked_at=None, end_noted_at=None)
        found = list(over.order_by("expires_at")[:_NOTED])
    noted = 0
    for row in found:
        with tenant_scope(row.tenant_id):
            if AccessGrant.objects.filter(id=row.id, end_noted_at=None).update(end_noted_at=now):
                ended = _grant(row)
                _record(EventType.GRANT_ENDED, ended, actor=system("grants"), reason="", now=now)
                noted += 1
    return noted


def record_read(*, grant: UUID, tenant: UUID, actor: Actor, resource: str, now: datetime) -> None:
    """Record, for the tenant to see, that staff are about to read `resource` under a grant.

    Committed before it returns, so that nothing is shown of which there is no entry. Raises
    `Unrecorded` where it cannot be: then nothing may be read.
    """
    try:
        record(
            event=EventType.STAFF_READ,
            actor=actor,
            now=now,
            tenant=tenant,
            resource=resource,
            detail={"grant": str(grant)},
        )
        break_glass.note_use(grant=grant, actor=actor, now=now)
    except DatabaseError as error:
        raise Unrecorded("a read of a tenant's rows could not be recorded") from error


def record_refusal(*, grant: UUID, actor: Actor, words: str, now: datetime) -> None:
    """Record that somebody came with a grant that opens nothing, for its tenant to see.

    Raises `Unrecorded` where the log takes nothing; the refusal stands all the same.
    """
    with all_tenants_grants():
        row = _of_all_tenants().filter(id=grant).first()
    try:
        record(
            event=EventType.GRANT_REFUSED,
            actor=actor,
            now=now,
            tenant=None if row is None else row.tenant_id,
            resource=f"grant:{grant}",
            outcome=Outcome.DENIED,
            reason=words,
        )
    except DatabaseError as error:
        raise Unrecorded("a refusal could not be recorded") from error


@contextmanager
def all_tenants_grants() -> Iterator[None]:
    """Open a transaction in which grants on every tenant can be read; who, why and until when.

    The setting ends with the block, also inside a longer transaction.
    """
    with transaction.atomic(using=MAIN):
        _door("reader")
        yield
        if not connections[MAIN].needs_rollback:
            _door("")


def _of_all_tenants() -> QuerySet[AccessGrant]:
    """Return grants on every tenant; row-level security shows none outside the door."""
    return QuerySet(AccessGrant)


def _door(value: str) -> None:
    with connections[MAIN].cursor() as cursor:
        cursor.execute("SELECT set_config('app.grants', %s, true)", [value])


def _record(event: EventType, grant: Grant, *, actor: Actor, reason: str, now: datetime) -> None:
    try:
        record(
            event=event,
            actor=actor,
            now=now,
            tenant=grant.tenant,
            resource=f"grant:{grant.id}",
            reason=reason,
            detail={
                "staff": str(grant.staff),
                "ticket": grant.ticket,
                "scopes": " ".join(sorted(grant.scopes)),
                "until": f"{grant.expires_at:%Y-%m-%dT%H:%M:%SZ}",
            },
        )
    except DatabaseError as error:
        raise Unrecorded("the audit log takes no entry: nothing was done") from error


def _grant(row: AccessGrant) -> Grant:
    return Grant(
        id=row.id,
        tenant=row.tenant_id,
        staff=row.staff_id,
        scopes=frozenset(each for each in GrantScope if each in row.scopes),
        reason=row.reason,
        ticket=row.ticket,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        revoked_by=row.revoked_by,
    )
