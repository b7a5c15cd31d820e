"""``GET /v1/alerts``: what opened or got worse, in an order that a client follows by a bookmark."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics import catalogue
from analytics.actions.alerts import open_alert, previous_id
from analytics.actions.sequencing import EPOCH
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
FROM_THE_START = frozenset({"", "0", "undefined"})
_TOKEN = re.compile(r"(\d{1,9})-([0-9a-z]{1,12})", re.ASCII)  # twelve digits fit 63 bits
_FLOOR = re.compile(r"[0-5]?")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What of the order a request asks for."""

    after: int
    floor: int
    updates: bool = False

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Page":
        """Read the query; unknown parameters are ignored (a compatibility route)."""
        floor = query.get("minSeverity", "")
        if _FLOOR.fullmatch(floor) is None:
            raise Refused("Invalid minSeverity parameter")
        return cls(
            after=place_of(query.get("follow", "")),
            floor=int(floor or 0),
            updates=query.get("updates", "") == "1",
        )


def place_of(token: str) -> int:
    """Return the place that a bookmark names; raise `Refused` for what is none of ours."""
    if token in FROM_THE_START:
        return 0
    match = _TOKEN.fullmatch(token)
    if match is None or int(match[1]) != EPOCH:
        raise Refused("Invalid follow parameter: send the value of an earlier answer, or none.")
    return int(match[2], 36)


def token_of(place: int) -> str:
    """Return the bookmark of a place: ``<epoch>-<place in base 36>``, safe in any URL."""
    digits = ""
    while True:
        place, digit = divmod(place, 36)
        digits = _DIGITS[digit] + digits
        if not place:
            return f"{EPOCH}-{digits}"


class Alerts(APIView):
    """The caller's alerts since a bookmark."""

    scope = Scope.ALERTS
    content_negotiation_class = AlwaysJson

    def get(self, request: Request) -> Response:
        """Answer one page: ``follow``, ``more``, ``alerts``, and the threats that they name."""
        page = Page.of(request.query_params)
        who = caller_of(request)
        tenant = who.tenant
        with tenant_scope(tenant):
            shown, last, more = _read(page)
            while more and not shown:  # a client that is shown nothing keeps its old bookmark
                page = replace(page, after=last)
                shown, last, more = _read(page)
            answer = _rendered(tenant, shown)
            tally(
                event=EventType.ALERTS_POLLED,
                actor=Actor(kind="key", id=who.key),
                tenant=tenant,
                now=timezone.now(),
                calls=1,
                items=len(shown),
            )
        return Response({"follow": token_of(last), "more": more, **answer})


def _read(page: Page) -> tuple[list[Alert], int, bool]:
    """Return a page's alerts in order, the last place that was looked at, and whether more follow.

    Without ``updates`` an alert shows when it opens or gets worse, and only while it stands.
    """
    places, more = _places(page)
    rows = {row.id: row for row in Alert.objects.filter(id__in=places)}
    shown = [
        row
        for identifier in sorted(places, key=places.__getitem__)
        if (row := rows.get(identifier)) is not None  # retention may run at any moment
        and (page.updates or row.state == AlertState.OPEN)
        and row.severity >= page.floor
    ]
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


def _rendered(tenant: UUID, rows: list[Alert]) -> dict[str, Any]:
    contents = [(row, open_alert(row)) for row in rows]
    before = {previous_id(tenant, content, row.day): row.id for row, content in contents}
    standing = set(Alert.objects.filter(id__in=before).values_list("id", flat=True))
    continues = {row: previous for previous, row in before.items() if previous in standing}
    entries = catalogue.threats()
    named = {threat for _, content in contents for threat in content.threats}
    alerts = []
    for row, content in contents:
        alert: dict[str, Any] = {
            "id": str(row.id),
            "eventType": content.kind,
            "event": content.event,
            "threats": content.threats,
            "wisdom": {"flags": content.flags},
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
        if content.labels:
            alert["wisdom"]["labels"] = content.labels
        if content.domain:
            alert["wisdom"]["domain"] = content.domain
        if row.id in continues:
            alert["continues"] = str(continues[row.id])
        alerts.append(alert)
    threats = {
        name: {
            "title": entries[name].title,
            "severity": entries[name].severity,
            **({"policy": True} if entries[name].policy else {}),
        }
        for name in sorted(named)
    }
    return {"alerts": alerts, "threats": threats}
