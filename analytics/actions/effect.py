"""Giving an accepted request its effect, exactly once.

The worker opens the parts, finds which events are new by their identities, seals them into segments
per hour and shard, and then, in one short transaction under the lease's fencing token, adds
segments, identities, counts and the evaluation's schedule, and marks the work done.

Two requests that touch the same hour take turns without waiting for each other: each reads the
hour's identities at some generation and may commit only while it is still that generation. The one
that comes second reads what the first added and decides again; nothing else is computed twice.
"""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
import pyarrow as pa
from django.db import connection
from numpy.typing import NDArray

from analytics.actions.days import ShardDay, add_to_day
from analytics.actions.ignored import add_ignored
from analytics.actions.sources import add_sources
from analytics.ingest import fingerprints as prints_of
from analytics.ingest.batches import addresses_of, times_of
from analytics.ingest.events import KINDS, LEASE, Kind
from analytics.models import IdentityRun, InboxPart, Segment, Stream, Window
from analytics.series import store
from analytics.series.codec import ordered
from analytics.series.contacted import destinations_of
from analytics.series.shards import day_of, day_start, hours_of, moment, shards_of
from analytics.series.store import Multiplicities, WindowKey
from crypto import mac
from destinations.report import Destination
from tenants import keys
from tenants.models import Lease
from tenants.models.work import finish
from tenants.scope import tenant_scope

log = logging.getLogger(__name__)

MAX_TURNS = 20
"""Times that a request decides anew because another was first, before it is given back."""
COMPACT_RUNS = 8
"""Identity runs of one hour before they are merged: reads are linear in runs, merges in rows."""

SORT = {
    "ip": ("srcIP", "destIP", "ts"),
    "dns": ("srcIP", "query", "ts"),
    "http": ("srcIP", "url", "ts"),
    "tls": ("srcIP", "destIP", "sni", "ts"),
    "lease": ("srcIP", "ts"),
}
"""How the rows of a segment lie: like beside like."""


class Overtaken(Exception):  # noqa: N818 -- reads as a fact
    """Another request took effect in the same hour since its identities were read."""

    code = "overtaken"


