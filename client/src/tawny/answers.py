"""What the service answers, as values; fields it adds later are ignored, ``raw`` keeps them."""

from typing import Any, TypeAlias

import msgspec

POINT = 100  # the service counts in hundredths of a point, so that they add up exactly

Plain: TypeAlias = int | float | str | None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of events; received = accepted + the sum of ``rejected``."""

    received: int
    accepted: int
    rejected: dict[str, int] = {}

    def __add__(self, other: "Receipt") -> "Receipt":
        """Add the receipt of another request."""
        rejected = dict(self.rejected)
        for reason, count in other.rejected.items():
            rejected[reason] = rejected.get(reason, 0) + count
        return Receipt(
            received=self.received + other.received,
            accepted=self.accepted + other.accepted,
            rejected=rejected,
        )


class Threat(msgspec.Struct, frozen=True, kw_only=True):
    """What an alert's threat id means; ``severity`` runs from 0 to 5."""

    title: str = ""
    severity: int = 0
    policy: bool = False


class Flag(msgspec.Struct, frozen=True, kw_only=True):
    """What a flag of a destination means; ``type`` is ``category`` or ``feature``."""

    title: str = ""
    type: str = ""


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
    ``continues`` is the id of the day before's alert. ``title`` names the threats, the most severe
    first. ``raw`` is the JSON as the service sent it.
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
    title: str = ""
    raw: msgspec.Raw = msgspec.Raw()


class AlertPage(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of ``GET /v1/alerts``; ``follow`` is where the next one starts."""

    follow: str
    more: bool
    alerts: list[Alert]
    threats: dict[str, Threat]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One OCSF Detection Finding (class 2004); ``raw`` is the JSON as the service sent it.

    ``severity_id`` runs from 0 to 6, ``time`` counts milliseconds (seconds where the service was
    asked so) of the epoch. ``finding_info`` holds ``uid`` and ``title``.
    """

    class_uid: int = 0
    time: int | float = 0
    severity_id: int = 0
    message: str = ""
    finding_info: dict[str, Any] = {}
    raw: msgspec.Raw = msgspec.Raw()


class FindingPage(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of ``GET /v1/findings``; ``follow`` is where the next one starts."""

    follow: str
    more: bool
    records: list[Finding]


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One addend of a destination's score: which ``source`` says what; points in hundredths.

    Times are RFC 3339 text or empty; ``as_of`` is the date of the source's list.
    """

    source: str = ""
    title: str = ""
    kind: str = ""
    points: int = 0
    flag: str = ""
    indicator: str = ""
    family: str = ""
    first_seen: str | None = None
    last_seen: str | None = None
    as_of: str | None = None
    reference: str = ""


class Lookup(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one destination; ``score`` is in hundredths of a point, 0 to 10,000.

    ``labels`` are ``flag:family``, ``domain`` is the registered domain of a name, ``ttl`` the
    seconds for which this holds, ``note`` what else there is to say. ``score`` is None where the
    service gives flags only. ``raw`` is the JSON as the service sent it.
    """

    flags: list[str]
    labels: list[str] = []
    domain: str = ""
    score: int | None = None
    verdict: str = ""
    reasons: list[Reason] = []
    ttl: int = 0
    note: str = ""
    raw: msgspec.Raw = msgspec.Raw()


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A notice of the service to its customer; level 1 informs, 2 warns, 3 is an error."""

    level: int = 1
    body: str = ""


class KeyStatus(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The key that asked: its public id, its owner's label, what it may do and until when."""

    id: str = ""
    label: str = ""
    scopes: list[str] | None = None
    expires_at: str | None = None


class Status(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The account that the key belongs to; ``today`` is the service's clock, RFC 3339.

    ``events_kept`` counts the events of each kind that are stored now. Members that a service does
    not give have their defaults.
    """

    registered: bool = False
    expired: bool = False
    today: str = ""
    expiration_date: str | None = None
    endpoints_seen_today: int = 0
    messages: list[Message] = []
    workspace_id: str = msgspec.field(default="", name="workspaceID")
    key: KeyStatus | None = None
    events_kept: dict[str, int] = {}


class _AlertPage(msgspec.Struct, frozen=True, kw_only=True):
    follow: str
    more: bool
    alerts: list[msgspec.Raw]
    threats: dict[str, Threat] = {}


class _FindingPage(msgspec.Struct, frozen=True, kw_only=True):
    follow: str
    more: bool
    records: list[msgspec.Raw]


class _Flags(msgspec.Struct, frozen=True, kw_only=True):
    flags: dict[str, Flag]


class _Threats(msgspec.Struct, frozen=True, kw_only=True):
    threats: dict[str, Threat]


_alert_page = msgspec.json.Decoder(_AlertPage)
_alert = msgspec.json.Decoder(Alert)
_finding_page = msgspec.json.Decoder(_FindingPage)
_finding = msgspec.json.Decoder(Finding)
_lookup = msgspec.json.Decoder(Lookup)

receipt = msgspec.json.Decoder(Receipt).decode
status = msgspec.json.Decoder(Status).decode


def alert_page(body: bytes) -> AlertPage:
    """Decode a page of alerts; ``msgspec.DecodeError`` if it is none."""
    page = _alert_page.decode(body)
    alerts = [_titled(_alert.decode(raw), raw, page.threats) for raw in page.alerts]
    return AlertPage(follow=page.follow, more=page.more, alerts=alerts, threats=page.threats)


def _titled(alert: Alert, raw: msgspec.Raw, threats: dict[str, Threat]) -> Alert:
    known = [threats.get(threat, Threat(title=threat)) for threat in alert.threats]
    known.sort(key=lambda threat: -threat.severity)
    title = ", ".join(threat.title for threat in known)
    return msgspec.structs.replace(alert, title=title or alert.detection, raw=raw.copy())


def finding_page(body: bytes) -> FindingPage:
    """Decode a page of findings; ``msgspec.DecodeError`` if it is none."""
    page = _finding_page.decode(body)
    records = [
        msgspec.structs.replace(_finding.decode(raw), raw=raw.copy()) for raw in page.records
    ]
    return FindingPage(follow=page.follow, more=page.more, records=records)


def lookup(body: bytes) -> Lookup:
    """Decode what is known of a destination; ``msgspec.DecodeError`` if it is something else."""
    return msgspec.structs.replace(_lookup.decode(body), raw=msgspec.Raw(body))


def flags(body: bytes) -> dict[str, Flag]:
    """Decode the inventory of flags, by name; ``msgspec.DecodeError`` if it is none."""
    return msgspec.json.decode(body, type=_Flags).flags


def threats(body: bytes) -> dict[str, Threat]:
    """Decode the inventory of threats, by id; ``msgspec.DecodeError`` if it is none."""
    return msgspec.json.decode(body, type=_Threats).threats
