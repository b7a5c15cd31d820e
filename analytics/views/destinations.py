"""``GET /v1/dailyDestinations``: what the caller's sources contacted, once for each closed UTC day.

No document says what an object holds. Ours has ``day``, ``ts`` (the day's start, for readers that
want a time), ``destination`` (a name or an address), ``kind`` (``name`` or ``address``),
``eventTypes``, ``events``, ``sources`` (distinct ones), ``bytesIn`` and ``bytesOut`` where an event
said any, ``firstSeen`` and ``lastSeen``, and ``flags`` and ``labels`` where the day has an alert
about the destination. ``omitted`` beside the list counts, by day, the destinations that were used
least and are not told.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.actions import daily
from analytics.actions.alerts import open_alert
from analytics.actions.bookmarks import position_of, token_of
from analytics.actions.daily import Position, Told
from analytics.ingest.times import render_time
from analytics.models import Alert, AlertState
from analytics.series.destinations import KINDS
from audit.actors import Actor
from audit.events import EventType
from audit.record import tally
from destinations import addresses
from tenants import keys
from tenants.apikeys import Scope
from tenants.auth import caller_of
from tenants.renderers import AlwaysJson
from tenants.scope import tenant_scope

PAGE = 5_000
"""Destinations of one page: some 1.5 MB of JSON."""
Known = dict[tuple[str, str], tuple[list[str], list[str]]]
"""Flags and labels by day and destination."""


class DailyDestinations(APIView):
    """The destinations of the days that closed since a bookmark."""

    scope = Scope.ALERTS
    content_negotiation_class = AlwaysJson
    http_method_names = ["get", "head"]

    def get(self, request: Request) -> Response:
        """Answer one page: ``destinations``, ``follow`` and ``more``."""
        place, offset = position_of(request.query_params.get("follow", ""))
        who = caller_of(request)
        now = timezone.now()
        with tenant_scope(who.tenant):
            daily.place_days(tenant=who.tenant, now=now)
        with tenant_scope(who.tenant):
            told, position, more = daily.told_after(
                Position(place=place, offset=offset), limit=PAGE
            )
            known = _known(who.tenant, told)
            tally(
                event=EventType.DESTINATIONS_POLLED,
                actor=Actor(kind="key", id=who.key),
                tenant=who.tenant,
                now=now,
                calls=1,
                items=sum(each.destinations.num_rows for each in told),
            )
        answer: dict[str, Any] = {
            "destinations": [
                _shown(each.day.isoformat(), row, known)
                for each in told
                for row in each.destinations.to_pylist()
            ],
            "follow": token_of(position.place, position.offset),
            "more": more,
        }
        omitted = {each.day.isoformat(): each.omitted for each in told if each.omitted}
        if omitted:
            answer["omitted"] = omitted
        return Response(answer)


def _known(tenant: UUID, told: Iterable[Told]) -> Known:
    """Return what the days' standing alerts know of the destinations."""
    days = {each.day for each in told}
    wanted = {
        keys.blind_index(tenant, "destination", name)
        for each in told
        for name in each.destinations.column("destination").to_pylist()
    }
    if not wanted:
        return {}
    known: dict[tuple[str, str], tuple[set[str], set[str]]] = {}
    alerts = Alert.objects.filter(day__in=days, destination_index__in=wanted, state=AlertState.OPEN)
    for row in alerts:
        content = open_alert(row)
        flags, labels = known.setdefault((row.day.isoformat(), content.destination), (set(), set()))
        flags.update(content.flags)
        labels.update(content.labels)
    return {key: (sorted(flags), sorted(labels)) for key, (flags, labels) in known.items()}


def _shown(day: str, row: dict[str, Any], known: Known) -> dict[str, Any]:
    name = row["destination"]
    shown: dict[str, Any] = {
        "day": day,
        "ts": f"{day}T00:00:00Z",
        "destination": name,
        "kind": "address" if _is_address(name) else "name",
        "eventTypes": [kind for kind in KINDS if row[kind]],
        "events": sum(row[kind] for kind in KINDS),
        "sources": row["sources"],
        "firstSeen": render_time(row["first"]),
        "lastSeen": render_time(row["last"]),
    }
    shown |= {each: row[each] for each in ("bytesIn", "bytesOut") if row[each] >= 0}
    flags, labels = known.get((day, name), ([], []))
    if flags:
        shown["flags"] = flags
    if labels:
        shown["labels"] = labels
    return shown


def _is_address(text: str) -> bool:
    try:
        addresses.parse(text)
    except ValueError:
        return False
    return True
