"""Events cut into requests; the same log is always cut in the same places.

A request that is repeated must hold the same events, and so must the one of a later run over the
same file: the service counts equal events of one request apart, but an event equal to one of an
earlier request is for it the same event sent again. So cuts depend on the events of one file only,
and equal events should stay in one request. A log writes them close together: all those of a time
as one run, or a few rows apart (a host's AAAA question asked twice may be logged around its A
question, which is older). Equal events that a log has further apart may come into two requests.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tawny.formats.events import Event, Kind, append_line, kind_of

BATCH_EVENTS = 20_000  # a third of the rows the service stores as one unit
BATCH_BYTES = 8 << 20  # uncompressed: two wait, one is in flight, one fills: some 40 MB in all

NEAR = 64
"""Events of a kind within which a time is looked for on both sides of a cut: in 53,615 rows of a
real dns log equal ones were two rows apart at the most."""

STRETCH = 2
"""Times its limits to which a batch may grow to keep a time together: a log of whole seconds has
runs of thousands, and a sensor that stands still must not make a request without an end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The body of one request to ``/v1/events/<kind>`` and the number of events in it."""

    kind: Kind
    body: bytes
    events: int


@dataclass(slots=True)
class _Gathered:
    body: bytearray = field(default_factory=bytearray)
    events: int = 0
    recent: deque[str] = field(default_factory=lambda: deque(maxlen=NEAR))  # times

    def take(self, event: Event) -> None:
        append_line(event, self.body)
        self.events += 1
        self.recent.append(event.ts)


@dataclass(slots=True)
class _Stream:
    """The batches of one kind: one that has reached its limit, if any, and the one that fills."""

    full: _Gathered | None = None
    filling: _Gathered = field(default_factory=_Gathered)


class Cutter:
    """Gathers one file's events by kind and cuts off a batch when a limit is reached.

    A batch that has reached its limit waits while the next one takes ``NEAR`` events, or fills, and
    still takes those whose time is among its own last ``NEAR``, to ``STRETCH`` times the limit.
    """

    def __init__(self, *, events: int = BATCH_EVENTS, size: int = BATCH_BYTES) -> None:
        self._events = events
        self._size = size
        self._streams: dict[Kind, _Stream] = {}

    def add(self, events: Iterable[Event]) -> Iterator[Batch]:
        """Take events; give the batches they complete. Exhaust it before the next call."""
        for event in events:
            kind = kind_of(event)
            stream = self._streams.get(kind)
            if stream is None:
                stream = self._streams[kind] = _Stream()
            full, filling = stream.full, stream.filling
            if full is not None and event.ts in full.recent and not self._reaches(full, STRETCH):
                full.take(event)
                continue
            filling.take(event)
            fills = self._reaches(filling, 1)
            if full is not None and (fills or filling.events >= NEAR):
                yield _batch(kind, full)
                stream.full = None
            if fills:
                stream.full, stream.filling = filling, _Gathered()

    def finish(self) -> Iterator[Batch]:
        """Give what is left at the end of a file, kinds in alphabetical order."""
        for kind, stream in sorted(self._streams.items()):
            if stream.full is not None:
                yield _batch(kind, stream.full)
            if stream.filling.events:
                yield _batch(kind, stream.filling)
        self._streams.clear()

    def _reaches(self, gathered: _Gathered, times: int) -> bool:
        return gathered.events >= times * self._events or len(gathered.body) >= times * self._size


def _batch(kind: Kind, gathered: _Gathered) -> Batch:
    return Batch(kind=kind, body=bytes(gathered.body), events=gathered.events)
