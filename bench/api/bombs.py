"""API-2: bodies that inflate beyond measure, broken ones and honest ones, to the running product.

The corpus is `bench.malformed`'s. Growth is that of the web processes' resident memory at its peak,
as the system counts it, over what they have once each has read an ordinary body.
"""

import gzip
import socket
import time
import zlib
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from analytics.ingest.encodings import zstd
from bench.api.asking import Line, lines
from bench.api.product import Product
from bench.corpus import CASES
from bench.corpus.asking import can_be_sent, send
from bench.corpus.judging import MOST_GROWTH, fault_of

HONEST = 1_000
MOST_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What became of one body."""

    name: str
    octets: int
    status: int
    seconds: float
    growth_mib: float
    fault: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bombs:
    """The bodies that are refused for what they are, and honest ones that were refused."""

    bodies: list[Body]
    growth_mib: float
    slow: list[str]
    lie: int
    honest: int
    false_rejects: int
    met: bool


def measure(product: Product, *, honest: int = HONEST) -> Bombs:
    """Send the corpus and honest batches."""
    _, key = product.tenant("bombs.example")
    for _ in range(12):
        Line(product.url, key).ask("POST", "/v1/events/ip", lines(3_000))
    processes = product.web()
    bodies = [_sent(product, key, processes, number) for number in range(len(CASES))]
    found = [each for each in bodies if each is not None]
    refused, sent = _honest(product, honest)
    grown = max(each.growth_mib for each in found)
    lie = _lie(product.url, key)
    slow = [each.name for each in found if each.status >= 400 and each.seconds > MOST_SECONDS]
    return Bombs(
        bodies=found,
        growth_mib=grown,
        slow=slow,
        lie=lie,
        honest=sent,
        false_rejects=refused,
        met=grown <= MOST_GROWTH >> 20
        and not slow
        and not refused
        and 400 <= lie < 500
        and not any(each.fault for each in found),
    )


def _sent(product: Product, key: str, processes: list[int], number: int) -> Body | None:
    case = CASES[number]
    if not can_be_sent(case):
        return None
    body = case.body()
    before = _begin(processes)
    begun = time.perf_counter()
    answer = send(case, body, url=product.url, key=key)
    seconds = time.perf_counter() - begun
    grown = max(_status(each, "VmHWM") - before[each] for each in processes)
    return Body(
        name=case.name,
        octets=len(body),
        status=answer.status,
        seconds=seconds,
        growth_mib=max(0, grown) / 1024,
        fault=fault_of(case, answer),
    )


def _begin(processes: list[int]) -> dict[int, int]:
    """Forget the processes' peaks; return their resident KiB."""
    for each in processes:
        Path(f"/proc/{each}/clear_refs").write_text("5", "ascii")
    return {each: _status(each, "VmRSS") for each in processes}


def _status(process: int, name: str) -> int:
    text = Path(f"/proc/{process}/status").read_text("ascii", "replace")
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(name))


def _honest(product: Product, count: int) -> tuple[int, int]:
    """Send batches of every coding, two of three one host's beacon alone; count the refused."""
    _, key = product.tenant("honest.example")
    line, refused = Line(product.url, key), 0
    for number, (coding, body) in enumerate(_batches(count)):
        answer = line.ask("POST", "/v1/events/ip", body, Content_Encoding=coding)
        events = b'"rejected":{}' in answer.content
        refused += answer.status != 200 or not events
        if number % 100 == 99:
            time.sleep(0.5)  # the workers' turn: a full backlog answers 503
    return refused, count


def _batches(count: int) -> Iterator[tuple[str, bytes]]:
    for number in range(count):
        beacon = b"".join(
            b'{"ts":%d,"srcIP":"10.1.1.1","destIP":"198.51.100.7","destPort":443,"proto":"tcp",'
            b'"bytesIn":512,"bytesOut":1337}\n' % (1_777_636_800 + number * 1_000 + 5 * each)
            for each in range(200)
        )
        body = lines(200, first=200 * number) if number % 3 == 0 else beacon
        coding = ("gzip", "zstd", "deflate", "identity")[number % 4]
        yield coding, _packed(coding, body)


def _packed(coding: str, body: bytes) -> bytes:
    if coding == "gzip":
        half = len(body) // 2
        return gzip.compress(body[:half]) + gzip.compress(body[half:])  # several members
    if coding == "zstd":
        return zstd.compress(body)
    return zlib.compress(body) if coding == "deflate" else body


def _lie(url: str, key: str) -> int:
    """Say that 1 GiB comes and send a line; return the status."""
    place = urlsplit(url)
    head = (
        f"POST /v1/events/ip HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: {1 << 30}\r\n"
        f"Authorization: Basic {b64encode(f'{key}:'.encode()).decode()}\r\n\r\n"
    )
    with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
        connection.sendall(head.encode() + lines(1))
        return int(connection.recv(64).split()[1])
