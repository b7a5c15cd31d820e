"""What the service answers, as values; fields it adds later are ignored, ``raw`` keeps them."""

from typing import Any, TypeAlias

import msgspec

POINT = 100  # the service counts in hundredths of a point, so that they add up exactly

Plain: TypeAlias = int | float | str | None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one request's events; received = accepted + the sum of ``rejected``."""

    received: int
    accepted: int
    rejected: dict[str, int] = {}


class Threat(msgspec.Struct, frozen=True, kw_only=True):
    """What an alert's threat id means; ``severity`` runs from 0 to 5."""

    title: str = ""
    severity: int = 0
    policy: bool = False


class Contribution(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a score: a feature's value beside what is usual; points in hundredths."""

    feature: str = ""
    value: Plain = None
    baseline: Plain = None
    points: int = 0
    reason: str = ""


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What a score is made of; in hundredths of a point, the contributions add up to it."""

    score: int = 0
    unit: str = ""
    contributions: list[Contribution] = []


class Alert(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One alert: a day's ``count`` events of one source and destination, with one to show for them.

    ``severity`` runs from 0 to 5, ``score`` is in hundredths of a point, ``day`` is a UTC date.
    ``continues`` is the id of the day before's alert. ``raw`` is the JSON as the service sent it.
    """

    id: str = ""
    event_type: str = ""
    event: dict[str, Any] = {}
    threats: list[str] = []
    severity: int = 0
    score: int = 0
    direction: str = ""
    detection: str = ""
    day: str = ""
    count: int = 0
    explanation: Explanation = Explanation()
    evidence: dict[str, Any] = {}
    wisdom: dict[str, Any] = {}
    continues: str | None = None
    raw: msgspec.Raw = msgspec.Raw()


class AlertPage(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of ``GET /v1/alerts``; ``follow`` is where the next one starts."""

    follow: str
    more: bool
    alerts: list[Alert]
    threats: dict[str, Threat]

    def title(self, alert: Alert) -> str:
        """Name the alert's threats, the most severe first."""
        known = [self.threats.get(threat, Threat(title=threat)) for threat in alert.threats]
        known.sort(key=lambda threat: -threat.severity)
        return ", ".join(threat.title for threat in known)


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A notice of the service to its customer; level 1 informs, 2 warns, 3 is an error."""

    level: int = 1
    body: str = ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The account that the key belongs to; ``today`` is the service's clock, RFC 3339."""

    registered: bool = False
    expired: bool = False
    today: str = ""
    expiration_date: str | None = msgspec.field(default=None, name="expirationDate")
    endpoints_seen_today: int = msgspec.field(default=0, name="endpointsSeenToday")
    messages: list[Message] = []
    workspace_id: str = msgspec.field(default="", name="workspaceID")


class _Page(msgspec.Struct, frozen=True, kw_only=True):
    follow: str
    more: bool
    alerts: list[msgspec.Raw]
    threats: dict[str, Threat] = {}


_page = msgspec.json.Decoder(_Page)
_alert = msgspec.json.Decoder(Alert)


def alert_page(body: bytes) -> AlertPage:
    """Decode a page of alerts; ``msgspec.DecodeError`` if it is none."""
    page = _page.decode(body)
    alerts = [msgspec.structs.replace(_alert.decode(raw), raw=raw.copy()) for raw in page.alerts]
    return AlertPage(follow=page.follow, more=page.more, alerts=alerts, threats=page.threats)
