"""The rows of deeds: how one ends, what the log says of each step, who is a second person."""

import logging
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from celery import current_app
from kombu.exceptions import OperationalError

from audit.actors import Actor
from audit.events import EventType, Outcome
from audit.record import record
from tenants.approvals.kinds import Circle, Kind, Subject, kind_named, kinds, people
from tenants.models import Pending, PendingState
from tenants.models.approvals import REASON_LIMIT

log = logging.getLogger(__name__)

TASK = "tenants.carry_out"
QUEUE = "deliver"
HINT_LIFE = 60  # seconds; the sweeper sends another
NEW_ASKER = (
    "whoever asked has the account or the role for less than a day, and may be somebody's second"
    " account: nobody approves it before"
)
NEW_HOLDER = "whoever gets it has the account or the role for less than a day"


def end(row: Pending, state: PendingState, *, by: Actor, why: str, now: datetime) -> None:
    """Write how a locked deed ended, in the caller's transaction."""
    row.state, row.ended_by, row.ended_at = state, str(by), now
    row.ended_why = why[:REASON_LIMIT]
    row.save(update_fields=["state", "ended_by", "ended_at", "ended_why", "outcome"])


def note(
    row: Pending,
    event: EventType,
    *,
    actor: Actor,
    now: datetime,
    reason: str = "",
    outcome: Outcome = Outcome.SUCCESS,
    detail: Mapping[str, str | int] | None = None,
) -> None:
    """Record a step of a deed in the caller's transaction; a tenant sees what is about itself."""
    told: dict[str, str | int] = {
        "kind": row.kind, "subject": row.subject, "asked_by": row.asked_by
    }  # fmt: skip
    if row.approved_by:
        told["approved_by"] = row.approved_by
    if row.effective_at is not None:
        told["effective_at"] = row.effective_at.isoformat(timespec="seconds")
    record(
        event=event, actor=actor, now=now, tenant=tenant_of(row), resource=f"approval:{row.id}",
        reason=reason, outcome=outcome, detail={**told, **(detail or {})},
    )  # fmt: skip


def tenant_of(row: Pending) -> UUID | None:
    """Return the tenant that a deed is about."""
    kind = kinds().get(row.kind)
    return UUID(row.subject) if kind is not None and kind.subject is Subject.TENANT else None


def hint() -> None:
    """Tell a worker that a deed is due; the sweeper tells again."""
    try:
        current_app.send_task(TASK, queue=QUEUE, retry=False, expires=HINT_LIFE)
    except OperationalError:
        log.warning("the broker cannot be reached; the deed is carried out at a later sweep")


def second_people(row: Pending, *, now: datetime) -> frozenset[str]:
    """Return the account ids of whoever may approve a deed."""
    kind, circle = kind_named(row.kind), people(now=now)
    if unsettled(kind, circle, asker=row.asker, parameters=row.parameters):
        return frozenset()
    return second(kind, circle, asker=row.asker, subject=row.subject, parameters=row.parameters)


def second(
    kind: Kind, circle: Circle, *, asker: Actor, subject: str, parameters: Mapping[str, str]
) -> frozenset[str]:
    """Return who is a second person for a kind: not who asks, is done to, or gets it."""
    found = circle.counting | (circle.sealed if kind.sealed else frozenset())
    if asker.kind == "staff":
        found -= {asker.id}
    if kind.whom:
        found -= {parameters[kind.whom]}
    return found - {subject} if kind.subject is Subject.STAFF else found


def unsettled(kind: Kind, circle: Circle, *, asker: Actor, parameters: Mapping[str, str]) -> str:
    """Say who of the asker and the one who gets something is too new to be somebody, or nothing.

    Else an owner asks by an account made a minute ago, and approves it as another person.
    """
    if asker.kind == "staff" and asker.id not in circle.settled:
        return NEW_ASKER
    return NEW_HOLDER if kind.whom and parameters[kind.whom] not in circle.settled else ""


def waiting() -> int:
    """Count what waits for a second person or for its time."""
    return Pending.objects.filter(state=PendingState.PENDING).count()
