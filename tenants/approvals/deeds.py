"""Asking for a deed, standing behind it as a second person, and stopping it.

Every step holds the row's lock, so that of an approval and a cancellation at once one takes effect.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from audit.actors import Actor
from audit.events import EventType, Outcome
from crypto.ids import uuid7
from tenants.approvals.carrying import carry_out
from tenants.approvals.kinds import Kind, kind_named, people
from tenants.approvals.rows import end, hint, note, second, unsettled
from tenants.errors import UnfitTerms
from tenants.models import Pending, PendingState
from tenants.models.approvals import REASON_LIMIT

WAIT = timedelta(hours=24)
"""What one person asks for takes effect after this time where no second one exists (contract)."""
NOT_SECOND = (
    "this account is no second person for it: it asked, is no owner or one of less than a day, or"
    " is the one whom it is done to or who gets something by it"
)
ENOUGH = 2
"""Owners from which on a second person is asked (contract)."""


def ask(
    *,
    kind: str,
    subject: str,
    actor: Actor,
    reason: str,
    now: datetime,
    parameters: Mapping[str, str] | None = None,
) -> Pending:
    """Ask for a deed; it waits for a second person, or for its time where there is none.

    Raises `UnfitTerms` for a kind, subject or parameters that make no sense, without a reason, for
    what waits already, and where the kind needs a second person at once and there is none, or
    whoever asks or gets it is of less than a day.
    """
    about, asked = kind_named(kind), dict(parameters or {})
    if not 0 < len(reason.strip()) <= REASON_LIMIT:
        raise UnfitTerms(f"a reason has 1 to {REASON_LIMIT} characters")
    about.check(subject, asked)
    circle = people(now=now)
    new = unsettled(about, circle, asker=actor, parameters=asked)
    if new and not about.waits:
        raise UnfitTerms(new)
    nobody = not second(about, circle, asker=actor, subject=subject, parameters=asked)
    if nobody and not about.waits:
        raise UnfitTerms("it needs a second person, and there is none; see docs/staff.md")
    alone = about.waits and (nobody or len(circle.counting) < ENOUGH)
    pending = Pending(
        id=uuid7(now), kind=kind, subject=subject, parameters=asked, asked_by=str(actor),
        reason=reason.strip(), asked_at=now, expires_at=now + about.lasts,
        effective_at=now + WAIT if alone else None,
    )  # fmt: skip
    try:
        with transaction.atomic():
            pending.save(force_insert=True)
            note(pending, EventType.APPROVAL_ASKED, actor=actor, now=now, reason=reason.strip())
    except IntegrityError:
        raise UnfitTerms("the same is asked for already; see approvals list") from None
    return pending


def approve(*, pending: UUID, actor: Actor, now: datetime, reason: str = "") -> Pending:
    """Stand behind what somebody else asked for; it is then carried out, and cannot be stopped.

    Raises `UnfitTerms`, and records the denial, for whoever is not a second person: the asker, the
    one it is done to or who gets it, whoever is no owner; for what an account of less than a day
    asked; and for what is over, or only waits for its time.
    """
    with transaction.atomic():
        row = _held(pending)
        kind = kind_named(row.kind)
        refusal = _unapprovable(row, kind, actor, now=now)
        if not refusal:
            row.state = PendingState.APPROVED
            row.approved_by, row.approved_at = str(actor), now
            row.save(update_fields=["state", "approved_by", "approved_at"])
            note(row, EventType.APPROVAL_GIVEN, actor=actor, now=now, reason=reason)
    if refusal:
        _deny(row, EventType.APPROVAL_GIVEN, actor=actor, now=now)
        raise UnfitTerms(refusal)
    if kind.quick:
        carry_out(pending=row.id, now=now)
        row.refresh_from_db()
    else:
        transaction.on_commit(hint)
    return row


def cancel(*, pending: UUID, actor: Actor, reason: str, now: datetime) -> Pending:
    """Stop a deed that waits: any owner, whoever asked, or the machine's shell.

    Raises `UnfitTerms`, and records the denial, for anybody else; and for what does not wait.
    """
    if not 0 < len(reason.strip()) <= REASON_LIMIT:
        raise UnfitTerms(f"a reason has 1 to {REASON_LIMIT} characters")
    with transaction.atomic():
        row = _held(pending)
        refusal = _uncancellable(row, actor, now=now)
        if not refusal:
            end(row, PendingState.CANCELLED, by=actor, why=reason.strip(), now=now)
            note(row, EventType.APPROVAL_CANCELLED, actor=actor, now=now, reason=reason.strip())
    if refusal:
        _deny(row, EventType.APPROVAL_CANCELLED, actor=actor, now=now)
        raise UnfitTerms(refusal)
    return row


def cancel_asked_by(*, asker: Actor, actor: Actor, reason: str, now: datetime) -> int:
    """Stop whatever somebody asked for who no longer may; in the caller's transaction."""
    waiting = Pending.objects.select_for_update().filter(
        state=PendingState.PENDING, asked_by=str(asker)
    )
    rows = list(waiting.order_by("id"))
    for row in rows:
        end(row, PendingState.CANCELLED, by=actor, why=reason, now=now)
        note(row, EventType.APPROVAL_CANCELLED, actor=actor, now=now, reason=reason)
    return len(rows)


def _held(pending: UUID) -> Pending:
    row = Pending.objects.select_for_update().filter(pk=pending).first()
    if row is None:
        raise UnfitTerms(f"nothing named {pending} was asked for")
    return row


def _unapprovable(row: Pending, kind: Kind, actor: Actor, *, now: datetime) -> str:
    """Say why `actor` may not approve a locked deed, or nothing."""
    if row.state != PendingState.PENDING:
        return f"it is {row.state} already"
    if row.expires_at <= now:
        return "its time is over: ask again"
    if row.effective_at is not None:
        return "there was no second person when it was asked for: it waits for its time"
    if actor.kind != "staff":
        return "a second person is an owner at the console, not a shell or a process"
    circle = people(now=now)
    if str(actor) == row.asked_by or actor.id not in second(
        kind, circle, asker=row.asker, subject=row.subject, parameters=row.parameters
    ):
        return NOT_SECOND
    return unsettled(kind, circle, asker=row.asker, parameters=row.parameters)


def _uncancellable(row: Pending, actor: Actor, *, now: datetime) -> str:
    if row.state != PendingState.PENDING:
        return f"it is {row.state} already"
    if str(actor) == row.asked_by or actor.kind == "shell":
        return ""
    circle = people(now=now)
    if actor.kind == "staff" and actor.id in circle.owners | circle.sealed:
        return ""
    return "owners, whoever asked and the machine's shell may cancel it"


def _deny(row: Pending, event: EventType, *, actor: Actor, now: datetime) -> None:
    with transaction.atomic():
        note(row, event, actor=actor, now=now, outcome=Outcome.DENIED)
