"""The caller's events cut into request bodies, equal ones kept together and in order.

The service counts equal events of one request apart, but an event equal to one of an earlier
request is for it the same event sent again. So a body must not end between equal events. Sources
give them close together; equal events that are further apart than ``NEAR`` may be parted, and
count once: give them a ``connID``.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Any, TypeAlias

import msgspec

from tawny.formats.events import KINDS, Event, Kind

BODY_EVENTS = 20_000  # a third of the rows the service stores as one unit
BODY_BYTES = 8 << 20  # uncompressed
NEAR = 64  # events on both sides of a cut among which an equal one is looked for
STRETCH = 2  # times its limits to which a body may grow to keep equal events together

AnyEvent: TypeAlias = Event | Mapping[str, Any]


@dataclass(slots=True)
class _Body:
    lines: list[bytes] = field(default_factory=list)
    size: int = 0
    recent: deque[bytes] = field(default_factory=lambda: deque(maxlen=NEAR))

    def take(self, line: bytes) -> None:
        self.lines.append(line)
        self.size += len(line) + 1
        self.recent.append(line)


@dataclass(slots=True, kw_only=True)
class Packer:
    """Gathers one kind's events and gives a body, one event a line, when a limit is reached.

    A body at its limit waits while the next one takes ``NEAR`` events, and still takes those equal
    to one of its own last ``NEAR``.
    """

    kind: Kind
    events: int = BODY_EVENTS
    size: int = BODY_BYTES
    _full: _Body | None = None
    _filling: _Body = field(default_factory=_Body)

    def add(self, events: Iterable[AnyEvent]) -> Iterator[bytes]:
        """Take events; give the bodies they complete. Exhaust it before the next call.

        ``ValueError`` for a struct of another kind, ``TypeError`` for what JSON cannot hold.
        """
        for event in events:
            line = self._line(event)
            full, filling = self._full, self._filling
            if full and line in full.recent and not self._reaches(full, STRETCH):
                full.take(line)
                continue
            filling.take(line)
            fills = self._reaches(filling, 1)
            if full and (fills or len(filling.lines) >= NEAR):
                yield _joined(full)
                self._full = None
            if fills:
                self._full, self._filling = filling, _Body()

    def finish(self) -> Iterator[bytes]:
        """Give what is left."""
        for body in (self._full, self._filling):
            if body and body.lines:
                yield _joined(body)
        self._full, self._filling = None, _Body()

    def _line(self, event: AnyEvent) -> bytes:
        kind = KINDS.get(type(event), self.kind)  # type: ignore[arg-type]  # a dict is no key of it
        if kind != self.kind:
            raise ValueError(f"an event of kind {kind} among those of kind {self.kind}")
        return _encoder.encode(event)

    def _reaches(self, body: _Body, times: int) -> bool:
        return len(body.lines) >= times * self.events or body.size >= times * self.size


def _joined(body: _Body) -> bytes:
    return b"\n".join(body.lines) + b"\n"


def _plain(value: Any) -> Any:
    if isinstance(value, IPv4Address | IPv6Address):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in an event")


_encoder = msgspec.json.Encoder(enc_hook=_plain)
