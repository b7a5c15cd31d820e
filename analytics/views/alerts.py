"""``GET /v1/alerts``: what opened or got worse, in an order that a client follows by a bookmark."""

import re
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.http import QueryDict
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics import catalogue
from analytics.actions.alerts import open_alert, previous_id
from analytics.actions.bookmarks import place_of, token_of
from analytics.actions.changes import known_place
from analytics.actions.findings import AlertContent
from analytics.models import Alert, AlertChange, AlertState, ChangeKind
from audit.actors import Actor
from audit.events import EventType
from audit.record import tally
from tenants.apikeys import Scope
from tenants.auth import caller_of
from tenants.errors import Refused
from tenants.renderers import AlwaysJson
from tenants.scope import tenant_scope

PAGE = 500
"""Changes of one page: some 2 MB of JSON at the most, a second of a slow link."""
EVENT_TYPES = frozenset({"dns", "http", "ip", "tls"})
"""What an alert's event may be; a lease never alerts."""
MOST_PAGES = 40
"""Pages that one request for some event types opens in vain: the type is sealed with the alert, so
20,000 alerts are opened, some seconds. The bookmark then stands where the looking stopped."""
_FLOOR = re.compile(r"[0-5]?")

Told = tuple[Alert, AlertContent]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What of the order a request asks for."""

    after: int
    floor: int
    types: frozenset[str] = EVENT_TYPES
    updates: bool = False
    every_threat: bool = False

    @classmethod
    def of(cls, query: QueryDict) -> "Page":
        """Read the query; unknown parameters are ignored (a compatibility route)."""
        floor = query.get("minSeverity", "")
        if _FLOOR.fullmatch(floor) is None:
            raise Refused("Invalid minSeverity parameter")
        return cls(
            after=place_of(query.get("follow", "")),
            floor=int(floor or 0),
            types=_types(query.getlist("eventType")),
            updates=query.get("updates", "") == "1",
            every_threat=query.get("threats", "") == "all",
        )


def _types(asked: list[str]) -> frozenset[str]:
    text = ",".join(asked).strip()
    if not text:
        return EVENT_TYPES
    types = frozenset(each.strip() for each in text.split(","))
    if not types <= EVENT_TYPES:
        raise Refused(
            "Invalid eventType parameter: it is dns, http, ip or tls, or several with commas."
        )
    return types


class Alerts(APIView):
    """The caller's alerts since a bookmark."""

    scope = Scope.ALERTS
    content_negotiation_class = AlwaysJson
    http_method_names = ["get", "head"]

    def get(self, request: Request) -> Response:
        """Answer one page: ``follow``, ``more``, ``alerts``, and the threats that they name."""
        page = Page.of(request.query_params)
        who = caller_of(request)
        with tenant_scope(who.tenant):
            shown, last, more = _shown(replace(page, after=known_place(page.after)))
            alerts = _rendered(who.tenant, shown)
            tally(
                event=EventType.ALERTS_POLLED,
                actor=Actor(kind="key", id=who.key),
                tenant=who.tenant,
                now=timezone.now(),
                calls=1,
                items=len(shown),
            )
        threats = _threats(shown, every=page.every_threat)
        return Response(
            {"follow": token_of(last), "more": more, "alerts": alerts, "threats": threats}
        )


def _shown(page: Page) -> tuple[list[Told], int, bool]:
    """Return the first page that shows something, the last place looked at, and if more follow.

    A client that is shown nothing polls again at once, or keeps its old bookmark: it must not be
    told of more.
    """
    shown, last, more = _read(page)
    pages = 1
    while more and not shown:
        if pages >= MOST_PAGES and page.types != EVENT_TYPES:
            return [], last, False
        shown, last, more = _read(replace(page, after=last))
        pages += 1
    return shown, last, more


def _read(page: Page) -> tuple[list[Told], int, bool]:
    """Return a page's alerts in order, the last place that was looked at, and whether more follow.

    Without ``updates`` an alert shows when it opens or gets worse, and only while it stands.
    """
    places, more = _places(page)
    rows = Alert.objects.filter(id__in=places, severity__gte=page.floor)
    if not page.updates:
        rows = rows.filter(state=AlertState.OPEN)
    told = [(row, open_alert(row)) for row in sorted(rows, key=lambda row: places[row.id])]
    shown = [(row, content) for row, content in told if content.kind in page.types]
    return shown, max(places.values(), default=page.after), more


def _places(page: Page) -> tuple[dict[UUID, int], bool]:
    """Return the last place of each alert on the page that is told, and whether more follow."""
    kinds = ChangeKind.values if page.updates else ChangeKind.announced()
    changes = [
        (alert, seq or 0)
        for alert, seq in AlertChange.objects.filter(seq__gt=page.after, kind__in=kinds)
        .order_by("seq")
        .values_list("alert_id", "seq")[: PAGE + 1]
    ]
    return dict(changes[:PAGE]), len(changes) > PAGE


def _rendered(tenant: UUID, told: list[Told]) -> list[dict[str, Any]]:
    before = {previous_id(tenant, content, row.day): row.id for row, content in told}
    standing = set(Alert.objects.filter(id__in=before).values_list("id", flat=True))
    continues = {row: previous for previous, row in before.items() if previous in standing}
    return [_alert(row, content, continues.get(row.id)) for row, content in told]


def _alert(row: Alert, content: AlertContent, continues: UUID | None) -> dict[str, Any]:
    wisdom: dict[str, Any] = {"flags": content.flags}
    if content.labels:
        wisdom["labels"] = content.labels
    if content.domain:
        wisdom["domain"] = content.domain
    alert = {
        "id": str(row.id),
        "eventType": content.kind,
        "event": content.event,
        "threats": content.threats,
        "wisdom": wisdom,
        "state": row.state,
        "detection": content.detection,
        "severity": content.severity,
        "score": content.score,
        "direction": content.direction,
        "day": row.day.isoformat(),
        "count": content.count,
        "explanation": {
            "score": content.score,
            "unit": "hundredths of a point",
            "contributions": content.contributions,
        },
        "evidence": content.evidence,
        "evidenceDigest": content.digest,
        "versions": content.versions,
    }
    if continues is not None:
        alert["continues"] = str(continues)
    return alert


def _threats(told: list[Told], *, every: bool) -> dict[str, dict[str, Any]]:
    """Define every threat that an alert names, or all there are; ``policy`` only where it holds."""
    entries = catalogue.threats()
    names = {threat for _, content in told for threat in content.threats}
    return {
        name: {
            "title": entries[name].title,
            "severity": entries[name].severity,
            **({"policy": True} if entries[name].policy else {}),
        }
        for name in sorted(names | entries.keys() if every else names)
    }
