"""Forgetting: what is past its time is deleted, counted from receipt or, in the inbox, effect.

A run deletes in batches, each a transaction of its own that leaves everything consistent, so that
one that was killed is simply run again. When nothing is left past the tenant's terms it says so in
the audit log. Nothing of a tenant under a legal hold is deleted.
"""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import Exists, F, OuterRef
from psycopg.errors import LockNotAvailable

from analytics.actions import daily
from analytics.models import (
    Alert,
    AlertChange,
    EvaluationDay,
    IdentityRun,
    IgnoredFields,
    InboxPart,
    Segment,
    SourceSketch,
    Window,
)
from audit.actors import system
from audit.events import EventType
from audit.record import record
from crypto.ids import first_uuid7
from tenants import holds, repeats, terms
from tenants.models import RetentionRun, TenantModel, UsageDay, Work, WorkState
from tenants.scope import tenant_scope

log = logging.getLogger(__name__)

INBOX = timedelta(hours=24)
"""After effect (contract): long enough to replay a bad day's deploy."""
IDENTITIES = timedelta(hours=72)
SERIES = timedelta(days=terms.SERIES_DAYS)
ALERTS = timedelta(days=terms.ALERTS_DAYS)
BATCH = 2_000
"""Rows deleted in one transaction: tens of megabytes of segments, some hundred milliseconds."""
PARTITIONS_AHEAD = 8
"""Days of partitions made ahead, today included: a week without this task costs nothing."""
DAY = timedelta(days=1)
MILLISECOND = timedelta(milliseconds=1)


def retain(*, tenant: UUID, now: datetime) -> dict[str, int]:
    """Delete a tenant's rows that are past their time; return how many of each kind.

    Leaves a proof in the audit log: the limits, and how many rows this run deleted. A held tenant
    loses nothing, and gets no proof.
    """
    if holds.is_held(tenant):
        return {}
    own = terms.of_tenant(tenant)
    series, alerts = now - own.series, now - own.alerts
    deleted = Counter(retain_inbox(tenant=tenant, now=now))
    deleted["series"] = _forget_series(tenant, series)
    deleted["destinations"] = _in_batches(tenant, lambda: daily.forget(before=series))
    deleted["sketches"] = _delete(tenant, SourceSketch, **_days(series))
    deleted["ignored"] = _delete(tenant, IgnoredFields, **_days(series))
    deleted["usage"] = _delete(tenant, UsageDay, **_days(series))
    deleted["alerts"] = _delete(tenant, Alert, opened_at__lt=alerts)
    deleted["changes"] = _forget_changes(tenant)
    deleted["windows"] = _delete(tenant, Window, events__lte=0, start__lt=series - DAY)
    deleted["days"] = _delete(tenant, EvaluationDay, dirty_since=None, owed=False, **_days(series))
    _prove(tenant, own, deleted, now=now)
    return dict(deleted)


def retain_inbox(*, tenant: UUID, now: datetime) -> dict[str, int]:
    """Delete what is kept for hours: requests that took effect, and identities."""
    if holds.is_held(tenant):
        return {}
    done = Work.objects.filter(tenant_id=tenant, state=WorkState.DONE, done_at__lt=now - INBOX)
    finished = list(done.values_list("id", flat=True))
    deleted = {
        "inbox": _delete(tenant, InboxPart, work_id__in=finished),
        "identities": _delete(tenant, IdentityRun, id__lt=_first_id(now - IDENTITIES)),
    }
    with tenant_scope(tenant):
        kept = set(InboxPart.objects.filter(work_id__in=finished).values_list("work_id", flat=True))
        deleted["repeats"] = repeats.forget(now=now)
    gone = [each for each in finished if each not in kept]  # a hold came between
    deleted["work"] = Work.objects.filter(id__in=gone).delete()[0]
    return deleted


def is_due(*, tenant: UUID, now: datetime) -> bool:
    """Whether the tenant's rows were not all held against their terms on this UTC day yet."""
    with tenant_scope(tenant):
        row = RetentionRun.objects.first()
    return row is None or row.completed_at.astimezone(UTC).date() < now.astimezone(UTC).date()


def _days(limit: datetime) -> dict[str, Any]:
    """Return the filter for rows of a whole day: of a day whose end is past the limit."""
    return {"day__lt": (limit.astimezone(UTC)).date()}


