"""What a tenant's sources contacted, by UTC day.

An evaluation has a shard's day in its hands and leaves the summary behind. A source
lives in one shard, so that the sums over shards are exact, distinct sources included. A day gets
its place in the order when it is over and nothing of it waits; from then on its summary is final
(ADR 11).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import pyarrow as pa
from django.db.models import Max, Sum

from analytics.actions.days import ShardDay
from analytics.models import DestinationDay, DestinationSummary, EvaluationDay
from analytics.series import destinations
from analytics.series.destinations import Summary
from analytics.series.shards import day_of
from tenants import keys

SETTLE = timedelta(hours=3)
"""How long after its end a day is told: sensors rotate files by the hour, and upload them then."""
DAYS_AT_ONCE = 31
"""Days whose places one request looks at."""

summarise = destinations.summarise
"""What an evaluation calls with its tables, by kind; see `analytics.series.destinations`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A stretch of one day's destinations; ``omitted`` counts those that the day does not tell."""

    day: date
    destinations: pa.Table
    omitted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Every day up to ``place`` was told, and ``offset`` destinations of the next."""

    place: int
    offset: int = 0


def prepare(tenant: UUID, *, now: datetime) -> None:
    """Make the key that `store` seals with, outside any transaction."""
    keys.prepare(tenant, keys.SERIES, now=now)


def store(*, tenant: UUID, target: ShardDay, summary: Summary, now: datetime) -> None:
    """Keep what an evaluation saw of a day, unless the day was told.

    Inside the tenant's scope and the transaction that holds the day's `EvaluationDay`.
    """
    if DestinationDay.objects.filter(day=target.day).exists():
        return
    kept = DestinationSummary.objects.filter(day=target.day, shard=target.shard)
    if not summary.table.num_rows:
        kept.delete()
        return
    DestinationSummary.objects.bulk_create(
        [
            DestinationSummary(
                tenant_id=tenant,
                day=target.day,
                shard=target.shard,
                schema=destinations.SCHEMA,
                rows=summary.table.num_rows,
                omitted=summary.omitted,
                stored_at=now,
                sealed=keys.seal(
                    tenant,
                    keys.SERIES,
                    destinations.encode(summary.table),
                    *_context(target.day, target.shard, destinations.SCHEMA),
                    now=now,
                ),
            )
        ],
        update_conflicts=True,
        unique_fields=["tenant_id", "day", "shard"],
        update_fields=["schema", "rows", "omitted", "stored_at", "sealed"],
    )


def place_days(*, tenant: UUID, now: datetime) -> int:
    """Give places to the days that are over and settled; return how many got one.

    Inside the tenant's scope, in a transaction of its own: it holds the days' rows, so that an
    evaluation either left its summary before or finds the day told. Days that somebody adds to at
    this moment get their place at a later call.
    """
    over = day_of(now - SETTLE)  # of this day the end has not settled, of those before it has
    waiting = set(
        DestinationSummary.objects.filter(day__lt=over)
        .exclude(day__in=DestinationDay.objects.values("day"))
        .values_list("day", flat=True)
        .distinct()
    )
    if not waiting:
        return 0
    of_days = EvaluationDay.objects.filter(day__in=waiting)
    held = {
        (row.day, row.shard)
        for row in of_days.order_by("shard", "day").select_for_update(skip_locked=True)
        if row.dirty_since is None
    }
    unsettled = {day for day, shard in of_days.values_list("day", "shard")
                 if (day, shard) not in held}  # fmt: skip
    last = DestinationDay.objects.aggregate(last=Max("place"))["last"] or 0
    placed = [
        DestinationDay(tenant_id=tenant, day=day, place=place)
        for place, day in enumerate(sorted(waiting - unsettled), start=last + 1)
    ]
    # two at once compute the same places: the later waits for the earlier, and gives up the row
    DestinationDay.objects.bulk_create(placed, ignore_conflicts=True)
    return len(placed)


def told_after(position: Position, *, limit: int) -> tuple[list[Told], Position, bool]:
    """Return at most `limit` destinations in order, where the reader stands then, and if more come.

    Inside the tenant's scope. More are never said to come where none is returned.
    """
    while True:
        told, position, more = _stretch(position, limit)
        if told or not more:
            return told, position, more


def _stretch(position: Position, limit: int) -> tuple[list[Told], Position, bool]:
    days = list(
        DestinationDay.objects.filter(place__gt=position.place)
        .order_by("place")
        .values_list("day", "place")[: DAYS_AT_ONCE + 1]
    )
    wanted = _needed(days[:DAYS_AT_ONCE], position.offset + limit)
    summaries: dict[date, list[DestinationSummary]] = {}
    rows = DestinationSummary.objects.filter(day__in=[day for day, _ in wanted]).order_by("shard")
    for row in rows:
        summaries.setdefault(row.day, []).append(row)
    told: list[Told] = []
    for day, place in wanted:
        whole = summaries.get(day, [])
        merged = destinations.merged([_opened(row) for row in whole])
        left = limit - sum(each.destinations.num_rows for each in told)
        piece = merged.slice(position.offset, left)
        if piece.num_rows:
            omitted = sum(row.omitted for row in whole)
            told.append(Told(day=day, destinations=piece, omitted=omitted))
        end = position.offset + piece.num_rows
        if end < merged.num_rows:
            return told, Position(place=place - 1, offset=end), True
        position = Position(place=place)
    return told, position, len(days) > len(wanted)


def _needed(days: list[tuple[date, int]], rows: int) -> list[tuple[date, int]]:
    """Return the first days that have so many rows between them: no more are opened."""
    counts = dict(
        DestinationSummary.objects.filter(day__in=[day for day, _ in days])
        .order_by()
        .values_list("day")
        .annotate(rows=Sum("rows"))
    )
    needed = []
    for day, place in days:
        if rows <= 0:
            break
        needed.append((day, place))
        rows -= counts.get(day, 0)
    return needed


def of_day(day: date) -> pa.Table:
    """Return a day's destinations, told or not, inside the tenant's scope."""
    rows = DestinationSummary.objects.filter(day=day).order_by("shard")
    return destinations.merged([_opened(row) for row in rows])


def forget(*, before: datetime) -> int:
    """Delete summaries that were stored earlier, inside the tenant's scope; return how many.

    A day's place stays: late rows of a day that was told must not tell it again.
    """
    deleted: int = DestinationSummary.objects.filter(stored_at__lt=before).delete()[0]
    return deleted


def _opened(row: DestinationSummary) -> pa.Table:
    plain = keys.unseal(
        row.tenant_id,
        keys.SERIES,
        bytes(row.sealed),
        *_context(row.day, row.shard, row.schema),
    )
    return destinations.decode(plain)


def _context(day: date, shard: int, schema: int) -> tuple[str | int, ...]:
    return "destination_summary", day.isoformat(), shard, schema