@dataclass(slots=True)
class Touched:
    """What a request holds for one window, and what the window held when it was read."""

    rows: list[pa.Table] = field(default_factory=list)
    prints: list[NDArray[np.uint64]] = field(default_factory=list)
    ordinals: list[NDArray[np.int64]] = field(default_factory=list)
    generation: int = -1
    runs: list[UUID] = field(default_factory=list)
    known: Multiplicities | None = None
    segments: list[Segment] = field(default_factory=list)
    identities: list[IdentityRun] = field(default_factory=list)
    merged_runs: list[UUID] = field(default_factory=list)
    sources: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, dtype=np.uint64))

    @property
    def events(self) -> int:
        """Events that are new."""
        return sum(segment.rows for segment in self.segments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An accepted request, opened."""

    kind: Kind
    windows: dict[WindowKey, Touched]
    destinations: frozenset[Destination]
    newest: datetime
    ignored: Counter[str]


def take_effect(
    lease: Lease, *, listed: Callable[[frozenset[Destination]], bool], now: datetime
) -> int:
    """Give the leased request its effect; return how many of its events were new.

    ``listed`` answers which of the request's destinations Wisdom knows as listed; it is asked
    outside any transaction. Raises ``LostLease`` when another worker took over.
    """
    request = _open_request(lease)
    if request is None:
        with tenant_scope(lease.tenant):
            finish(lease)
        return 0
    urgent = bool(request.destinations) and listed(request.destinations)
    stale: Collection[WindowKey] = request.windows
    for _ in range(MAX_TURNS):
        _read_identities(lease.tenant, request, stale)
        for window in stale:
            _decide(lease.tenant, window, request, now=now)
        try:
            return _commit(lease, request, urgent=urgent, now=now)
        except Overtaken:
            stale = _overtaken(lease.tenant, request)
    raise Overtaken(f"{MAX_TURNS} turns were not enough")


def _open_request(lease: Lease) -> Request | None:
    """Open the request's parts and sort their rows into windows."""
    with tenant_scope(lease.tenant):
        parts = list(InboxPart.objects.filter(work_id=lease.work).order_by("part"))
    if not parts:
        return None
    kind = KINDS[parts[0].kind]
    key = keys.fingerprint_key(lease.tenant)
    windows: dict[WindowKey, Touched] = {}
    seen: Multiplicities | None = None
    asked: set[Destination] = set()
    newest = 0
    ignored: Counter[str] = Counter()
    for part in parts:
        batch, unknown = store.read_part(part, kind)
        ignored += unknown
        if batch.num_rows != part.events:
            log.warning(
                "of a part of work %s %d events were accepted and %d read",
                lease.work,
                part.events,
                batch.num_rows,
            )
        if not batch.num_rows:
            continue
        prints = prints_of.fingerprints(batch, kind, key=key)
        ordinals = prints_of.ordinals(prints)
        if len(parts) > 1:  # equal events of one request count across its parts
            if seen is not None:
                ordinals += prints_of.earlier(prints, *seen)
            seen = _added(seen, prints_of.multiplicities(prints))
        _sort_into_windows(batch, prints, ordinals, kind, windows, key=key)
        asked |= destinations_of(batch, kind)
        newest = max(newest, int(times_of(batch).max()))
    return Request(
        kind=kind,
        windows=windows,
        destinations=frozenset(asked),
        newest=moment(newest),
        ignored=ignored,
    )


def _added(seen: Multiplicities | None, more: Multiplicities) -> Multiplicities:
    """Add the multiplicities of another part of the same request."""
    if seen is None:
        return more
    prints = np.concatenate((seen[0], more[0]))
    counts = np.concatenate((seen[1], more[1]))
    distinct, inverse = np.unique(prints, return_inverse=True)
    return distinct, np.bincount(inverse, weights=counts).astype(np.uint32)


def _sort_into_windows(
    batch: pa.Table,
    prints: NDArray[np.uint64],
    ordinals: NDArray[np.int64],
    kind: Kind,
    windows: dict[WindowKey, Touched],
    *,
    key: bytes,
) -> None:
    hours, shards = hours_of(times_of(batch)), shards_of(batch, key=key)
    order = np.lexsort((hours, shards))
    changes = np.flatnonzero(
        np.r_[True, (np.diff(hours[order]) != 0) | (np.diff(shards[order]) != 0)]
    )
    for first, last in zip(changes, np.r_[changes[1:], len(order)], strict=True):
        rows = order[first:last]
        window = WindowKey(kind.name, int(shards[rows[0]]), int(hours[rows[0]]))
        touched = windows.setdefault(window, Touched())
        touched.rows.append(batch.take(pa.array(rows)))
        touched.prints.append(prints[rows])
        touched.ordinals.append(ordinals[rows])


def _read_identities(tenant: UUID, request: Request, stale: Collection[WindowKey]) -> None:
    """Read what each window knows, and at which generation: two statements for all of them."""
    where = {
        "kind": request.kind.name,
        "shard__in": {window.shard for window in stale},
        "start__in": {moment(window.start) for window in stale},
    }
    with tenant_scope(tenant):
        generations = {
            (shard, start): generation
            for shard, start, generation in Window.objects.filter(**where).values_list(
                "shard", "start", "generation"
            )
        }
        runs: dict[tuple[int, datetime], list[IdentityRun]] = {}
        for run in IdentityRun.objects.filter(**where).order_by("id") if generations else ():
            runs.setdefault((run.shard, run.start), []).append(run)
        for window in stale:
            touched, place = request.windows[window], (window.shard, moment(window.start))
            touched.generation = generations.get(place, 0)
            touched.runs = [run.id for run in runs.get(place, ())]
            touched.known = store.read_identities(runs.get(place, ()))


def _decide(tenant: UUID, window: WindowKey, request: Request, *, now: datetime) -> None:
    """Seal the rows that are new to a window, and the identities that it gains by them."""
    touched = request.windows[window]
    known = touched.known
    assert known is not None, "identities are read before anything is decided"
    start = moment(window.start)
    touched.segments, touched.identities, touched.merged_runs = [], [], []
    sources = []
    for rows, prints, ordinals in zip(touched.rows, touched.prints, touched.ordinals, strict=True):
        new = ordinals >= prints_of.earlier(prints, *known)
        if not new.any():
            continue
        kept = rows if new.all() else rows.filter(pa.array(new))
        kept = ordered(kept, *SORT[window.kind])
        sources.append(np.unique(addresses_of(kept, "srcIP")))
        touched.segments.append(
            store.seal_segment(
                tenant, window=window, start=start, kind=request.kind, rows=kept, now=now
            )
        )
    key = keys.fingerprint_key(tenant)
    touched.sources = mac.tags64(key, {each.tobytes() for part in sources for each in part})
    prints, counts = prints_of.multiplicities(np.concatenate(touched.prints))
    gained = counts > prints_of.earlier(prints, *known)
    if not gained.any():
        return
    run = (prints[gained], counts[gained])
    if len(touched.runs) >= COMPACT_RUNS:
        run = prints_of.merged([known, run])
        touched.merged_runs = touched.runs
    touched.identities.append(
        store.seal_identities(tenant, window=window, start=start, run=run, now=now)
    )


def _commit(lease: Lease, request: Request, *, urgent: bool, now: datetime) -> int:
    """Make everything effective in one transaction, if nobody was faster and the lease holds."""
    gaining = {
        window: touched
        for window, touched in sorted(request.windows.items())
        if touched.segments or touched.identities
    }
    with tenant_scope(lease.tenant):
        newest = _advance_stream(lease.tenant, request, now=now)
        if gaining:
            _add_to_windows(lease.tenant, request.kind, gaining)
        store.insert([segment for each in gaining.values() for segment in each.segments])
        store.insert([run for each in gaining.values() for run in each.identities])
        merged = [run for touched in gaining.values() for run in touched.merged_runs]
        if merged:
            IdentityRun.objects.filter(id__in=merged).delete()
        add_sources(
            tenant=lease.tenant,
            seen=[(window.shard, touched.sources) for window, touched in gaining.items()],
            now=now,
        )
        add_ignored(
            tenant=lease.tenant,
            kind=request.kind.name,
            day=day_of(now),
            counts=request.ignored,
            now=now,
        )
        for target, since in _days_of(gaining, request.kind).items():
            add_to_day(
                tenant=lease.tenant,
                target=target,
                since=since,
                newest=newest,
                urgent=urgent,
                now=now,
            )
        finish(lease)
    return sum(touched.events for touched in gaining.values())


def _advance_stream(tenant: UUID, request: Request, *, now: datetime) -> datetime:
    """Move the stream's newest event on; return it. The row orders requests of one kind."""
    newest = request.newest.replace(second=0, microsecond=0)
    Stream.objects.bulk_create(
        [Stream(tenant_id=tenant, kind=request.kind.name, newest=newest, received_at=now)],
        ignore_conflicts=True,
    )
    row = Stream.objects.select_for_update().get(kind=request.kind.name)
    row.newest, row.received_at = max(row.newest, newest), now
    row.save(update_fields=["newest", "received_at"])
    return row.newest


def _add_to_windows(tenant: UUID, kind: Kind, gaining: Mapping[WindowKey, Touched]) -> None:
    """Move every window on by one generation, in one statement and in locking order.

    Raises `Overtaken` where one of them is not at the generation that was read.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO series_window (tenant_id, kind, shard, start, generation, events)
            SELECT %s, %s, added.shard, added.start, added.generation, added.events
              FROM unnest(%s::smallint[], %s::timestamptz[], %s::bigint[], %s::bigint[])
                AS added (shard, start, generation, events)
              LEFT JOIN series_window AS there
                ON there.tenant_id = %s AND there.kind = %s
               AND there.shard = added.shard AND there.start = added.start
             WHERE added.generation = 1 OR there.generation IS NOT NULL
             ORDER BY added.shard, added.start
            ON CONFLICT (tenant_id, kind, shard, start) DO UPDATE
               SET generation = excluded.generation,
                   events = series_window.events + excluded.events
             WHERE series_window.generation = excluded.generation - 1
            """,
            [
                tenant,
                kind.name,
                [window.shard for window in gaining],
                [moment(window.start) for window in gaining],
                [touched.generation + 1 for touched in gaining.values()],
                [touched.events for touched in gaining.values()],
                tenant,
                kind.name,
            ],
        )
        if cursor.rowcount != len(gaining):
            raise Overtaken("a window moved on since its identities were read")


def _overtaken(tenant: UUID, request: Request) -> list[WindowKey]:
    """Return the windows that moved on since they were read."""
    with tenant_scope(tenant):
        standing = {
            (shard, start): generation
            for shard, start, generation in Window.objects.filter(
                kind=request.kind.name,
                start__in={moment(window.start) for window in request.windows},
            ).values_list("shard", "start", "generation")
        }
    return [
        window
        for window, touched in request.windows.items()
        if standing.get((window.shard, moment(window.start)), 0) != touched.generation
    ]


def _days_of(gaining: dict[WindowKey, Touched], kind: Kind) -> dict[ShardDay, datetime]:
    """Return each day that gained events, with the oldest hour that did, in locking order.

    A lease names the sources of the next day too.
    """
    days: dict[ShardDay, datetime] = {}
    for window, touched in gaining.items():
        if touched.segments:
            start = moment(window.start)
            target = ShardDay(window.shard, day_of(start))
            days[target] = min(days.get(target, start), start)
    if kind is LEASE:
        for target in list(days):
            after = target.day + timedelta(days=1)
            days.setdefault(ShardDay(target.shard, after), day_start(after))
    return dict(sorted(days.items()))
