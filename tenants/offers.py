"""Telling workers that work waits.

The message is a hint: it may be lost, doubled or late. It is sent when the row that it speaks of is
committed, and again by every worker's sweeper until somebody has done the work. A broker that is
down costs latency, never a batch, and never the request that noticed it.
"""

import logging
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from celery import current_app
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from audit.actors import Actor
from audit.events import EventType, Outcome
from audit.record import record
from crypto.ids import uuid7
from tenants.models import Work
from tenants.models.work import bury

log = logging.getLogger(__name__)

OFFER_AGAIN_SECONDS = 10
"""Seconds until a row is offered again: two sweeps, more than a queue's usual wait."""
SWEEP = 500
"""Rows offered in one sweep, so that a flood of work cannot make a flood of messages."""


def add_work(
    *,
    tenant: UUID,
    queue: str,
    due_at: datetime,
    events: int,
    now: datetime,
    work_id: UUID | None = None,
) -> UUID:
    """Add a row of work in the caller's transaction; offer it on commit where it is due.

    ``work_id`` is given where rows that bear it were made before.
    """
    work = Work.objects.create(
        id=work_id or uuid7(now),
        tenant_id=tenant,
        queue=queue,
        due_at=due_at,
        events=events,
        created_at=now,
        offered_at=now if due_at <= now else None,
    )
    if due_at <= now:
        transaction.on_commit(lambda: send(((work.id, tenant, queue),)))
    return work.id


def send(rows: Iterable[tuple[UUID, UUID, str]]) -> int:
    """Send a hint for each ``(work, tenant, queue)``; return how many a worker can get."""
    sent = 0
    for work, tenant, queue in rows:
        task = settings.WORK_TASKS.get(queue)
        if task is None:  # the sequencer's queue: it looks at the table itself
            continue
        try:
            current_app.send_task(
                task, kwargs={"tenant": str(tenant), "work": str(work)}, queue=queue, retry=False
            )
        except OperationalError:
            log.warning("the broker cannot be reached; the sweeper will offer the work again")
            break
        sent += 1
    return sent


def sweep(*, queues: Iterable[str], limit: int = SWEEP) -> int:
    """Offer again what is pending and due, or leased and expired; return how many were offered.

    What has cost `MAX_CLAIMS` workers their lives is dead, and the audit log says so.
    """
    _bury_lost()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE work SET offered_at = clock_timestamp()
             WHERE id IN (
                SELECT id FROM work
                 WHERE queue = ANY(%s)
                   AND ((state = 'pending' AND due_at <= clock_timestamp())
                        OR (state = 'leased' AND lease_until < clock_timestamp()))
                   AND (offered_at IS NULL OR offered_at < due_at
                        OR offered_at < clock_timestamp() - make_interval(secs => %s))
                 ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED)
            RETURNING id, tenant_id, queue
            """,
            [list(queues), OFFER_AGAIN_SECONDS, limit],
        )
        rows = cursor.fetchall()
    return send(rows)


def _bury_lost() -> None:
    now = timezone.now()  # noqa: TID251 -- the sweeper is a loop of its own, no caller has a clock
    with transaction.atomic():
        for work, tenant, queue in bury():
            record(
                event=EventType.WORK_DEAD,
                actor=Actor(kind="system", id="sweeper"),
                now=now,
                tenant=tenant,
                resource=f"work:{work}",
                outcome=Outcome.FAILURE,
                detail={"queue": queue, "error": "worker_lost"},
            )
