"""Refreshing on time: a beat's tick claims what is due and hands each feed to a worker."""

from datetime import timedelta

import structlog
from celery import shared_task
from django.utils import timezone

from audit.actors import system
from feeds.actions import refresh_feed
from feeds.models import Feed

LEASE = timedelta(minutes=10)  # longer than any refresh may take, so that no two run at once
QUEUE = "feeds"

log = structlog.get_logger(__name__)


@shared_task(name="feeds.refresh_due", soft_time_limit=50, time_limit=60)
def refresh_due(**_later: object) -> int:
    """Claim every due feed and send it off; the count of claims is the result."""
    now = timezone.now()
    claimed = [
        feed for feed in Feed.objects.due(now=now) if Feed.objects.claim(feed, now=now, lease=LEASE)
    ]
    for feed in claimed:
        refresh.apply_async(kwargs={"feed": str(feed.id)}, queue=QUEUE)
    return len(claimed)


@shared_task(name="feeds.refresh", soft_time_limit=280, time_limit=300)
def refresh(*, feed: str, **_later: object) -> str:
    """Refresh one feed; running twice does no harm. The state is the result."""
    row = Feed.objects.filter(id=feed, enabled=True).first()
    if row is None:
        return "gone"
    done = refresh_feed(feed=row, actor=system("feeds"), reason="due", now=timezone.now())
    log.info("feed", name=done.feed, state=str(done.state), code=done.code, rows=done.rows)
    return str(done.state)
