"""Evaluating a day: read its rows, look, ask Wisdom, and make the alerts what was found."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pyarrow as pa
from django.conf import settings

from analytics.actions import alerts, daily, groups
from analytics.actions.days import ShardDay, schedule_again
from analytics.actions.findings import (
    AlertContent,
    Found,
    content_of,
    find_in_connections,
)
from analytics.actions.named import COLUMNS as NAMED_COLUMNS, find_named
from analytics.ingest.echo import event_of
from analytics.ingest.events import DNS, HTTP, IP, LEASE, TLS, Kind
from analytics.models import EvaluationDay, Segment
from analytics.series import codec, store
from analytics.series.destinations import Summary
from analytics.series.leases import COLUMNS as LEASE_COLUMNS, Leases
from analytics.series.pairs import COLUMNS
from analytics.series.shards import day_start
from analytics.wisdom_client import Answer
from destinations.networks import DEFAULT_HOME, Networks
from destinations.report import Destination
from tenants import keys, offers
from tenants.models import Lease
from tenants.models.work import finish
from tenants.scope import tenant_scope

log = logging.getLogger(__name__)

SEQUENCE_QUEUE = "sequence"
OWED_RETRY = timedelta(seconds=60)
"""When a day is evaluated again because Wisdom did not answer all of it."""
LEASES_BACK = timedelta(days=1)
"""How long before a day a lease may have begun that still names its sources: servers renew at half
of a lease, and most leases are of a day at most. The day after a lease is evaluated again too."""


Wisdom = Callable[[frozenset[Destination]], Answer]
"""Answers within seconds; what it could not answer is owed."""


class _Asked:
    """Collects the answers of one evaluation, and what is owed to it."""

    def __init__(self, wisdom: Wisdom) -> None:
        self._wisdom = wisdom
        self.owed = False

    def __call__(self, destinations: frozenset[Destination]) -> Any:
        answer = self._wisdom(destinations)
        self.owed = self.owed or bool(answer.owed)
        return answer.reports


def home_networks() -> Networks:
    """Return the networks that direction is judged by where the sensor says nothing."""
    return Networks.of(settings.HOME_NETWORKS) if settings.HOME_NETWORKS else DEFAULT_HOME


def evaluate_day(lease: Lease, *, wisdom: Wisdom, now: datetime) -> int:
    """Evaluate the day that the leased work stands for; return how many alerts changed.

    The rows are read and Wisdom is asked outside the transaction that commits. An evaluation that
    saw less than one that committed meanwhile changes nothing.
    """
    target, generation = _target(lease)
    if target is None:  # the day was evaluated under a later row of work
        with tenant_scope(lease.tenant):
            finish(lease)
        return 0
    asked = _Asked(wisdom)
    seen = _look(lease.tenant, target, asked)
    if seen.contents:
        keys.prepare(lease.tenant, keys.FINDINGS, now=now)
    daily.prepare(lease.tenant, now=now)
    with tenant_scope(lease.tenant):
        row = EvaluationDay.objects.select_for_update().get(shard=target.shard, day=target.day)
        changed = 0
        if row.evaluated <= generation:
            changed = alerts.reconcile(
                tenant=lease.tenant,
                target=target,
                contents=seen.contents,
                whole=not asked.owed,
                now=now,
            )
            daily.store(tenant=lease.tenant, target=target, summary=seen.summary, now=now)
            row.evaluated = generation
            row.owed = asked.owed
            if row.generation == generation:
                row.dirty_since = None
                if asked.owed:
                    schedule_again(tenant=lease.tenant, row=row, due_at=now + OWED_RETRY, now=now)
            row.save(update_fields=["evaluated", "owed", "dirty_since", "work_id"])
        if changed:
            offers.add_work(
                tenant=lease.tenant, queue=SEQUENCE_QUEUE, due_at=now, events=changed, now=now
            )
        finish(lease)
    return changed


def _target(lease: Lease) -> tuple[ShardDay | None, int]:
    with tenant_scope(lease.tenant):
        row = EvaluationDay.objects.filter(work_id=lease.work).first()
    if row is None:
        return None, 0
    return ShardDay(row.shard, row.day), row.generation


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What a look at a day gives: the alerts' contents, and what was contacted."""

    contents: list[AlertContent]
    summary: Summary


