"""Celery's door to what is tidied among staff. It carries nothing."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from console.invites import disable_unenrolled


@shared_task(name="console.tidy")
def tidy(**_later: Any) -> None:
    """Disable who never enrolled, and drop invitations whose time is over."""
    disable_unenrolled(now=timezone.now())
