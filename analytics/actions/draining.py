"""Waiting until everything that was accepted shows."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count

from analytics.actions.days import OWED_QUEUE, QUEUE as ANALYSE
from tenants import offers
from tenants.models import Work, WorkState


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How many rows of work there are that are not done, by queue.

    ``owed`` counts days that are evaluated and will be again when Wisdom answers.
    """

    waiting: dict[str, int]
    dead: dict[str, int]
    owed: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits or runs."""
        return not self.waiting


def backlog() -> Backlog:
    """Count what is not done."""
    waiting: dict[str, int] = {}
    dead: dict[str, int] = {}
    owed = 0
    for queue, state, count in (
        Work.objects.exclude(state=WorkState.DONE)
        .order_by()
        .values_list("queue", "state")
        .annotate(count=Count("id"))
    ):
        if queue == OWED_QUEUE and state != WorkState.DEAD:
            owed += count
            continue
        kept = dead if state == WorkState.DEAD else waiting
        kept[queue] = kept.get(queue, 0) + count
    return Backlog(waiting=waiting, dead=dead, owed=owed)


def drain_step(*, now: datetime) -> Backlog:
    """Close every stream as if it had fallen quiet, offer what is due, and count what is left."""
    # what failed keeps its pause: hurried, its attempts would be used up before the fault passes
    early = Work.objects.filter(queue=ANALYSE, state=WorkState.PENDING, attempt=0, due_at__gt=now)
    with transaction.atomic():  # rows that a worker holds are its own to move; the next step comes
        rows = list(early.select_for_update(skip_locked=True).values_list("id", flat=True))
        Work.objects.filter(id__in=rows).update(due_at=now)
    offers.sweep(queues=("ingest", "analyse"))
    return backlog()
