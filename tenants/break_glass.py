"""Emergency access: one person reads one tenant for half an hour, and two people answer for it.

It is a deed of `tenants.approvals` that needs a second person always. Opening it makes an ordinary
grant, which ends by its own time: row-level security compares ``expires_at`` to the clock. So what
runs here is not what ends the access, but what tells everybody, and keeps asking for the review.

Grants are opened and revoked by two functions given to `grants_by`, alarms told by one given to
`told_by`; both are wired when the apps are ready.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from django.db import transaction

from audit.actors import Actor, system
from audit.events import EventType
from audit.record import record
from tenants import approvals
from tenants.errors import TenantError, UnfitTerms
from tenants.models import BreakGlass, Pending, Tenant
from tenants.models.approvals import LONGEST_EMERGENCY, REASON_LIMIT

KIND = "break_glass"
LASTS = timedelta(hours=1)
"""What was an emergency an hour ago is another one now: it is asked for again."""
MOST_MINUTES = int(LONGEST_EMERGENCY.total_seconds()) // 60
REVIEW_WITHIN = timedelta(hours=72)
"""From its end; until then, and after, every page says that the review is owed."""
TICKET_LIMIT = 100
SCOPES = ("alerts", "series")
"""What an emergency opens where nothing else is asked for; never an export."""


class Opened(Protocol):
    """A grant as it is needed here."""

    @property
    def id(self) -> UUID:
        """Its id."""

    @property
    def expires_at(self) -> datetime:
        """When the database stops honouring it."""


class OpenGrant(Protocol):
    """Opens a grant in the caller's transaction."""

    def __call__(  # noqa: D102 -- the class says what it does
        self,
        *,
        tenant: UUID,
        staff: UUID,
        scopes: Sequence[Any],
        reason: str,
        ticket: str,
        minutes: int,
        actor: Actor,
        now: datetime,
    ) -> Opened: ...


class RevokeGrant(Protocol):
    """Ends a grant in the caller's transaction."""

    def __call__(  # noqa: D102 -- the class says what it does
        self, *, grant: UUID, actor: Actor, reason: str, now: datetime
    ) -> object: ...


Tell = Callable[[BreakGlass, datetime], None]
"""Tells everybody of an emergency access, in the caller's transaction."""

_doors: dict[str, tuple[OpenGrant, RevokeGrant]] = {}
_tell: list[Tell] = []


def grants_by(*, open_grant: OpenGrant, revoke_grant: RevokeGrant) -> None:
    """Say who opens and revokes grants."""
    _doors["grants"] = (open_grant, revoke_grant)


def told_by(tell: Tell) -> None:
    """Say who tells everybody."""
    _tell[:] = [tell]


def ask(
    *,
    tenant: UUID,
    staff: UUID,
    minutes: int,
    ticket: str,
    actor: Actor,
    reason: str,
    now: datetime,
) -> Pending:
    """Ask for emergency access; raises `UnfitTerms` for terms that are not given."""
    return approvals.ask(
        kind=KIND, subject=str(tenant), actor=actor, reason=reason, now=now,
        parameters={"staff": str(staff), "minutes": str(minutes), "ticket": ticket},
    )  # fmt: skip


def check(subject: str, parameters: Mapping[str, str]) -> None:
    """Refuse terms that are not given."""
    if "grants" not in _doors:
        raise UnfitTerms("this deployment opens no grants")
    if not 1 <= int(parameters["minutes"]) <= MOST_MINUTES:
        raise UnfitTerms(f"an emergency lasts 1 to {MOST_MINUTES} minutes")
    if not 0 < len(parameters["ticket"]) <= TICKET_LIMIT:
        raise UnfitTerms(f"a ticket has 1 to {TICKET_LIMIT} characters")
    if not Tenant.objects.filter(id=UUID(subject)).exists():
        raise UnfitTerms(f"there is no tenant {subject}")


def carry_out(pending: Pending, now: datetime) -> Mapping[str, str | int]:
    """Open the access that two people stand behind; what was opened already is not opened again."""
    check(pending.subject, pending.parameters)
    open_grant, _ = _doors["grants"]
    tenant, staff = UUID(pending.subject), UUID(pending.parameters["staff"])
    with transaction.atomic():
        Pending.objects.select_for_update().get(pk=pending.pk)
        opened = BreakGlass.objects.filter(pk=pending.pk).first()
        if opened is None:
            grant = open_grant(
                tenant=tenant, staff=staff, scopes=SCOPES, reason=pending.reason,
                ticket=pending.parameters["ticket"], minutes=int(pending.parameters["minutes"]),
                actor=pending.asker, now=now,
            )  # fmt: skip
            opened = BreakGlass.objects.create(
                id=pending.id, grant=grant.id, staff=staff, asked_by=pending.asked_by,
                approved_by=pending.approved_by, opened_at=now, expires_at=grant.expires_at,
            )  # fmt: skip
            _note(opened, EventType.BREAK_GLASS_OPENED, actor=pending.asker, reason=pending.reason,
                  now=now)  # fmt: skip
            for tell in _tell:
                tell(opened, now)
    return {"grant": str(opened.grant), "until": opened.expires_at.isoformat(timespec="seconds")}


