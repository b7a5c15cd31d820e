"""Celery's doors to what is done beside requests: mails, and tidying. They carry nothing."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from tenants import approvals, attempts, grants, letters, links
from tenants.actions import note_expiries


@shared_task(name=letters.TASK)
def deliver(**_later: Any) -> None:
    """Send the mails that wait."""
    letters.deliver(now=timezone.now())


@shared_task(name="tenants.tidy")
def tidy(**_later: Any) -> None:
    """Record ended tenants and grants; drop links and windows of attempts that mean nothing now."""
    now = timezone.now()
    note_expiries(now=now)
    grants.note_ended(now=now)
    links.prune(now=now)
    attempts.prune(now=now)


@shared_task(name=approvals.TASK)
def carry_out(**_later: Any) -> None:
    """Carry out the deeds whose time has come."""
    approvals.carry_out_due(now=timezone.now())
