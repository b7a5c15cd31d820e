"""How the deployment runs: work by queue, what gave up, versions, checks, the newest checkpoint."""

import platform
from dataclasses import dataclass
from datetime import datetime

import django
from django.core import checks
from django.db import connection
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from audit.events import EventType
from audit.models import Checkpoint
from console.pages import page, show
from console.permissions import Permission
from tenants.models import Tenant, Work, WorkState

MOST_DEAD = 100
"""Rows of given-up work on the page, the newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """A queue's work, counted by state."""

    queue: str
    pending: int
    leased: int
    done: int
    dead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadRow:
    """A unit of work that gave up; `error` is a class of error, never a text of a tenant's."""

    id: str
    tenant: str
    queue: str
    error: str
    attempt: int
    created_at: datetime


def queues() -> list[QueueRow]:
    """Count work by queue and state."""
    counted: dict[str, dict[str, int]] = {}
    for queue, state, count in Work.objects.values_list("queue", "state").annotate(n=Count("id")):
        counted.setdefault(queue, {})[state] = count
    return [
        QueueRow(queue=queue, **{state.value: states.get(state, 0) for state in WorkState})
        for queue, states in sorted(counted.items())
    ]


def dead() -> list[DeadRow]:
    """List the newest work that gave up."""
    rows = list(Work.objects.filter(state=WorkState.DEAD).order_by("-created_at")[:MOST_DEAD])
    ids = {row.tenant_id for row in rows}
    names = dict(Tenant.objects.filter(id__in=ids).values_list("id", "name"))
    return [
        DeadRow(
            id=str(row.id),
            tenant=names.get(row.tenant_id, str(row.tenant_id)),
            queue=row.queue,
            error=row.error,
            attempt=row.attempt,
            created_at=row.created_at,
        )
        for row in rows
    ]


@page(permission=Permission.JOBS, event=EventType.STAFF_READ)
@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    """Show work by queue and state, and what gave up."""
    return show(
        request,
        "console/jobs.html",
        queues=queues(),
        dead=dead(),
        most=MOST_DEAD,
        now=timezone.now(),
    )


@page(permission=Permission.SYSTEM, event=EventType.STAFF_READ)
@require_safe
def system(request: HttpRequest) -> HttpResponse:
    """Show versions, what the system checks say, and how old the newest checkpoint is."""
    return show(
        request,
        "console/system.html",
        versions=[
            ("Python", platform.python_version()),
            ("Django", django.get_version()),
            ("PostgreSQL", _postgres()),
        ],
        messages=[(f"{each.id}: {each.msg}", each.is_serious()) for each in checks.run_checks()],
        checkpoint=Checkpoint.objects.order_by("-size").first(),
        now=timezone.now(),
    )


def _postgres() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return str(cursor.fetchone()[0])
