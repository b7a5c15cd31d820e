"""What the inbox keeps of a request: its own JSON, compressed, to be decoded again by the worker.

Accepting needs to know which events are taken and nothing else of them, so that is all it computes;
making columns is four times the work and can wait. A body decodes to the same events whenever it is
decoded, and the time of receipt, by which a future is judged, is kept with it: so the worker takes
exactly what was counted.

A request that came compressed and makes one part is kept as it came. Any other is kept as the
stretches that it was decoded in, compressed here.

::

    length of the head (4) | head: msgpack [received, lengths, encoding] | bytes
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec
import pyarrow as pa

from analytics.ingest.batches import to_batch
from analytics.ingest.bodies import (
    MAX_BATCH_BYTES,
    MAX_BATCH_EVENTS,
    Receipt,
    inflated,
    read_stretches,
)
from analytics.ingest.checks import rejections
from analytics.ingest.encodings import zstd
from analytics.ingest.events import Kind
from analytics.ingest.reasons import TooLarge
from analytics.ingest.values import Decoded, count_unknown, decode_values

LEVEL = 1
"""zstd level: as small as level 3 on real events, at 0.35 instead of 0.55 microseconds each."""
MAX_WAITING = 24 << 20
"""Inflated bytes held open until it shows whether a compressed request makes one part: 65,536
events of 350 bytes, which is more than any client's."""


MAX_VALUES = 24_000_000
"""Values of one request: 512 MiB of the shortest event that can be taken (23 bytes) hold fewer.
Without it a few kilobytes that inflate to empty objects keep a web process busy for minutes."""
PLAIN = frozenset({"", "identity"})
"""Codings that are none."""


class _Head(msgspec.Struct, frozen=True, array_like=True):
    received: int
    lengths: list[int]
    encoding: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The packed bytes of a part, and how many events of them were taken."""

    events: int
    payload: bytes = field(repr=False)


class _Packer:
    """Gathers the stretches of a part.

    They are compressed as they come, but for those of a request that is still as it came: these
    wait, and are compressed only when the request turns out to make more than one part.
    """

    def __init__(self, *, received: int, encoding: str) -> None:
        self.arrived: list[bytes] = []
        self._received = received
        self._encoding = "" if encoding in PLAIN else encoding
        self._begin()

    def _begin(self) -> None:
        self.events = self._size = 0
        self._lengths: list[int] = []
        self._waiting: list[bytes] = []
        self._packed: list[bytes] = []
        self._compressor = zstd.ZstdCompressor(level=LEVEL)

    def fits(self, stretch: bytes, events: int) -> bool:
        """Say whether the part may hold a stretch more."""
        size = self._size + len(stretch)
        return not self.events or (
            self.events + events <= MAX_BATCH_EVENTS and size <= MAX_BATCH_BYTES
        )

    def add(self, stretch: bytes, events: int) -> None:
        """Add a stretch and how many events of it were taken."""
        self.events += events
        self._size += len(stretch)
        self._lengths.append(len(stretch))
        if not self._encoding:
            self._packed.append(self._compressor.compress(stretch))
            return
        self._waiting.append(stretch)
        if self._size > MAX_WAITING:
            self._compress()

    def part(self, *, last: bool) -> Part:
        """Return what was gathered, and begin anew."""
        if self._encoding and last:
            head = _Head(self._received, [], self._encoding)
            packed = self.arrived
        else:
            self._compress()
            head = _Head(self._received, self._lengths)
            packed = [*self._packed, self._compressor.flush()]
        encoded = msgspec.msgpack.encode(head)
        payload = b"".join((len(encoded).to_bytes(4, "big"), encoded, *packed))
        part = Part(events=self.events, payload=payload)
        self._begin()
        return part

    def note(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Pass a body on as it arrives, keeping it while it may be kept as it came."""
        size = 0
        for piece in pieces:
            size += len(piece)
            if self._encoding:
                self.arrived.append(piece)
                if size > MAX_WAITING:
                    self._compress()
            yield piece

    def _compress(self) -> None:
        self._encoding = ""
        self._packed += [self._compressor.compress(stretch) for stretch in self._waiting]
        self._waiting.clear()
        self.arrived.clear()


def pack_parts(
    pieces: Iterable[bytes], encoding: str, kind: Kind, receipt: Receipt, *, now: int
) -> Iterator[Part]:
    """Yield the parts of a body, adding to `receipt` what it held.

    A part has at most 65,536 events and 64 MiB of JSON.

    Parameters
    ----------
    pieces
        The body as it arrives.
    encoding
        Its ``Content-Encoding``.
    kind
        The kind of its events.
    receipt
        Added to, and whole when the last part was taken.
    now
        The time of receipt in nanoseconds since 1970.

    Raises
    ------
    Unreadable, TooLarge
        As `bodies.inflated`; no part that was yielded may then be kept.

    """
    packer = _Packer(received=now, encoding=encoding)
    for stretch, decoded in read_stretches(inflated(packer.note(pieces), encoding), kind):
        receipt.reject(decoded.rejected)
        events = len(decoded.events)
        wrong = rejections(decoded.events, kind, now=now) if events else {}
        receipt.reject(Counter(wrong.values()))
        events -= len(wrong)
        receipt.accepted += events
        if receipt.received > MAX_VALUES:
            raise TooLarge(f"The body holds more than {MAX_VALUES:,} values; send less at a time.")
        if not events:
            continue
        if not packer.fits(stretch, events):
            yield packer.part(last=False)
        packer.add(stretch, events)
    if packer.events:
        yield packer.part(last=True)


def stretches_of(payload: bytes, kind: Kind) -> tuple[int, Iterator[tuple[bytes, Decoded]]]:
    """Return the time of receipt, in nanoseconds since 1970, and the stretches of a part.

    Each stretch with what it decodes to.
    """
    end = 4 + int.from_bytes(payload[:4], "big")
    head = msgspec.msgpack.decode(payload[4:end], type=_Head)
    if head.encoding:
        return head.received, read_stretches(inflated([payload[end:]], head.encoding), kind)
    return head.received, _cut(zstd.decompress(payload[end:]), head.lengths, kind)


def _cut(joined: bytes, lengths: list[int], kind: Kind) -> Iterator[tuple[bytes, Decoded]]:
    start = 0
    for length in lengths:
        stretch = joined[start : start + length]
        yield stretch, decode_values(stretch, kind)
        start += length


def read_part(payload: bytes, kind: Kind) -> tuple[pa.Table, Counter[str]]:
    """Decode a part.

    Returns
    -------
    batch
        The events that were counted when it was packed, in order, columns of ``kind.schema``.
    ignored
        How often each field was there that no event has.

    """
    received, stretches = stretches_of(payload, kind)
    tables = [kind.schema.empty_table()]
    ignored: Counter[str] = Counter()
    for stretch, decoded in stretches:
        tables.append(to_batch(decoded.events, kind, now=received)[0])
        ignored += count_unknown(stretch, kind, decoded)
    return pa.concat_tables(tables).combine_chunks(), ignored
