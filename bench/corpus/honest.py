"""What one busy host really sends: it compresses like a bomb, and is what the product looks for."""

import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, repeat
from typing import Any

from analytics.ingest.encodings import zstd
from bench.corpus.case import Case, event

BATCH = 65_535
"""Events of a request of the largest client."""
START = datetime(2026, 5, 1, tzinfo=UTC)
SECONDS = 5
CHUNK = 4_096
"""Events compressed at a time."""


def beacon() -> Iterator[bytes]:
    """Write a host that calls home every five seconds, with the same answer each time."""
    for number in range(BATCH):
        yield event(
            ts=f"{START + timedelta(seconds=SECONDS * number):%Y-%m-%dT%H:%M:%S}Z",
            srcPort=50_123,
            destPort=443,
            proto="tcp",
            app="ssl",
            connState="SF",
            bytesIn=512,
            bytesOut=1_337,
            duration=0.25,
            localOrig=True,
            localResp=False,
            srcHost="workstation-17.example.com",
            sensor="sensor-1.example.com",
        )


def sniffed() -> Iterator[bytes]:
    """Write the same packet again and again, as a client of whole seconds does."""
    return repeat(event(srcPort=50_123, destPort=443, proto="tcp", bytesIn=0, bytesOut=66), BATCH)


def packed(events: Iterator[bytes], compressor: Any, between: bytes = b"\n") -> bytes:
    """Compress as it is written, so that nobody ever holds the whole."""
    chunks = []
    while chunk := list(islice(events, CHUNK)):
        chunks.append(compressor.compress(between.join([*chunk, b""])))
    return b"".join([*chunks, compressor.flush()])


def _zstd() -> Any:
    return zstd.ZstdCompressor(level=3)


def _gzip() -> Any:
    return zlib.compressobj(6, wbits=31)


def _case(name: str, encoding: str, body: Callable[[], bytes]) -> Case:
    return Case(name=name, encoding=encoding, body=body, accepted=BATCH)


CASES = [
    _case("a beacon alone, zstd", "zstd", lambda: packed(beacon(), _zstd())),
    _case("a beacon alone, gzip", "gzip", lambda: packed(beacon(), _gzip())),
    _case("identical lines, zstd", "zstd", lambda: packed(sniffed(), _zstd())),
    _case("identical lines, gzip", "gzip", lambda: packed(sniffed(), _gzip())),
    _case("identical events, no separator", "zstd", lambda: packed(sniffed(), _zstd(), b"")),
]
