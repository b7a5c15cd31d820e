"""What the engine exports of a tenant: events, alerts, daily destinations, groups."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from analytics.actions import daily, groups, ignored
from analytics.actions.alerts import open_alert
from analytics.ingest.echo import events_of
from analytics.ingest.events import KINDS, Kind
from analytics.ingest.times import render_time
from analytics.models import Alert, AlertChange, DestinationSummary, IgnoredFields, Segment
from analytics.series import store
from tenants.exports import Section, leave_out, register

Rows = Iterator[Mapping[str, Any]]
AT_ONCE = 500
"""Ids read at a time; segments themselves, which may have megabytes, are opened one by one."""


def events(kind: Kind, tenant: UUID) -> Rows:
    """Yield a kind's events in the order of their receipt, as ``POST /v1/events/*`` takes them."""
    del tenant
    for row in segments(kind):
        yield from events_of(store.open_segment(row, kind), kind)


def segments(kind: Kind) -> Iterator[Segment]:
    """Yield a kind's segments one by one, inside the tenant's scope."""
    last = UUID(int=0)
    while True:
        rows = Segment.objects.filter(kind=kind.name, id__gt=last).order_by("id")
        ids = list(rows.values_list("id", flat=True)[:AT_ONCE])
        if not ids:
            return
        for each in ids:
            row = Segment.objects.filter(id=each).first()
            if row is not None:  # retention may have taken it, where no snapshot is kept
                yield row
        last = ids[-1]


def alerts(tenant: UUID) -> Rows:
    """Yield the alerts with their explanation and evidence."""
    del tenant
    for row in Alert.objects.order_by("opened_at", "id").iterator(chunk_size=AT_ONCE):
        yield {
            "id": row.id, "detection": row.detection, "severity": row.severity,
            "state": row.state, "day": row.day, "openedAt": row.opened_at,
            "content": msgspec.to_builtins(open_alert(row)),
        }  # fmt: skip


def changes(tenant: UUID) -> Rows:
    """Yield what changed of alerts, in the order in which it is told."""
    del tenant
    for row in AlertChange.objects.order_by("seq", "id").iterator(chunk_size=AT_ONCE):
        yield {
            "id": row.id, "alert": row.alert_id, "kind": row.kind, "severity": row.severity,
            "place": row.seq,
        }  # fmt: skip


def destinations(tenant: UUID) -> Rows:
    """Yield the daily destinations, a line each."""
    del tenant
    days = DestinationSummary.objects.order_by("day").values_list("day", flat=True).distinct()
    for day in days:
        for row in daily.of_day(day).to_pylist():
            yield {
                "day": day,
                **{name: None if value == -1 else value for name, value in row.items()},
                "first": render_time(row["first"]),
                "last": render_time(row["last"]),
            }


def monitoring_groups(tenant: UUID) -> Rows:
    """Yield the groups as ``POST /v1/groups/raw`` takes them, one line."""
    yield msgspec.to_builtins(groups.groups_of(tenant))


def ignored_fields(tenant: UUID) -> Rows:
    """Yield the names of sent fields that no event has, by day and kind, with their counts."""
    del tenant
    days = IgnoredFields.objects.order_by("day").values_list("day", flat=True).distinct()
    for day in days:
        for kind, counts in ignored.ignored_fields(day=day).items():
            yield {"day": day, "kind": kind, "fields": counts}


def fill() -> None:
    """Register this app's sections, and what of it is left out."""
    for kind in KINDS.values():
        name = f"events/{kind.name}"
        register(Section(name=name, tables=("segment",), lines=partial(events, kind)))
    for name, table, lines in (
        ("alerts", "alert", alerts),
        ("alert_changes", "alert_change", changes),
        ("destinations", "destination_summary", destinations),
        ("groups", "monitoring_groups", monitoring_groups),
        ("ignored_fields", "ignored_fields", ignored_fields),
    ):
        register(Section(name=name, tables=(table,), lines=lines))
    leave_out("inbox_part", "requests: events says what took effect, account how many wait")
    leave_out("identity_run", "keyed hashes of events, by which a repetition is known")
    leave_out("alert_sequence", "the last place of alert_changes")
    leave_out("destination_day", "the order in which days were told; destinations has the days")
    leave_out("stream", "how far the events have come: their times say it")
    leave_out("series_window", "counts of events by hour")
    leave_out("evaluation_day", "which days are to be evaluated again")
    leave_out("source_sketch", "an estimate of how many sources a day had, made of keyed hashes")
