"""From a request body to stretches of it with their events, in bounded memory.

The body is read in pieces, inflated in pieces, and cut between values into stretches of about a
megabyte. There is no cap on the ratio of compression: one beaconing host compresses 91 to 1, and a
cap would refuse exactly what the product looks for. The cap is on inflated bytes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from analytics.ingest.encodings import readers_of
from analytics.ingest.events import Kind
from analytics.ingest.reasons import Reason, TooLarge
from analytics.ingest.scanning import cut_between
from analytics.ingest.values import MAX_EVENT, Decoded, decode_start

MAX_INFLATED = 512 << 20
"""Bytes of one inflated request (contract)."""
MAX_BATCH_EVENTS = 65_536
"""Events of one batch (contract): what `nfr` sends at most in one go."""
MAX_BATCH_BYTES = 64 << 20
"""Inflated bytes of one batch (contract)."""
STRETCH = 3 << 17
"""Bytes decoded at a time, 384 KiB: large enough that the cut costs nothing, and small enough that
the events are checked while they still lie in the cache (a megabyte takes 1.4 times as long)."""
LONGEST = STRETCH + 2 * MAX_EVENT
"""Bytes in which a value ends or is given up: what one request may make us hold."""


@dataclass(slots=True)
class Receipt:
    """What became of a body: the numbers of the 200 answer."""

    accepted: int = 0
    rejected: dict[Reason, int] = field(default_factory=dict)

    @property
    def received(self) -> int:
        """Values read, taken or not."""
        return self.accepted + sum(self.rejected.values())

    def reject(self, reasons: dict[Reason, int]) -> None:
        """Add rejections."""
        for reason, count in reasons.items():
            self.rejected[reason] = self.rejected.get(reason, 0) + count


def inflated(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Inflate a body, at most `MAX_INFLATED` bytes of it.

    `encoding` is a Content-Encoding header as it was sent. Raises `Unreadable` for one that is not
    supported, a broken or an unfinished stream (415 and 400), and `TooLarge` past the cap (413).
    """
    steps = iter(pieces)
    for reader in readers_of(encoding):
        steps = _capped(reader(steps))
    yield from _capped(steps)


def _capped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > MAX_INFLATED:
            raise TooLarge(f"The body inflates past {MAX_INFLATED} bytes (512 MiB); send less.")
        yield piece


def read_stretches(pieces: Iterable[bytes], kind: Kind) -> Iterator[tuple[bytes, Decoded]]:
    """Yield the stretches of an inflated body that hold a value, each with what it decoded to.

    A stretch decodes to the same again, alone: `decode_values` of it gives the same events and the
    same rejections. What is skipped of an unreadable line is part of no stretch. A stretch has
    fewer than 65,536 events and at most `LONGEST` bytes.
    """
    body = Stretches(pieces)
    for text in body:
        decoded = decode_start(text, kind, last=body.last)
        stretch = body.settle(text, decoded)
        if decoded.events or decoded.rejected:
            yield stretch, decoded


class Stretches:
    """A body cut into stretches of about `STRETCH` bytes that end between values.

    Each step yields the text that comes next, cut where a value probably ends; `settle` must be
    told what it decoded to, and says where the stretch ends indeed: an object that was not finished
    is the beginning of the next text. One of more than `LONGEST` bytes in a line is not read to its
    end: its beginning is a stretch that decodes to its rejection, and the body goes on after the
    next newline. How the body arrived in pieces changes nothing.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self._held = bytearray()
        self._ended = False
        self._stuck = False  # at an object for which there is no end in the usual amount
        self._given_up = False
        self._skipping = False

    @property
    def last(self) -> bool:
        """Whether what follows the text cannot matter to it."""
        return self._ended or self._given_up

    def __iter__(self) -> Iterator[bytes]:
        """Yield the texts."""
        held = self._held
        for piece in self._pieces:
            held += piece
            self._skip()
            while len(held) >= (LONGEST if self._stuck else STRETCH):
                yield bytes(memoryview(held)[: self._cut()])
        self._ended = True
        while held:
            yield bytes(held)

    def _cut(self) -> int:
        if self._given_up:
            return MAX_EVENT + 1  # enough to be told too large
        if self._stuck:
            return LONGEST
        return cut_between(self._held, 0, STRETCH) or STRETCH

    def settle(self, text: bytes, decoded: Decoded) -> bytes:
        """Take note of what a text decoded to; return the stretch."""
        stretch = text[: len(text) - decoded.rest]
        del self._held[: len(stretch)]
        unmoved = decoded.unfinished and not stretch
        self._given_up = unmoved and self._stuck
        self._stuck = unmoved
        self._skipping = decoded.broken
        self._skip()
        return stretch

    def _skip(self) -> None:
        if self._skipping:
            newline = self._held.find(b"\n")
            del self._held[: newline + 1 if newline >= 0 else len(self._held)]
            self._skipping = newline < 0
