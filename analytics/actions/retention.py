"""Forgetting: what is past its time is deleted, counted from receipt or, in the inbox, effect."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import F, Sum

from analytics.actions import daily
from analytics.models import (
    Alert,
    IdentityRun,
    IgnoredFields,
    InboxPart,
    Segment,
    SourceSketch,
    Window,
)
from crypto.ids import first_uuid7
from tenants.models import UsageDay, Work, WorkState
from tenants.scope import tenant_scope

INBOX = timedelta(hours=24)
"""After effect (contract): long enough to replay a bad day's deploy."""
IDENTITIES = timedelta(hours=72)
SERIES = timedelta(days=90)
ALERTS = timedelta(days=400)
PARTITIONS_AHEAD = 8
"""Days of partitions made ahead, today included: a week without this task costs nothing."""


def retain(*, tenant: UUID, now: datetime) -> dict[str, int]:
    """Delete a tenant's rows that are past their time; return how many of each kind."""
    done = Work.objects.filter(tenant_id=tenant, state=WorkState.DONE, done_at__lt=now - INBOX)
    finished = list(done.values_list("id", flat=True))
    with tenant_scope(tenant):
        deleted = {
            "inbox": InboxPart.objects.filter(work_id__in=finished).delete()[0],
            "identities": _older(IdentityRun, now - IDENTITIES),
            "series": _forget_series(now - SERIES),
            "destinations": daily.forget(before=now - SERIES),
            "sketches": SourceSketch.objects.filter(day__lt=(now - SERIES).date()).delete()[0],
            "ignored": IgnoredFields.objects.filter(day__lt=(now - SERIES).date()).delete()[0],
            "usage": UsageDay.objects.filter(day__lt=(now - SERIES).date()).delete()[0],
            "alerts": Alert.objects.filter(opened_at__lt=now - ALERTS).delete()[0],
        }
    deleted["work"] = Work.objects.filter(id__in=finished).delete()[0]
    return deleted


def _forget_series(limit: datetime) -> int:
    """Delete segments of earlier days, and take their events off their windows' counts."""
    gone = Segment.objects.filter(id__lt=first_uuid7(limit.date()))
    lost = gone.order_by("kind", "shard", "start").values_list("kind", "shard", "start")
    for kind, shard, start, rows in lost.annotate(lost=Sum("rows")):
        window = Window.objects.filter(kind=kind, shard=shard, start=start)
        window.update(events=F("events") - rows)
    return _older(Segment, limit)


def _older(model: type[IdentityRun] | type[Segment], limit: datetime) -> int:
    """Delete rows whose id, which begins with their time, is of an earlier day."""
    count: int = model.objects.filter(id__lt=first_uuid7(limit.date())).delete()[0]
    return count


def tend_partitions(*, now: datetime) -> tuple[int, int]:
    """Make the next days' partitions and drop empty old ones; return how many of each."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT series_partitions(%s, %s)", [now.date(), PARTITIONS_AHEAD])
        made = cursor.fetchone()[0]
        cursor.execute("SELECT series_drop_empty(%s)", [(now - IDENTITIES).date()])
        dropped = cursor.fetchone()[0]
    return made, dropped
