"""Compressed bodies: whole, broken, and such as inflate beyond all measure."""

import gzip
import zlib
from collections.abc import Callable
from typing import Any

from analytics.ingest.encodings import zstd
from bench.corpus.case import LINE, Case, event

MIB = 1 << 20
EVENTS = 3_000
PLAIN = b"".join(event(connID=f"C{number}") + b"\n" for number in range(EVENTS))
SKIPPED = b"\x53\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"hello"
"""A zstd frame that holds nothing of the content."""
HALF = len(PLAIN) // 2 + 7
"""In the middle of an event."""


def zipped(body: bytes) -> bytes:
    """Compress a body as gzip; the same body gives the same bytes."""
    return gzip.compress(body, 6, mtime=0)


def deflated(body: bytes) -> bytes:
    """Compress a body as deflate without the wrapper that it should have."""
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(body) + compressor.flush()


def framed(body: bytes, window: int) -> bytes:
    """Compress a body as zstd that needs so many bits of window, its size not said."""
    options: dict[int, int] = {
        zstd.CompressionParameter.window_log: window,
        zstd.CompressionParameter.checksum_flag: 1,
    }
    compressor = zstd.ZstdCompressor(options=options)
    return compressor.compress(body) + compressor.flush()


def bomb(unit: bytes, size: int, compressor: Any) -> bytes:
    """Compress a unit again and again, up to a size, without ever holding it."""
    chunk = unit * max(1, MIB // len(unit))
    packed = [compressor.compress(chunk) for _ in range(size // len(chunk))]
    return b"".join([*packed, compressor.flush()])


def gzip_bomb(unit: bytes, size: int) -> bytes:
    """Compress as gzip, 1029 to 1 for zeros."""
    return bomb(unit, size, zlib.compressobj(9, wbits=31))


def members(unit: bytes, size: int) -> bytes:
    """Compress as gzip of a member for each MiB, which takes no time to make."""
    return gzip.compress(unit * (MIB // len(unit)), 9, mtime=0) * (size // MIB)


def zstd_bomb(unit: bytes, size: int) -> bytes:
    """Compress as zstd, 32,000 to 1 for zeros."""
    return bomb(unit, size, zstd.ZstdCompressor())


def _case(name: str, encoding: str, body: Callable[[], bytes], **more: Any) -> Case:
    return Case(name=name, encoding=encoding, body=body, **more)


def _whole(name: str, encoding: str, body: Callable[[], bytes]) -> Case:
    return _case(name, encoding, body, accepted=EVENTS)


def _broken(name: str, encoding: str, body: Callable[[], bytes], status: int = 400) -> Case:
    return _case(name, encoding, body, status=status)


WHOLE = [
    _whole("gzip", "gzip", lambda: zipped(PLAIN)),
    _whole(
        "gzip of members cut inside an event",
        "gzip",
        lambda: zipped(PLAIN[:HALF]) + zipped(PLAIN[HALF:]),
    ),
    _whole(
        "gzip of 3,000 members",
        "x-gzip",
        lambda: b"".join(map(zipped, PLAIN.splitlines(keepends=True))),
    ),
    _whole(
        "gzip with zeros between members",
        "gzip",
        lambda: zipped(PLAIN[:HALF]) + b"\0" * 512 + zipped(PLAIN[HALF:]) + b"\0" * 99,
    ),
    _whole("deflate", "deflate", lambda: zlib.compress(PLAIN)),
    _whole("deflate without its wrapper", "deflate", lambda: deflated(PLAIN)),
    _whole("zstd", "zstd", lambda: zstd.compress(PLAIN)),
    _whole(
        "zstd of frames, some to skip",
        "zstd",
        lambda: SKIPPED + zstd.compress(PLAIN[:HALF]) + SKIPPED + framed(PLAIN[HALF:], 20),
    ),
    _whole("zstd with a window of 8 MiB", "zstd", lambda: framed(PLAIN, 23)),
    _whole("gzip, then zstd", "gzip, zstd", lambda: zstd.compress(zipped(PLAIN))),
    _whole("gzip twice, said twice", "gzip, gzip", lambda: zipped(zipped(PLAIN))),
    _whole("identity said beside gzip", "identity, gzip", lambda: zipped(PLAIN)),
]

BROKEN = [
    _broken("gzip said of plain text", "gzip", lambda: PLAIN),
    _broken("gzip cut off", "gzip", lambda: zipped(PLAIN)[:-400]),
    _broken("gzip without its last byte", "gzip", lambda: zipped(PLAIN)[:-1]),
    _broken(
        "gzip with a wrong checksum",
        "gzip",
        lambda: zipped(PLAIN)[:-8] + b"\1\2\3\4" + zipped(PLAIN)[-4:],
    ),
    _broken("gzip with a wrong size", "gzip", lambda: zipped(PLAIN)[:-4] + b"\1\2\3\4"),
    _broken("gzip with something behind it", "gzip", lambda: zipped(PLAIN) + b"something"),
    _broken(
        "gzip whose second member is cut off", "gzip", lambda: zipped(PLAIN) + zipped(PLAIN)[:-40]
    ),
    _broken("gzip twice, said once", "gzip", lambda: zipped(zipped(PLAIN))),
    _broken("gzip of nothing", "gzip", lambda: zipped(b"")),
    _broken("nothing, said to be gzip", "gzip", bytes),
    _broken("deflate cut off", "deflate", lambda: zlib.compress(PLAIN)[:-40]),
    _broken(
        "deflate with a wrong checksum", "deflate", lambda: zlib.compress(PLAIN)[:-4] + b"\1\2\3\4"
    ),
    _broken("deflate said of plain text", "deflate", lambda: PLAIN),
    _broken("zstd cut off", "zstd", lambda: zstd.compress(PLAIN)[:-40]),
    _broken("zstd with a wrong checksum", "zstd", lambda: framed(PLAIN, 20)[:-4] + b"\1\2\3\4"),
    _broken("zstd said of gzip", "zstd", lambda: zipped(PLAIN)),
    _broken("zstd with a window of 128 MiB", "zstd", lambda: framed(PLAIN, 27)),
    _broken("brotli", "br", lambda: PLAIN, 415),
    _broken("three codings", "gzip, gzip, gzip", lambda: zipped(PLAIN), 415),
    _broken("a coding that is no word", "\x7f" * 400, lambda: PLAIN, 415),
]

FULL = 512 * MIB
"""Inflated bytes of a request at most (contract)."""

BOMBS = [
    _broken("zeros at 1029:1, gzip of 64 MiB", "gzip", lambda: gzip_bomb(b"\0", 64 * MIB)),
    _broken("zeros at 1020:1, gzip of 512 MiB", "gzip", lambda: members(b"\0", FULL)),
    _broken("zeros at 1020:1, gzip of 1 GiB", "gzip", lambda: members(b"\0", 2 * FULL), 413),
    _broken(
        "zeros at 1029:1, deflate of 64 MiB",
        "deflate",
        lambda: bomb(b"\0", 64 * MIB, zlib.compressobj(9)),
    ),
    _broken("zeros at 32,000:1, zstd of 512 MiB", "zstd", lambda: zstd_bomb(b"\0", FULL)),
    _broken(
        "zeros at 32,000:1, zstd of 4 GiB", "zstd", lambda: zstd_bomb(b"\0", 2 * FULL) * 4, 413
    ),
    _broken(
        "a bomb of 1 GiB inside a bomb",
        "gzip, zstd",
        lambda: zstd.compress(members(b"\0", 2 * FULL)),
        413,
    ),
    _broken(
        "padding of 1 GiB that inflates to nothing",
        "gzip, zstd",
        lambda: zstd_bomb(b"\0", 2 * FULL),
        413,
    ),
    _broken("blanks, zstd of 512 MiB", "zstd", lambda: zstd_bomb(b" ,\n", FULL)),
    _broken("openings, zstd of 512 MiB", "zstd", lambda: zstd_bomb(b"[", FULL)),
    _broken(
        "lines of garbage, zstd of 64 MiB",
        "zstd",
        lambda: zstd_bomb(b"some garbage of a line's length\n", 64 * MIB),
    ),
    _case(
        "an event of 512 MiB, zstd",
        "zstd",
        lambda: zstd.compress(LINE + b'{"a":"') + zstd_bomb(b"x", FULL - MIB),
        accepted=1,
        rejected={"too_large": 1},
    ),
    _case(
        "524,288 empty objects, zstd of 1 MiB",
        "zstd",
        lambda: zstd_bomb(b"{}", MIB),
        rejected={"ts_missing": MIB // 2},
    ),
]

CASES: list[Case] = [*WHOLE, *BROKEN, *BOMBS]
