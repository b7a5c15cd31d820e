"""The lines of one log that were read and are in no parcel yet, and where to cut them.

A parcel is a range of one log without gaps, so that one place says what is in it. Equal events
should be in one request, because equal events of two requests are for the service the same event
sent twice; logs write them close together. So a cut is made where no time of the last lines before
it comes again in the first ones behind it. (``batches.Cutter`` needs no place, and so may take a
late event into an earlier batch.)
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from tawny.formats.events import Event, Kind, encode_lines, kind_of
from tawny.sending.batches import BATCH_BYTES, BATCH_EVENTS, NEAR, STRETCH
from tawny.sending.parcels import Part, part

RAW_SHARE = 4  # bytes of lines without events to which a parcel may grow, in batches' sizes

_Key: TypeAlias = tuple[Kind, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a log with its events; ``end`` is the place in the log behind its newline.

    ``size`` is its bytes, ``tail`` the last of them; ``header`` is what a parser needs before the
    next line; ``known`` says whether the log has given an event up to here.
    """

    end: int
    size: int
    tail: bytes
    header: bytes
    events: list[Event]
    known: bool

    @property
    def keys(self) -> list[_Key]:
        """The kind and time of each event."""
        return [(kind_of(event), event.ts) for event in self.events]


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """What was cut off: the parts, and the last line in them."""

    parts: list[Part]
    last: Line


@dataclass(slots=True)
class Gathered:
    """Lines in their order; ``since`` is when the first of them was taken."""

    limit_events: int = BATCH_EVENTS
    limit_bytes: int = BATCH_BYTES
    since: float = 0.0
    events: int = 0
    _bytes: int = 0  # of the lines of the log: events are about as long
    _lines: deque[Line] = field(default_factory=deque)
    _places: dict[_Key, int] = field(default_factory=dict)
    _cut: int | None = None
    _held: int = 0

    def __bool__(self) -> bool:
        return bool(self._lines)

    def add(self, line: Line, *, tick: float) -> Range | None:
        """Take a line; give the range that is complete with it."""
        if not self._lines:
            self.since = tick
        place = len(self._lines)
        self._lines.append(line)
        self.events += len(line.events)
        self._bytes += line.size
        self._look_back(line, place)
        if self._cut is None and self._reaches(1):
            self._cut = place + 1
        if self._cut is not None and (place + 1 >= self._cut + NEAR or self._reaches(STRETCH)):
            return self._take(self._cut, tick=tick)
        return None

    def _look_back(self, line: Line, place: int) -> None:
        """Move a cut that is being looked at behind a line whose time comes again."""
        for key in line.keys:
            earlier = self._places.get(key)
            cut = self._cut
            if cut is not None and earlier is not None and cut - NEAR <= earlier < cut:
                self._cut = place + 1
            self._places[key] = place

    def _reaches(self, times: int) -> bool:
        if self.events >= times * self.limit_events:
            return True
        size = self.limit_bytes if self.events else RAW_SHARE * self.limit_bytes
        return self._bytes >= times * size

    def aged(self, *, tick: float) -> Range | None:
        """Give what has waited long enough: all but the lines of the newest time.

        Those may have equals that the log has yet to bring, and wait once.
        """
        count = max(self._settled(), self._held)
        self._held = len(self._lines) - count
        if not count:
            self.since = tick
            return None
        return self._take(count, tick=tick)

    def all(self, *, tick: float) -> Range | None:
        """Give everything."""
        self._held = 0
        return self._take(len(self._lines), tick=tick) if self._lines else None

    def _settled(self) -> int:
        lines = list(self._lines)
        held = next((set(line.keys) for line in reversed(lines) if line.events), set())
        count = len(lines)
        place = count - 1
        while place >= max(0, count - NEAR):
            if not held.isdisjoint(lines[place].keys):
                for line in lines[place:count]:
                    held.update(line.keys)
                count = place
            place -= 1
        return count

    def _take(self, count: int, *, tick: float) -> Range:
        taken = [self._lines.popleft() for _ in range(count)]
        self.events -= sum(len(line.events) for line in taken)
        self._bytes -= sum(line.size for line in taken)
        self._cut = None
        self._places = {key: place for place, line in enumerate(self._lines) for key in line.keys}
        self.since = tick
        return Range(parts=_parts(taken), last=taken[-1])


def _parts(lines: Iterable[Line]) -> list[Part]:
    by_kind: dict[Kind, list[Event]] = {}
    for line in lines:
        for event in line.events:
            by_kind.setdefault(kind_of(event), []).append(event)
    return [
        part(kind, encode_lines(events), events=len(events))
        for kind, events in sorted(by_kind.items())
    ]
