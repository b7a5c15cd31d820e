"""What the engine's reading doors answer, member by member.

The views compose these bodies from sealed rows; a test holds real answers against these types.
"""

from typing import Any, Literal

import msgspec

EventType = Literal["dns", "ip", "http", "tls"]
Severity = int


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A word to the user. ``level`` is 1 (information), 2 (warning) or 3 (error)."""

    level: Literal[1, 2, 3]
    body: str


class KeyTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The key that asked. ``expiresAt`` is null for one without an expiry."""

    id: str
    label: str
    scopes: list[str]
    expiresAt: str | None  # noqa: N815 -- the wire's name


class AccountLimits(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the account may send and what it did today (UTC).

    Without ``eventsPerDay`` a day has no bound.
    """

    plan: str
    requestsPerSecond: float  # noqa: N815 -- the wire's name
    octetsPerSecond: float  # noqa: N815 -- the wire's name
    eventsToday: int  # noqa: N815 -- the wire's name
    eventsPerDay: int = -1  # noqa: N815 -- the wire's name


class AccountStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the key's account.

    ``endpointsSeenToday`` estimates the distinct sources of this UTC day; ``eventsKept`` counts
    stored events by kind, ``ignoredFields`` today's fields that no event has, by kind and name; a
    key without an expiry shows one that is ten years away.
    """

    today: str
    registered: bool
    expired: bool
    expirationDate: str  # noqa: N815 -- the wire's name
    endpointsSeenToday: int  # noqa: N815 -- the wire's name
    messages: list[Message]
    workspaceID: str  # noqa: N815 -- the wire's name
    eventsKept: dict[str, int]  # noqa: N815 -- the wire's name
    ignoredFields: dict[str, dict[str, int]]  # noqa: N815 -- the wire's name
    key: KeyTerms
    limits: AccountLimits


class Contribution(msgspec.Struct, frozen=True, kw_only=True):
    """One addend of a score: what was measured, against what, and what it weighs."""

    feature: str
    value: int | float | str
    baseline: int | float | str
    points: int
    reason: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why an alert scores as it does: ``score`` is the exact sum of the contributions' points."""

    score: int
    unit: str
    contributions: list[Contribution]


class WisdomOfAlert(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of the destination; ``labels`` are ``flag:family``."""

    flags: list[str]
    labels: list[str] = []
    domain: str = ""


class Alert(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One detection about one source and destination on one UTC day.

    ``event`` is the event that shows it best, in normal spelling; ``continues`` names the alert of
    the day before. ``severity`` runs from 1 (informational) to 5 (critical), ``score`` is in
    hundredths of a point.
    """

    id: str
    eventType: EventType  # noqa: N815 -- the wire's name
    event: dict[str, Any]
    threats: list[str]
    wisdom: WisdomOfAlert
    state: str
    detection: str
    severity: Severity
    score: int
    direction: Literal["out", "in", "inside", "transit"]
    day: str
    count: int
    explanation: Explanation
    evidence: dict[str, Any]
    evidenceDigest: str  # noqa: N815 -- the wire's name
    versions: dict[str, str]
    continues: str = ""


class Threat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a threat's id stands for; ``policy`` marks hygiene rather than infection."""

    title: str
    severity: Severity
    policy: bool = False


class Alerts(msgspec.Struct, frozen=True, kw_only=True):
    """A page of alerts; ``threats`` defines every id that they name.

    ``follow`` is where to go on. While ``more`` is true, ask again at once with it.
    """

    follow: str
    more: bool
    alerts: list[Alert]
    threats: dict[str, Threat]


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """A page of changes of alerts, each an OCSF 1.5 Detection Finding (class 2004)."""

    follow: str
    more: bool
    records: list[dict[str, Any]]


class DailyDestination(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One destination's UTC day.

    ``sources`` counts distinct ones; bytes are there where an event said any, flags and labels
    where the day has an alert about the destination.
    """

    day: str
    ts: str
    destination: str
    kind: Literal["name", "address"]
    eventTypes: list[str]  # noqa: N815 -- the wire's name
    events: int
    sources: int
    firstSeen: str  # noqa: N815 -- the wire's name
    lastSeen: str  # noqa: N815 -- the wire's name
    bytesIn: int = -1  # noqa: N815 -- the wire's name
    bytesOut: int = -1  # noqa: N815 -- the wire's name
    flags: list[str] = []
    labels: list[str] = []


class DailyDestinations(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of days' destinations; ``omitted`` counts, by day, those used least, not told."""

    destinations: list[DailyDestination]
    follow: str
    more: bool
    omitted: dict[str, int] = {}


class FlagEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A flag: ``category`` says what a destination is, ``feature`` what is remarkable about it."""

    title: str
    type: Literal["category", "feature"]


class Flags(msgspec.Struct, frozen=True, kw_only=True):
    """Every flag, by name."""

    flags: dict[str, FlagEntry]


class ThreatEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A threat, with ``policy`` said either way."""

    title: str
    severity: Severity
    policy: bool


class Threats(msgspec.Struct, frozen=True, kw_only=True):
    """Every threat, by id; ``version`` is the catalogue's."""

    threats: dict[str, ThreatEntry]
    version: str


class GroupsTaken(msgspec.Struct, frozen=True, kw_only=True):
    """How many groups and entries are in force now."""

    groups: int
    entries: int