def _look(tenant: UUID, target: ShardDay, asked: _Asked) -> _Seen:
    home = home_networks()
    with tenant_scope(tenant):
        connections = _Rows(IP, target, COLUMNS)
        named = [_Rows(kind, target, NAMED_COLUMNS[kind.name]) for kind in (DNS, TLS, HTTP)]
    found: list[tuple[_Rows, list[Found]]] = []
    if connections.table.num_rows:
        here = find_in_connections(connections.table, home=home, ask=asked)
        found.append((connections, here))
    found += [
        (rows, find_named(rows.table, rows.kind, home=home, ask=asked))
        for rows in named
        if rows.table.num_rows
    ]
    summary = daily.summarise({rows.kind.name: rows.table for rows in (connections, *named)})
    if not any(here for _, here in found):
        return _Seen(contents=[], summary=summary)
    with tenant_scope(tenant):
        leases = Leases(_Rows(LEASE, target, LEASE_COLUMNS, back=LEASES_BACK).table)
        scoping = groups.scoping_of(tenant)
    contents = strongest([each for rows, here in found for each in rows.contents(here, leases)])
    return _Seen(contents=groups.in_scope(contents, scoping), summary=summary)


def strongest(contents: list[AlertContent]) -> list[AlertContent]:
    """Return one content of each alert: a name that was asked and then visited is one contact."""
    chosen: dict[tuple[str, str, str], AlertContent] = {}
    for content in contents:
        place = (content.detection, content.source, content.destination)
        standing = chosen.get(place)
        if standing is None or _strength(content) >= _strength(standing):
            chosen[place] = content
    return list(chosen.values())


def _strength(content: AlertContent) -> tuple[int, int, int]:
    return content.severity, content.score, KIND_ORDER.index(content.kind)


KIND_ORDER = ("dns", "ip", "tls", "http")
"""Kinds by how much their events tell of a contact."""


class _Rows:
    """One day's rows of one kind, a few columns of them, and the way back to whole events."""

    def __init__(
        self,
        kind: Kind,
        target: ShardDay,
        columns: tuple[str, ...],
        *,
        back: timedelta = timedelta(0),
    ) -> None:
        first = day_start(target.day)
        self.kind = kind
        self.segments = list(
            Segment.objects.filter(
                kind=kind.name,
                shard=target.shard,
                start__gte=first - back,
                start__lt=first + timedelta(days=1),
            ).order_by("id")
        )
        tables = [store.open_segment(each, kind, columns=columns) for each in self.segments]
        empty = codec.decode(codec.encode(kind.schema.empty_table(), kind), kind, columns=columns)
        self.table = pa.concat_tables([*tables, empty]).combine_chunks()

    def contents(self, found: list[Found], leases: Leases) -> list[AlertContent]:
        """Return the alerts' contents, each with the event that shows it best.

        What the event does not say of its source is taken from the lease of its time.
        """
        starts, total = [], 0
        for segment in self.segments:
            starts.append(total)
            total += segment.rows
        whole: dict[int, pa.Table] = {}
        contents = []
        for each in found:
            number = max(at for at, start in enumerate(starts) if start <= each.row)
            if number not in whole:
                whole[number] = store.open_segment(self.segments[number], self.kind)
            row = each.row - starts[number]
            source = whole[number].column("srcIP")[row].as_py()
            names = leases.at(source, whole[number].column("ts")[row].as_py())
            event = names | event_of(whole[number], row, self.kind)
            contents.append(content_of(each, event))
        return contents
