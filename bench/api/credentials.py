"""API-1: how soon a revoked key stops on every web process, and what a rotation costs a client.

Whether the comparison's time depends on where two hashes differ is asked of the very function:
differing in the first byte and in the last, in turns.
"""

import statistics
import threading
import time
from dataclasses import dataclass

from bench.api.asking import Line
from bench.api.product import Product
from crypto.random import random_bytes
from tenants import apikeys

LINES = 12
"""Connections to ask over: enough that each of two processes has some."""
MOST_SECONDS = 5.0
ROTATION_SECONDS = 6.0
COMPARISONS = 40_000
MOST_NANOSECONDS = 50.0
"""Difference of the medians: a byte compared costs less than a nanosecond, a call some 3,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The figures: seconds to the last honoured request, failures, nanoseconds of difference."""

    honoured_after_revocation: float
    rotation_requests: int
    rotation_failed: int
    comparison_nanoseconds: float
    met: bool


def measure(product: Product) -> Credentials:
    """Measure all of it."""
    late = _revoke(product)
    asked, failed = _rotate(product)
    apart = _compare()
    return Credentials(
        honoured_after_revocation=late,
        rotation_requests=asked,
        rotation_failed=failed,
        comparison_nanoseconds=apart,
        met=late <= MOST_SECONDS and asked > 0 and not failed and abs(apart) <= MOST_NANOSECONDS,
    )


def _revoke(product: Product) -> float:
    """Return how long after the command's end a key was still honoured by some process."""
    _, key = product.tenant("revoked.example")
    lines = [Line(product.url, key) for _ in range(LINES)]
    assert all(line.ask("GET", "/v1/alerts").status == 200 for line in lines)
    product.manage("tenant", "key", "revoke", key.split("_")[1])
    begun, late = time.monotonic(), 0.0
    while time.monotonic() - begun < MOST_SECONDS + 1:
        for line in lines:
            if line.ask("GET", "/v1/alerts").status == 200:
                late = time.monotonic() - begun
        time.sleep(0.1)
    return late


def _rotate(product: Product) -> tuple[int, int]:
    """Ask with the old key throughout a rotation, and with the new one from its making on."""
    _, old = product.tenant("rotated.example")
    stop = threading.Event()
    statuses: list[int] = []

    def ask(key: str) -> None:
        line = Line(product.url, key)
        while not stop.wait(0.02):
            statuses.append(line.ask("GET", "/v1/account/status").status)

    threads = [threading.Thread(target=ask, args=(old,)) for _ in range(2)]
    for each in threads:
        each.start()
    made = product.manage("tenant", "key", "rotate", old.split("_")[1], "--json")
    threads += [threading.Thread(target=ask, args=(made["api_key"],)) for _ in range(2)]
    for each in threads[2:]:
        each.start()
    time.sleep(ROTATION_SECONDS)
    stop.set()
    for each in threads:
        each.join()
    return len(statuses), sum(status != 200 for status in statuses)


def _compare() -> float:
    """Return by how many nanoseconds the medians differ: wrong at the first byte, at the last."""
    pepper = random_bytes(32)
    key = apikeys.mint("twy", pepper=pepper)
    early = bytes([key.mac[0] ^ 1]) + key.mac[1:]
    late = key.mac[:-1] + bytes([key.mac[-1] ^ 1])
    taken: tuple[list[int], list[int]] = ([], [])
    for _ in range(COMPARISONS):
        for stored, times in zip((early, late), taken, strict=True):
            begun = time.perf_counter_ns()
            apikeys.matches(key.text, stored=stored, pepper=pepper)
            times.append(time.perf_counter_ns() - begun)
    return statistics.median(taken[0]) - statistics.median(taken[1])
