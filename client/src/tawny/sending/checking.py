"""Maps logs without sending anything, and finds what would leave the service blind."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BufferedReader
from typing import Any

import msgspec

from tawny.formats.detection import HEAD_BYTES, detect
from tawny.formats.events import EVENTS, Event, IpEvent, Kind, kind_of
from tawny.formats.parsing import LogParser, Sample, Tally
from tawny.sending.sources import Damaged, Source, pieces

AHEAD_SECONDS = 60  # a clock that is further ahead than this is wrong, not only unlike ours
OLD_DAYS = 28  # a sensor sends what happens; who sends older events should know that he does
IDS_KEPT = 2_000_000  # ids of sessions among which equal ones are looked for: some 200 MB
SAMPLES_OF_REASON = 3

_TO_THE_SECOND = len("2026-01-01T00:00:00")

NEEDED: dict[Kind, tuple[tuple[str, str], ...]] = {
    "ip": (
        ("duration", "long sessions"),
        ("bytes_out", "outbound volume, exfiltration"),
        ("bytes_in", "volume"),
        ("conn_state", "failed contacts, port scans"),
        ("dest_port", "port scans, unusual ports"),
        ("ja3", "sessions by the client's fingerprint"),
        ("host", "listed names that are reached without a question"),
    ),
    "dns": (
        ("query", "everything about names"),
        ("qtype", "DNS tunnels"),
        ("answers", "listed addresses behind a name"),
        ("rcode", "names that do not exist"),
    ),
    "http": (
        ("url", "listed addresses of pages"),
        ("user_agent", "unusual programs"),
        ("host", "listed names"),
    ),
    "tls": (
        ("sni", "listed names"),
        ("cert_hash", "listed certificates"),
        ("ja3", "fingerprints of clients"),
    ),
    "lease": (("src_host", "which host had an address"),),
}
"""What detections look at in each kind of event, and what they are blind to without it."""


_WIRE_NAMES = {
    kind: {each.name: each.encode_name for each in msgspec.structs.fields(event)}
    for kind, event in EVENTS.items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFile:
    """One file: the format it begins as (None: none of ours) and its rows."""

    name: str
    begins_as: str | None
    foreign: bool
    mapped: int
    malformed: int
    skipped: int

    @property
    def share(self) -> float:
        """The rows that became events, of those that should have."""
        rows = self.mapped + self.malformed
        return self.mapped / rows if rows else float(not self.foreign)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A row that cannot be mapped, and why."""

    file: str
    reason: str
    sample: Sample


@dataclass(slots=True, kw_only=True)
class Check:
    """What was found; ``now`` is this machine's clock.

    ``events`` counts by kind, ``ahead`` those after now and ``old`` those of more than ``OLD_DAYS``
    ago. ``set_fields`` counts the events of a kind that have a field of ``NEEDED``. ``repeated``
    counts the ip events whose connID an earlier one had.
    """

    now: datetime
    files: list[CheckedFile] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    damaged: dict[str, str] = field(default_factory=dict)
    clockless: list[str] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    events: Counter[Kind] = field(default_factory=Counter)
    ahead: int = 0
    old: int = 0
    repeated: int = 0
    set_fields: Counter[tuple[Kind, str]] = field(default_factory=Counter)
    _ids: set[str] = field(default_factory=set)

    def look(self, events: Iterable[Event]) -> None:
        """Take events into account."""
        late = _text(self.now + timedelta(seconds=AHEAD_SECONDS))
        early = _text(self.now - timedelta(days=OLD_DAYS))
        for event in events:
            kind = kind_of(event)
            self.events[kind] += 1
            second = event.ts[:_TO_THE_SECOND]
            self.ahead += second > late
            self.old += second < early
            for name, _ in NEEDED[kind]:
                if getattr(event, name) is not None:
                    self.set_fields[kind, name] += 1
            if isinstance(event, IpEvent) and event.conn_id is not None:
                self._see(event.conn_id)

    def _see(self, conn_id: str) -> None:
        if conn_id in self._ids:
            self.repeated += 1
        elif len(self._ids) < IDS_KEPT:
            self._ids.add(conn_id)

    @property
    def skew(self) -> timedelta | None:
        """How far the newest event is ahead of now; negative where it is behind."""
        if not self.tally.last:
            return None
        newest = max(self.tally.last.values())[:_TO_THE_SECOND]
        return datetime.fromisoformat(f"{newest}+00:00") - self.now

    @property
    def blind(self) -> list[tuple[Kind, str, str]]:
        """The API's fields that no event of their kind has, and what cannot be seen without."""
        return [
            (kind, _WIRE_NAMES[kind][name], what)
            for kind, needed in NEEDED.items()
            if self.events[kind]
            for name, what in needed
            if not self.set_fields[kind, name]
        ]

    @property
    def share(self) -> float:
        """The rows that became events, of those that should have."""
        mapped = self.tally.mapped.total()
        rows = mapped + self.tally.malformed.total()
        return mapped / rows if rows else 0.0

    @property
    def good(self) -> bool:
        """True where there are events, and every row that should be one is."""
        return bool(self.events) and not self.tally.reasons and not self.damaged


def check_logs(
    sources: Iterable[Source],
    *,
    parser: Callable[[str], LogParser],
    began: Callable[[Source], None],
    read: Callable[[int], None],
    stdin: "BufferedReader[Any]",
    now: datetime,
) -> Check:
    """Map every log; ``began`` and ``read`` are told how far it has come."""
    check = Check(now=now.astimezone(UTC))
    for source in sources:
        began(source)
        log = parser(source.name)
        head = b""
        try:
            for piece in pieces(source, stdin=stdin, read=read):
                head += piece[: HEAD_BYTES - len(head)]
                check.look(log.feed(piece))
                if log.foreign:
                    break
        except Damaged as error:
            check.damaged[source.label] = str(error)
        check.look(log.finish())
        _enter(check, source, log, begins_as=detect(head, source.name))
    return check


def _enter(check: Check, source: Source, log: LogParser, *, begins_as: str | None) -> None:
    tally = log.tally
    check.files.append(
        CheckedFile(
            name=source.label,
            begins_as=begins_as,
            foreign=log.foreign,
            mapped=tally.mapped.total(),
            malformed=tally.malformed.total(),
            skipped=tally.skipped.total(),
        )
    )
    check.tally.add(tally)
    if log.clockless:
        check.clockless.append(source.label)
    known = Counter(refused.reason for refused in check.refused)
    check.refused += [
        Refused(file=source.label, reason=reason, sample=sample)
        for reason, sample in tally.samples.items()
        if known[reason] < SAMPLES_OF_REASON
    ]


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S")
