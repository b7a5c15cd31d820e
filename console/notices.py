"""Alarms: one line at WARNING, and a notice on every page of everybody until it is acknowledged.

No account of staff has an address to mail to; the log line is what a deployment's own alerting
listens for (docs/operating.md).
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from audit.actors import Actor
from audit.events import EventType
from audit.record import record
from console.models import Notice, NoticeSeen, Staff
from console.permissions import Permission, permits
from crypto.ids import uuid7
from tenants import approvals, break_glass

log = logging.getLogger(__name__)

SHOWN_FOR = timedelta(days=30)
"""An alarm that somebody on leave has not acknowledged by then is in the audit log."""
MOST = 5
"""Alarms on a page, the oldest first: acknowledging one makes room for the next."""


def tell_everybody(words: str, *, now: datetime) -> Notice:
    """Raise an alarm in the caller's transaction; its line is written on commit."""
    notice = Notice.objects.create(id=uuid7(now), words=words, raised_at=now)
    transaction.on_commit(lambda: log.warning("alarm %s: %s", notice.id, words))
    return notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What every page tells its reader: alarms, and how much waits for somebody like them."""

    alarms: list[Notice]
    waiting: int
    reviews: int


def told(staff: Staff, *, now: datetime) -> Told:
    """Gather what the pages of `staff` say above their content."""
    decides = permits(staff.role, Permission.APPROVE)
    looks = permits(staff.role, Permission.REVIEW_EMERGENCY)
    return Told(
        alarms=unseen(staff, now=now),
        waiting=approvals.waiting() if decides else 0,
        reviews=break_glass.count_unreviewed() if looks else 0,
    )


def unseen(staff: Staff, *, now: datetime) -> list[Notice]:
    """List what `staff` has not acknowledged."""
    fresh = Notice.objects.filter(raised_at__gt=now - SHOWN_FOR)
    return list(fresh.exclude(seen__staff=staff).order_by("raised_at")[:MOST])


def acknowledge(*, notice: UUID, staff: Staff, now: datetime) -> bool:
    """Note that `staff` saw an alarm; says whether there is such a one."""
    row = Notice.objects.filter(pk=notice).first()
    if row is None:
        return False
    with transaction.atomic():
        NoticeSeen.objects.bulk_create(
            [NoticeSeen(notice_id=row.pk, staff_id=staff.pk, at=now)], ignore_conflicts=True
        )
        record(
            event=EventType.STAFF_NOTICE_SEEN,
            actor=Actor(kind="staff", id=str(staff.pk)),
            now=now,
            resource=f"notice:{row.pk}",
        )
    return True
