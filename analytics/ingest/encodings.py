"""Content codings of a request body: each a generator from pieces to inflated pieces.

A piece never inflates by more than `STEP` bytes at a time, whatever its ratio: gzip reaches 1029 to
1 and zstd 32,585 to 1, so what bounds memory is the size of a step, never the size of a piece.
"""

import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from isal import isal_zlib

from analytics.ingest.reasons import Unreadable

if sys.version_info >= (3, 14):
    from compression import zstd as zstd  # noqa: PLC0414 -- the one place that knows which
else:
    from backports import zstd as zstd  # noqa: PLC0414 -- the one place that knows which

STEP = 1 << 20
"""Bytes inflated at a time."""
FEED = 1 << 15
"""Compressed bytes given to a decompressor at a time. It hands back what lies behind a member's end
as a copy, so a body of many tiny members costs its length times this."""
MAX_CODINGS = 2
"""Codings on top of each other, ``identity`` not counted: a proxy's on a client's."""
MAX_WINDOW_BITS = 23
"""A zstd frame may look back 8 MiB (contract): what level 19 asks for."""
WINDOW = (
    "The zstd body asks for a window of more than 8 MiB; compress it at level 19 or below, without"
    " --long."
)
SUPPORTED = "identity, gzip, deflate or zstd"

_PADDING = bytes(FEED)
_GZIP, _ZLIB, _RAW = 31, 15, -15  # zlib's window bits for each wrapper

Reader = Callable[[Iterable[bytes]], Iterator[bytes]]


def readers_of(header: str) -> list[Reader]:
    """Return the readers of a Content-Encoding header, in the order in which to read.

    The header lists codings in the order in which they were applied. Raises `Unreadable` (415) for
    one that is not known and for more than `MAX_CODINGS`.
    """
    codings = [each.strip().lower() for each in header.split(",")]
    applied = [each for each in codings if each not in _NONE]
    for each in applied:
        if each not in _READERS:
            raise _unsupported(f"Content-Encoding {each[:16]!r} is not supported; use {SUPPORTED}.")
    if len(applied) > MAX_CODINGS:
        raise _unsupported(f"A body may have {MAX_CODINGS} codings; this one has {len(applied)}.")
    return [_READERS[each] for each in reversed(applied)]


def _unsupported(message: str) -> Unreadable:
    error = Unreadable(message)
    error.status = 415
    return error


def gunzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Inflate gzip of one or many members, with zeros between and behind them.

    An empty body is empty, whatever its header says: one existing client sends the header on a GET.
    """
    member = None
    try:
        for piece in _fed(pieces):
            rest = piece
            while rest:
                if member is None:
                    if rest == _PADDING[: len(rest)]:
                        break
                    rest = rest.lstrip(b"\0")
                    member = isal_zlib.decompressobj(_GZIP)
                out = member.decompress(rest, STEP)
                if out:
                    yield out
                if member.eof:
                    rest, member = member.unused_data, None
                else:
                    rest = member.unconsumed_tail
    except _BROKEN:
        raise Unreadable("The gzip body is broken.") from None
    if member is not None:
        raise Unreadable("The gzip body ends in the middle; nothing of it was taken.")


def inflate(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Inflate ``deflate``, in its zlib wrapper or, as some clients send it, without one."""
    stream, held, ended = None, b"", False
    try:
        for piece in _fed(pieces):
            rest = piece
            if stream is None:
                rest = held = held + piece
                if len(held) < 2:
                    continue
                stream = isal_zlib.decompressobj(_ZLIB if _has_zlib_header(held) else _RAW)
            while rest:
                if ended:
                    raise Unreadable("Something follows the end of the deflate body.")
                out = stream.decompress(rest, STEP)
                if out:
                    yield out
                ended = stream.eof
                rest = stream.unused_data if ended else stream.unconsumed_tail
    except _BROKEN:
        raise Unreadable("The deflate body is broken.") from None
    if held and not ended:
        raise Unreadable("The deflate body ends in the middle; nothing of it was taken.")


def _has_zlib_header(head: bytes) -> bool:
    """Say whether a body begins as RFC 1950 has it.

    A raw stream does not: its first byte would open a stored block with set padding bits, which no
    compressor writes.
    """
    method, bits = head[0] & 15, head[0] >> 4
    return method == 8 and bits <= 7 and int.from_bytes(head[:2], "big") % 31 == 0


def unzstd(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Inflate zstd of one or many frames, those to be skipped among them."""
    frame: Any = None
    try:
        for piece in _fed(pieces):
            rest = piece
            while True:
                if frame is None:
                    if not rest:
                        break
                    frame = zstd.ZstdDecompressor(options=_LIMITED)
                out = frame.decompress(rest, STEP)
                rest = b""
                if out:
                    yield out
                if frame.eof:
                    rest, frame = frame.unused_data, None
                elif frame.needs_input:
                    break
    except zstd.ZstdError as error:
        large = "too much memory" in str(error)  # libzstd's words for this and nothing else
        raise Unreadable(WINDOW if large else "The zstd body is broken.") from None
    if frame is not None:
        raise Unreadable("The zstd body ends in the middle; nothing of it was taken.")


def _fed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        for start in range(0, len(piece), FEED):
            yield piece[start : start + FEED]


_BROKEN: tuple[type[Exception], ...] = (isal_zlib.error, zlib.error)  # type: ignore[assignment]  # the stub gives an instance
_LIMITED: dict[int, int] = {zstd.DecompressionParameter.window_log_max: MAX_WINDOW_BITS}
_NONE = frozenset({"", "identity"})
_READERS: dict[str, Reader] = {
    "gzip": gunzip,
    "x-gzip": gunzip,
    "deflate": inflate,
    "zstd": unzstd,
}
