"""Which days await evaluation, and when.

A day of a shard has at most one pending row of work. Whoever adds to the day moves that row's due
time, holding the row, so that a worker either claims it before (and this adds another row) or after
(and sees what was added).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction

from analytics.models import EvaluationDay
from tenants import offers
from tenants.models import Work, WorkState

QUEUE = "analyse"
OWED_QUEUE = "lookups"
"""Evaluations that only ask Wisdom again. No drain waits for them: it would hang as long as Wisdom
is down."""

LATENESS = timedelta(minutes=10)
"""How far behind a stream's newest event an hour closes (contract): sensors rotate files."""
QUIET = timedelta(seconds=60)
"""How long after the last receipt an hour closes all the same (contract)."""
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, order=True)
class ShardDay:
    """What one evaluation looks at."""

    shard: int
    day: date


def add_to_day(
    *,
    tenant: UUID,
    target: ShardDay,
    since: datetime,
    newest: datetime,
    urgent: bool,
    now: datetime,
) -> None:
    """Note that a day was added to; inside the scope and transaction that added.

    ``since`` is the oldest hour touched, ``newest`` the stream's newest event. The evaluation is
    due at once when the hour is closed or something listed was met (``urgent``), else when the
    stream falls quiet.
    """
    EvaluationDay.objects.bulk_create(
        [EvaluationDay(tenant_id=tenant, shard=target.shard, day=target.day)],
        ignore_conflicts=True,
    )
    row = EvaluationDay.objects.select_for_update().get(shard=target.shard, day=target.day)
    dirty = min(row.dirty_since or since, since)
    closed = dirty + HOUR + LATENESS <= newest
    due_at = now if urgent or closed else now + QUIET
    row.work_id = _schedule(tenant=tenant, work_id=row.work_id, due_at=due_at, now=now)
    row.generation += 1
    row.dirty_since = dirty
    row.save(update_fields=["generation", "dirty_since", "work_id"])


def schedule_again(*, tenant: UUID, row: EvaluationDay, due_at: datetime, now: datetime) -> None:
    """Put a locked day up for another evaluation, because Wisdom's answer is still owed to it."""
    row.work_id = offers.add_work(tenant=tenant, queue=OWED_QUEUE, due_at=due_at, events=0, now=now)


def _schedule(*, tenant: UUID, work_id: UUID | None, due_at: datetime, now: datetime) -> UUID:
    work = (
        Work.objects.select_for_update()
        .filter(id=work_id, queue=QUEUE, state=WorkState.PENDING)
        .first()
        if work_id is not None
        else None
    )
    if work is None:
        return offers.add_work(tenant=tenant, queue=QUEUE, due_at=due_at, events=0, now=now)
    if work.due_at > now or due_at <= now:
        was_due = work.due_at <= now
        work.due_at = due_at
        work.save(update_fields=["due_at"])
        if due_at <= now and not was_due:
            hint = (work.id, tenant, QUEUE)
            transaction.on_commit(lambda: offers.send((hint,)))
    return work.id
