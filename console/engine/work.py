"""Work as staff see it: counted by queue and state, listed, none of what it is about."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Min, Q

from tenants.models import Tenant, Work, WorkState

ROWS_PER_PAGE = 50
STATES = tuple((state.value, words) for state, words in zip(
    WorkState, ("waiting", "in progress", "done", "gave up"), strict=True
))  # fmt: skip
"""The states of work, and how people call them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """A queue's work by state; `oldest` is when the first of what is due and unfinished was due."""

    queue: str
    pending: int
    leased: int
    done: int
    dead: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkRow:
    """A unit of work; `error` is a class of error, never a text of a tenant's."""

    id: UUID
    tenant_id: UUID
    tenant: str
    queue: str
    state: str
    words: str
    error: str
    attempt: int
    events: int
    created_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What is looked for; what is empty does not narrow."""

    state: str = ""
    queue: str = ""
    tenant: UUID | None = None


def queues(*, now: datetime) -> list[QueueRow]:
    """Count work by queue and state, in one statement."""
    counted: dict[str, dict[str, int]] = {}
    oldest: dict[str, datetime] = {}
    due = Min("due_at", filter=Q(state__in=Work.UNFINISHED, due_at__lte=now))
    asked = Work.objects.values_list("queue", "state").annotate(n=Count("id"), due=due)
    for queue, state, count, at in asked:
        counted.setdefault(queue, {})[state] = count
        if at is not None:
            oldest[queue] = min(at, oldest.get(queue, at))
    return [
        QueueRow(
            queue=queue,
            oldest=oldest.get(queue),
            **{state.value: states.get(state, 0) for state in WorkState},
        )
        for queue, states in sorted(counted.items())
    ]


def listed(sought: Sought, *, before: UUID | None) -> tuple[list[WorkRow], UUID | None]:
    """Return a page of work, the newest first, and the id that the next page is before."""
    rows = Work.objects.order_by("-id")
    if sought.state:
        rows = rows.filter(state=sought.state)
    if sought.queue:
        rows = rows.filter(queue=sought.queue)
    if sought.tenant is not None:
        rows = rows.filter(tenant_id=sought.tenant)
    if before is not None:
        rows = rows.filter(id__lt=before)
    found = list(rows[: ROWS_PER_PAGE + 1])
    shown = found[:ROWS_PER_PAGE]
    ids = {row.tenant_id for row in shown}
    names = dict(Tenant.objects.filter(id__in=ids).values_list("id", "name"))
    words = dict(STATES)
    return [
        WorkRow(
            id=row.id,
            tenant_id=row.tenant_id,
            tenant=names.get(row.tenant_id, str(row.tenant_id)),
            queue=row.queue,
            state=row.state,
            words=words[row.state],
            error=row.error,
            attempt=row.attempt,
            events=row.events,
            created_at=row.created_at,
            due_at=row.due_at,
        )
        for row in shown
    ], (shown[-1].id if len(found) > ROWS_PER_PAGE else None)
