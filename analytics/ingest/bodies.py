"""From a request body to batches, in bounded memory.

The body is read in pieces, inflated in pieces, cut between values, and leaves as batches of at most
65,536 events or 64 MiB. There is no cap on the ratio of compression: one beaconing host compresses
91 to 1, and a cap would refuse exactly what the product looks for. The cap is on inflated bytes.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa
from isal import isal_zlib

from analytics.ingest.batches import to_batch
from analytics.ingest.events import Header, Kind
from analytics.ingest.reasons import Reason, TooLarge, Unreadable
from analytics.ingest.values import BETWEEN, MAX_EVENT, decode_values, end_of_values

MAX_INFLATED = 512 << 20
"""Bytes of one inflated request (contract)."""
MAX_BATCH_EVENTS = 65_536
"""Events of one batch (contract): what `nfr` sends at most in one go."""
MAX_BATCH_BYTES = 64 << 20
"""Inflated bytes of one batch (contract)."""
STRETCH = 1 << 20
"""Bytes decoded at a time: large enough that the cut costs nothing, small enough for the cache."""
LONGEST = STRETCH + 2 * MAX_EVENT
"""Bytes in which a value ends or is given up: what one request may make us hold."""
_GZIP = 31  # zlib's window bits for a gzip wrapper


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

    Raises `Unreadable` for an unknown encoding, a broken or an unfinished stream (415 and 400), and
    `TooLarge` past the cap (413).
    """
    reader = _READERS.get(encoding)
    if reader is None:
        error = Unreadable(
            f"Content-Encoding {encoding[:32]!r} is not supported; use identity or gzip."
        )
        error.status = 415
        raise error
    total = 0
    for piece in reader(pieces):
        total += len(piece)
        if total > MAX_INFLATED:
            raise TooLarge(f"The body inflates past {MAX_INFLATED} bytes (512 MiB); send less.")
        yield piece


def _identity(pieces: Iterable[bytes]) -> Iterator[bytes]:
    yield from pieces


def _gunzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Inflate gzip of one or many members; an empty body is empty, whatever its header says."""
    member = None
    try:
        for piece in pieces:
            rest = piece
            while rest:
                if member is None:
                    rest = rest.lstrip(b"\0")  # padding between members
                    if not rest:
                        break
                    member = isal_zlib.decompressobj(_GZIP)
                out = member.decompress(rest, STRETCH)
                if out:
                    yield out
                if member.eof:
                    rest, member = member.unused_data, None
                else:
                    rest = member.unconsumed_tail
    except (isal_zlib.error, zlib.error):  # type: ignore[misc]  # the stub gives an instance
        raise Unreadable("The gzip body is broken.") from None
    if member is not None:
        raise Unreadable("The gzip body ends in the middle; nothing of it was taken.")


_READERS: dict[str, Callable[[Iterable[bytes]], Iterator[bytes]]] = {
    "": _identity,
    "identity": _identity,
    "gzip": _gunzip,
    "x-gzip": _gunzip,
}


def read_batches(
    pieces: Iterable[bytes], kind: Kind, receipt: Receipt, *, now: int
) -> Iterator[pa.Table]:
    """Yield the batches of an inflated body, adding to `receipt` what each held.

    `now` is the server's time in nanoseconds since 1970.
    """
    events: list[Header] = []
    size = 0
    body = Stretches(pieces)
    for stretch in body:
        decoded = decode_values(stretch, kind)
        if decoded.broken:
            body.skip_line()
        receipt.reject(decoded.rejected)
        size += len(stretch)
        events += decoded.events
        while len(events) >= MAX_BATCH_EVENTS or (events and size >= MAX_BATCH_BYTES):
            yield from _batch(events[:MAX_BATCH_EVENTS], kind, receipt, now=now)
            del events[:MAX_BATCH_EVENTS]
            size = 0
    receipt.reject(body.rejected)
    if events:
        yield from _batch(events, kind, receipt, now=now)


def _batch(events: list[Header], kind: Kind, receipt: Receipt, *, now: int) -> Iterator[pa.Table]:
    batch, rejected = to_batch(events, kind, now=now)
    receipt.reject(rejected)
    receipt.accepted += batch.num_rows
    if batch.num_rows:
        yield batch


class Stretches:
    """A body cut into stretches of about `STRETCH` bytes that end between values.

    The cut is behind the last newline; in a line that is longer, behind its last whole object. An
    object of more than `LONGEST` bytes is not read to its end: it counts in `rejected`, and the
    body goes on after the next newline. How the body arrived in pieces changes nothing.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.rejected: dict[Reason, int] = {}
        self._pieces = pieces
        self._held = bytearray()
        self._ended_line = True
        self._skipping = False

    def skip_line(self) -> None:
        """Drop what follows of the line in which the last stretch ended."""
        if not self._ended_line:
            self._skipping = True

    def __iter__(self) -> Iterator[bytes]:
        """Yield the stretches."""
        held, enough = self._held, STRETCH
        for piece in self._pieces:
            held += piece
            self._skip()
            while len(held) >= enough:
                head = bytes(held[:LONGEST])
                cut = head.rfind(b"\n") + 1 or end_of_values(head)
                if cut:
                    enough = STRETCH
                    yield self._taken(cut)
                elif len(held) < LONGEST:
                    enough = LONGEST  # not searched again before it is full
                else:
                    enough = STRETCH
                    self._give_up(head)
                self._skip()
        if held:
            yield self._taken(len(held))

    def _taken(self, cut: int) -> bytes:
        stretch = bytes(self._held[:cut])
        del self._held[:cut]
        self._ended_line = stretch.endswith(b"\n")
        return stretch

    def _give_up(self, head: bytes) -> None:
        value = head.lstrip(BETWEEN)
        if not value:
            self._held.clear()
            return
        reason = Reason.TOO_LARGE if value.startswith(b"{") else Reason.MALFORMED
        self.rejected[reason] = self.rejected.get(reason, 0) + 1
        self._skipping = True

    def _skip(self) -> None:
        if self._skipping:
            newline = self._held.find(b"\n")
            del self._held[: newline + 1 if newline >= 0 else len(self._held)]
            self._skipping = newline < 0
