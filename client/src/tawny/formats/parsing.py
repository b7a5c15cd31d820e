"""What every log format offers: feed bytes, take events, read the tally."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from tawny.formats.events import KINDS, Event, Kind

SAMPLE_CHARACTERS = 200  # enough to find the row, little enough for a terminal

ALL_LOOKED_AT = 64
"""Events of a log whose fields are all looked at; after them every ``LOOK_AT``-th, which is enough
to tell a field that is missing and costs a sixteenth."""

LOOK_AT = 16

_OPTIONAL: dict[type[Event], tuple[tuple[str, str], ...]] = {
    event: tuple(
        (each.name, each.encode_name) for each in msgspec.structs.fields(event) if not each.required
    )
    for event in KINDS
}


class Unmappable(ValueError):  # noqa: N818 -- a state of the row, counted and gone on from
    """A row that cannot become an event; ``reason`` is one of the server's rejection reasons."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Skipped(Exception):  # noqa: N818 -- a state of the row, counted and gone on from
    """A good row that is no event: nothing was asked, no bytes went, no address was given."""


class Lent(Skipped):
    """A row that is no event itself and gave its fields to an event of another row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A row that was refused: the kind of its log, its line (from 1) and how it begins."""

    log: str
    line_number: int
    text: str


@dataclass(slots=True, kw_only=True)
class Tally:
    """Rows counted by the log kind they came from; read = mapped + malformed + skipped for each.

    ``skipped`` counts the rows that are no event: of kinds that have none here, and of the others
    those that the mapping passes over; ``joined`` says how many of them gave their fields to an
    event of another row. ``reasons`` counts the malformed ones, ``samples`` keeps the first of each
    reason. ``headers`` and ``blank`` are the lines that are no row, so that all of these together
    are the lines of the file; in a format without lines a value counts in place of a line.

    ``events`` counts what the rows became (a row of several questions is several events) and
    ``fields`` which optional fields were set in the ``looked_at`` of them; ``first`` and ``last``
    are the smallest and the largest time of each kind of event, to the second.
    """

    mapped: Counter[str] = field(default_factory=Counter)
    malformed: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    joined: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    samples: dict[str, Sample] = field(default_factory=dict)
    headers: int = 0
    blank: int = 0
    events: Counter[str] = field(default_factory=Counter)
    looked_at: Counter[str] = field(default_factory=Counter)
    fields: dict[str, Counter[str]] = field(default_factory=dict)
    first: dict[Kind, str] = field(default_factory=dict)
    last: dict[Kind, str] = field(default_factory=dict)

    @property
    def lines(self) -> int:
        """Every line that was read: rows, headers and blank ones."""
        rows = self.mapped.total() + self.malformed.total() + self.skipped.total()
        return rows + self.headers + self.blank

    def refuse(self, log: str, reason: str, *, line_number: int = 0, text: str = "") -> None:
        """Count one row of ``log`` that could not be mapped."""
        self.malformed[log] += 1
        self.reasons[reason] += 1
        if reason not in self.samples:
            self.samples[reason] = Sample(
                log=log, line_number=line_number, text=text[:SAMPLE_CHARACTERS]
            )

    def skip(self, log: str, *, lent: bool = False) -> None:
        """Count one row of ``log`` that is no event."""
        self.skipped[log] += 1
        if lent:
            self.joined[log] += 1

    def observe(self, log: str, events: Sequence[Event]) -> None:
        """Enter events of one kind that rows of ``log`` became, in their order."""
        if not events:
            return
        kind = KINDS[type(events[0])]
        times = [event.ts for event in events]
        self._stretch(kind, min(times), max(times))
        seen = self.events[log]
        self.events[log] = seen + len(events)
        sparse = max(0, ALL_LOOKED_AT - seen)  # from here on some are passed over
        looked = [*events[:sparse], *events[sparse + -(seen + sparse) % LOOK_AT :: LOOK_AT]]
        if not looked:
            return
        self.looked_at[log] += len(looked)
        fields = self.fields.setdefault(log, Counter())
        for attribute, name in _OPTIONAL[type(events[0])]:
            unset = [getattr(event, attribute) for event in looked].count(None)
            if unset < len(looked):
                fields[name] += len(looked) - unset

    def _stretch(self, kind: Kind, first: str, last: str) -> None:
        self.first[kind] = min(self.first.get(kind, first), first)
        self.last[kind] = max(self.last.get(kind, last), last)

    def add(self, other: "Tally") -> None:
        """Add another tally's counts to this one; of samples of one reason the first is kept."""
        self.mapped.update(other.mapped)
        self.malformed.update(other.malformed)
        self.skipped.update(other.skipped)
        self.joined.update(other.joined)
        self.reasons.update(other.reasons)
        self.samples = other.samples | self.samples
        self.headers += other.headers
        self.blank += other.blank
        self.events.update(other.events)
        self.looked_at.update(other.looked_at)
        for log, fields in other.fields.items():
            self.fields.setdefault(log, Counter()).update(fields)
        for kind, first in other.first.items():
            self._stretch(kind, first, other.last[kind])


class LogParser(Protocol):
    """Reads one log, given in pieces of any size; how it is cut changes nothing."""

    @property
    def tally(self) -> Tally:
        """The rows counted so far."""

    @property
    def foreign(self) -> bool:
        """True once the bytes are seen to be no log of this format; later pieces are ignored."""

    @property
    def clockless(self) -> bool:
        """True once a time before 1980 was taken as an offset from the log's opening."""

    @property
    def unfinished(self) -> int:
        """Bytes at the end of what was fed that wait for the rest of their line."""

    def feed(self, piece: bytes) -> list[Event]:
        """Take the next bytes; give the events of every line completed by them."""

    def finish(self) -> list[Event]:
        """Take what is left after the last newline as the last line."""

    def resume(self) -> bytes:
        """Give bytes that bring a new parser to where this one is, ``unfinished`` bytes back.

        Fed first, they give no event and count no row; reading then goes on in the file after
        the bytes fed so far less ``unfinished``. Nothing where a new parser needs nothing. Any line
        may change them, those that give events too: ask again for every place to resume from.
        """
