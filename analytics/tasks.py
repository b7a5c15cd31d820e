"""Celery's doors to the engine's deeds. A message holds ids; the row of work decides.

Every task claims its row by the one conditional UPDATE, may run twice, and gives the row back when
something fails. The lease is short and renewed while the task runs.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import shared_task
from django.db import Error as DatabaseError
from django.utils import timezone

from analytics.actions.accept import QUEUE as INGEST
from analytics.actions.effect import Overtaken, take_effect
from analytics.actions.evaluation import evaluate_day
from analytics.actions.findings import is_listed
from analytics.actions.reports import ask
from analytics.actions.retention import is_due, retain, retain_inbox, tend_partitions
from audit.actors import Actor
from audit.events import EventType, Outcome
from audit.record import record
from crypto.errors import CryptoError
from destinations.report import Destination
from tenants.errors import KeyDestroyed, KeyUnavailable, LostLease
from tenants.leases import TERM, held
from tenants.models import Lease, Tenant, Work, WorkState
from tenants.models.work import claim, give_back, postpone

log = logging.getLogger(__name__)

INGEST_FIRST = timedelta(seconds=30)
"""How long an evaluation lets a tenant's waiting requests go first: one look instead of many."""
LET_PASS = timedelta(seconds=1)
FAILURES = (DatabaseError, CryptoError, Overtaken)
"""What a later attempt may well survive. Anything else bubbles up, and the lease runs out."""
KEY_PAUSE = timedelta(seconds=30)
"""How long work waits for a key that is away: about the length of a key service's failover."""


@shared_task(name="analytics.ingest")
def ingest(*, tenant: str, work: str, **_later: Any) -> None:
    """Give an accepted request its effect."""
    _run(tenant, work, lambda lease: take_effect(lease, listed=_listed, now=timezone.now()))


@shared_task(name="analytics.analyse")
def analyse(*, tenant: str, work: str, **_later: Any) -> None:
    """Evaluate a day, after the requests of the tenant that wait."""
    lease = claim(UUID(work), lease=TERM)
    if lease is None:
        return
    now = timezone.now()
    row = Work.objects.get(id=lease.work)
    waiting = Work.objects.filter(
        tenant_id=lease.tenant, queue=INGEST, state__in=Work.UNFINISHED
    ).exists()
    if waiting and now - row.created_at < INGEST_FIRST:
        postpone(lease, due_at=now + LET_PASS)
        return
    _attempt(tenant, lease, lambda: evaluate_day(lease, wisdom=ask, now=now))


def _listed(destinations: frozenset[Destination]) -> bool:
    reports = ask(destinations).reports
    return any(is_listed(report) for report in reports.values())


def _run(tenant: str, work: str, deed: Callable[[Lease], object]) -> None:
    lease = claim(UUID(work), lease=TERM)
    if lease is not None:
        _attempt(tenant, lease, lambda: deed(lease))


def _attempt(tenant: str, lease: Lease, deed: Callable[[], object]) -> None:
    try:
        with held(lease):
            deed()
    except LostLease:
        log.info("work %s of tenant %s is another worker's now", lease.work, tenant)
    except KeyDestroyed as error:  # it will not come back: this is a failure like another
        _fail(tenant, lease, error)
    except KeyUnavailable as error:
        log.warning("work %s of tenant %s waits for a key", lease.work, tenant)
        postpone(lease, due_at=timezone.now() + KEY_PAUSE, error=type(error).__name__)
    except FAILURES as error:
        _fail(tenant, lease, error)


def _fail(tenant: str, lease: Lease, error: Exception) -> None:
    """Give the work back for another attempt; the last one sets it aside, and is recorded."""
    kind = type(error).__name__
    log.warning("work %s of tenant %s failed: %s", lease.work, tenant, kind, exc_info=error)
    state = give_back(lease, error=kind, now=timezone.now())
    if state == WorkState.DEAD:
        record(
            event=EventType.WORK_DEAD,
            actor=Actor(kind="system", id="worker"),
            now=timezone.now(),
            tenant=lease.tenant,
            resource=f"work:{lease.work}",
            outcome=Outcome.FAILURE,
            detail={"queue": lease.queue, "error": kind, "attempt": lease.attempt},
        )


@shared_task(name="analytics.retain")
def retain_all(**_later: Any) -> None:
    """Delete what is past its time, tenant by tenant, and tend the tables' partitions.

    What is kept for hours goes with every run, what is kept for days once a UTC day.
    """
    tend_partitions(now=timezone.now())
    for tenant in Tenant.objects.values_list("id", flat=True).iterator():
        now = timezone.now()
        deed = retain if is_due(tenant=tenant, now=now) else retain_inbox
        deleted = deed(tenant=tenant, now=now)
        if any(deleted.values()):
            log.info("retention of tenant %s: %s", tenant, deleted)