def note_use(*, grant: UUID, actor: Actor, now: datetime) -> bool:
    """Record that a grant is used, where it is an emergency's and for the first time.

    Whoever opens a grant's rows to staff calls this in the transaction of the read.
    """
    with transaction.atomic():
        row = BreakGlass.objects.select_for_update().filter(grant=grant, used_at=None).first()
        if row is None:
            return False
        row.used_at = now
        row.save(update_fields=["used_at"])
        _note(row, EventType.BREAK_GLASS_USED, actor=actor, now=now)
    return True


def close(*, emergency: UUID, actor: Actor, reason: str, now: datetime) -> BreakGlass:
    """End an emergency access before its time; raises `UnfitTerms` for one that is over."""
    with transaction.atomic():
        row = BreakGlass.objects.select_for_update().filter(pk=emergency, closed_at=None).first()
        if row is None or row.expires_at <= now:
            raise UnfitTerms("no such emergency access is open")
        _, revoke_grant = _doors["grants"]
        try:
            revoke_grant(grant=row.grant, actor=actor, reason=reason, now=now)
        except TenantError as refusal:  # on the grant's own page somebody was quicker, say
            raise UnfitTerms(f"the grant was not revoked: {refusal}") from None
        _close(row, actor=actor, at=now, reason=reason, now=now)
    return row


def close_ended(*, now: datetime) -> int:
    """Record the end of what ended by its time; return how many there were."""
    with transaction.atomic():
        over = list(
            BreakGlass.objects.select_for_update(skip_locked=True).filter(
                closed_at=None, expires_at__lte=now
            )
        )
        for row in over:
            _close(row, actor=system("approvals"), at=row.expires_at, reason="its time", now=now)
    return len(over)


def review(*, emergency: UUID, actor: Actor, findings: str, now: datetime) -> BreakGlass:
    """Keep what somebody found who looked at what was done; not the person who had the access.

    Raises `UnfitTerms` while it is open, after it was reviewed, and for the one who had it.
    """
    if not 0 < len(findings.strip()) <= REASON_LIMIT:
        raise UnfitTerms(f"a review has 1 to {REASON_LIMIT} characters")
    with transaction.atomic():
        row = BreakGlass.objects.select_for_update().filter(pk=emergency, reviewed_at=None).first()
        if row is None:
            raise UnfitTerms("there is nothing to review, or it was reviewed already")
        if row.closed_at is None and row.expires_at > now:
            raise UnfitTerms("it is open still")
        if actor.kind != "staff" or actor.id == str(row.staff):
            raise UnfitTerms("a person reviews it, and not the one who had the access")
        row.reviewed_at, row.reviewed_by, row.review = now, str(actor), findings.strip()
        row.save(update_fields=["reviewed_at", "reviewed_by", "review"])
        _note(row, EventType.BREAK_GLASS_REVIEWED, actor=actor, reason=row.review, now=now)
    return row


def unreviewed() -> list[BreakGlass]:
    """List what is open, or owes its review."""
    return list(BreakGlass.objects.filter(reviewed_at=None))


def count_unreviewed() -> int:
    """Count what is open, or owes its review."""
    return BreakGlass.objects.filter(reviewed_at=None).count()


def review_due(row: BreakGlass) -> datetime:
    """Return until when a review is owed."""
    return (row.closed_at or row.expires_at) + REVIEW_WITHIN


def _close(row: BreakGlass, *, actor: Actor, at: datetime, reason: str, now: datetime) -> None:
    row.closed_at, row.closed_by = at, str(actor)
    row.save(update_fields=["closed_at", "closed_by"])
    _note(row, EventType.BREAK_GLASS_CLOSED, actor=actor, reason=reason, now=now)


def _note(
    row: BreakGlass, event: EventType, *, actor: Actor, now: datetime, reason: str = ""
) -> None:
    pending = Pending.objects.get(pk=row.id)
    record(
        event=event, actor=actor, now=now, tenant=UUID(pending.subject), reason=reason,
        resource=f"grant:{row.grant}",
        detail={
            "approval": str(row.id), "staff": str(row.staff), "asked_by": row.asked_by,
            "approved_by": row.approved_by, "ticket": pending.parameters["ticket"],
            "until": (row.closed_at or row.expires_at).isoformat(timespec="milliseconds"),
        },
    )  # fmt: skip
