"""API-8: what other tenants feel while one sends 50 times its quota, and what that one gets.

A quiet tenant polls and sends at a steady rate, open loop: a late answer does not hold back the
next request. A provisional tenant, of two requests a second, sends a hundred from another process.
Stretches with and without it take turns, so that both meet the same machine; what is told is the
median of the rounds' ratios.
"""

import multiprocessing
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from bench.api.asking import Line, Reply, lines
from bench.api.product import Product

QUOTA = 2.0
"""Requests a second of a provisional tenant (config/settings/limits.py)."""
TIMES = 50
CONNECTIONS = 8
"""Of the noisy tenant: two for each thread of a process."""
BODY = lines(3_000)
"""What it sends each time: 350 KiB, so that fifty times its octets are on the way, too."""
QUIET_RATE = 50.0
QUIET_CONNECTIONS = 4
MOST_SHARE = 0.20
"""API-8: what the 99th percentile of the others may grow by."""
ACCURACY = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Milliseconds of the quiet tenant's 50th and 99th percentile, alone and beside the noise."""

    alone: tuple[float, float]
    beside: tuple[float, float]
    failed: int

    @property
    def ratio(self) -> float:
        """What the 99th percentile was multiplied by."""
        return self.beside[1] / self.alone[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """The figure, and what the noisy tenant was answered."""

    rounds: list[Round]
    ratio: float
    asked: int
    answers: dict[str, int]
    met: bool


def paced(
    seconds: float, rate: float, connections: int, ask: Callable[[Line, int], Reply], make: Any
) -> list[Reply]:
    """Ask at a steady rate over some connections; a request's time runs from when it was due."""
    replies: list[Reply] = []
    start = time.perf_counter() + 0.05

    def run(first: int) -> None:
        line = make()
        for number in range(first, int(seconds * rate), connections):
            due = start + number / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            reply = ask(line, number)
            replies.append(replace(reply, seconds=time.perf_counter() - due))
        line.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(connections)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return replies


def flood(url: str, key: str, rate: float, seconds: float, told: Any) -> None:
    """Send as the noisy tenant does, in a process of its own; put what was answered in `told`."""

    def ask(line: Line, _number: int) -> Reply:
        return line.ask("POST", "/v1/events/ip", BODY)

    replies = paced(seconds, rate, CONNECTIONS, ask, lambda: Line(url, key))
    told.put(Counter(str(each.status) for each in replies))


def _quiet(line: Line, number: int) -> Reply:
    if number % 5:
        return line.ask("GET", "/v1/alerts?follow=")
    return line.ask("POST", "/v1/events/ip", lines(20, first=20 * number))


def measure(product: Product, *, rounds: int, seconds: float) -> Noise:
    """Measure some rounds of two stretches each."""
    _, key = product.tenant("quiet.example")
    noisy = msgspec.json.decode(Line(product.url).ask("POST", "/v1/key/request", b"{}").content)[
        "key"
    ]
    context = multiprocessing.get_context("spawn")
    told: Any = context.Queue()

    def stretch() -> list[Reply]:
        return paced(seconds, QUIET_RATE, QUIET_CONNECTIONS, _quiet, lambda: Line(product.url, key))

    paced(3.0, QUIET_RATE, QUIET_CONNECTIONS, _quiet, lambda: Line(product.url, key))  # warm
    spend(product.url, noisy)
    found, answers = [], Counter[str]()
    for _ in range(rounds):
        alone = stretch()
        arguments = (product.url, noisy, TIMES * QUOTA, seconds + 4, told)
        other = context.Process(target=flood, args=arguments)
        other.start()
        time.sleep(2.0)  # until it sends
        beside = stretch()
        answers += told.get()
        other.join()
        found.append(
            Round(
                alone=_percentiles(alone),
                beside=_percentiles(beside),
                failed=sum(each.status != 200 for each in (*alone, *beside)),
            )
        )
    ratio = statistics.median(each.ratio for each in found)
    sound = not any(each.failed for each in found)
    return Noise(
        rounds=found,
        ratio=ratio,
        asked=sum(answers.values()),
        answers=dict(answers),
        met=sound and ratio <= 1 + MOST_SHARE,
    )


def spend(url: str, key: str, *, path: str = "/v1/events/ip") -> None:
    """Use up what a tenant may ask at once, so that its quota is what holds."""
    line = Line(url, key)
    body = lines(1) if path == "/v1/events/ip" else None
    for _ in range(1_000):
        if line.ask("GET" if body is None else "POST", path, body).status != 200:
            return


def _percentiles(replies: list[Reply]) -> tuple[float, float]:
    taken = sorted(each.seconds * 1e3 for each in replies)
    return taken[len(taken) // 2], taken[int(len(taken) * 0.99)]