def _delete(tenant: UUID, model: type[TenantModel], **past: Any) -> int:
    """Delete a table's rows past their time, a batch a transaction; return how many."""
    return _in_batches(tenant, lambda: _delete_some(model, past))


def _delete_some(model: type[TenantModel], past: dict[str, Any]) -> int:
    rows = model.objects.filter(**past)
    chosen = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
    if not chosen:
        return 0
    deleted: int = model.objects.filter(pk__in=chosen).delete()[0]
    return deleted


def _forget_series(tenant: UUID, limit: datetime) -> int:
    """Delete segments, and take their events off their windows' counts in the same transaction."""

    def some() -> int:
        chosen = list(
            Segment.objects.filter(id__lt=_first_id(limit))
            .order_by("id")
            .values_list("id", "kind", "shard", "start", "rows")[:BATCH]
        )
        ids = [identifier for identifier, *_ in chosen]
        deleted: int = Segment.objects.filter(id__in=ids).delete()[0] if ids else 0
        if deleted != len(ids):  # a hold came between: nothing was deleted, the counts stay
            return 0
        lost: Counter[tuple[str, int, datetime]] = Counter()
        for _, kind, shard, start, rows in chosen:
            lost[kind, shard, start] += rows
        for (kind, shard, start), rows in sorted(lost.items()):
            window = Window.objects.filter(kind=kind, shard=shard, start=start)
            window.update(events=F("events") - rows)
        return deleted

    return _in_batches(tenant, some)


def _forget_changes(tenant: UUID) -> int:
    """Delete what is told of alerts that are gone."""

    def some() -> int:
        of_none = AlertChange.objects.filter(~Exists(Alert.objects.filter(id=OuterRef("alert_id"))))
        chosen = list(of_none.values_list("id", flat=True)[:BATCH])
        deleted: int = AlertChange.objects.filter(id__in=chosen).delete()[0] if chosen else 0
        return deleted

    return _in_batches(tenant, some)


def _in_batches(tenant: UUID, some: Callable[[], int]) -> int:
    """Repeat a deletion, a transaction each, until it finds nothing; return how many rows went."""
    total = 0
    while True:
        with tenant_scope(tenant):
            deleted = some()
        if not deleted:
            return total
        total += deleted


def _first_id(limit: datetime) -> UUID:
    """Return the smallest UUID version 7 of a moment: what lies below was made before it."""
    midnight = limit.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    since = (limit - midnight) // MILLISECOND
    return UUID(int=first_uuid7(midnight.date()).int + (since << 80))


def _prove(tenant: UUID, own: terms.Terms, deleted: Counter[str], *, now: datetime) -> None:
    """Record that nothing is past the terms, unless a hold was placed during the run."""
    with tenant_scope(tenant):
        if holds.is_held(tenant):
            return
        RetentionRun.objects.bulk_create(
            [RetentionRun(tenant_id=tenant, completed_at=now)],
            update_conflicts=True,
            unique_fields=["tenant_id"],
            update_fields=["completed_at"],
        )
        record(
            event=EventType.RETENTION_APPLIED,
            actor=system("retention"),
            now=now,
            tenant=tenant,
            resource=f"tenant:{tenant}",
            detail={
                "series_before": f"{now - own.series:%Y-%m-%dT%H:%M:%SZ}",
                "alerts_before": f"{now - own.alerts:%Y-%m-%dT%H:%M:%SZ}",
                **{f"rows_{name}": count for name, count in sorted(deleted.items())},
            },
        )


def tend_partitions(*, now: datetime) -> tuple[int, int]:
    """Make the next days' partitions and drop empty old ones; return how many of each.

    A partition that holds a row stays: rows of a held tenant keep theirs, and every other tenant's
    are deleted from it one by one as everywhere (docs/adr/0021). Where a reader is in the way, such
    as an export, both are left to the next run.
    """
    return (
        _tended("SELECT series_partitions(%s, %s)", now.date(), PARTITIONS_AHEAD),
        _tended("SELECT series_drop_empty(%s)", (now - IDENTITIES).date()),
    )


def _tended(statement: str, *values: date | int) -> int:
    """Run one of the owner's functions; 0 where its lock was not had within its two seconds."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
            count: int = cursor.fetchone()[0]
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        log.warning("partitions are being read; they are tended by the next run")
        return 0
    return count
