"""ISO-8: whether an answer's time tells "exists in another tenant" from "exists nowhere".

The pairs of requests are those of the isolation matrix (`tests.isolation.matrix`), so that a new
route is timed too. Each pair is asked in turns, through the whole of the product in this process:
there is no network whose noise would hide a difference.
"""

import operator
import re
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import cycle, islice
from typing import Any

from bench.api.asking import basic
from bench.home import throwaway
from config.embedded.progress import Progress

CALLS = 2_000
"""Of each route, one of two to each half of a pair."""
MOST_MILLISECONDS = 1.0
UNBOUND = 1e9
COUNTED = frozenset({"RateLimit", "Content-Length"})
"""Headers that count down with each request, or the octets of a name that is echoed."""
_STAMP = re.compile(rb'"eventsToday":\d+|"(today|ts|time|expirationDate)":"[^"]*"')
NAME_NOTHING = frozenset({"healthz", "readyz", "v1/schema", "v1/transparency/checkpoint",
                          "v2/items", "v2/families", "v1/key/request"})  # fmt: skip
"""Routes that take no name of anything that a tenant has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A route's medians in milliseconds, and whether status, body and headers were the same.

    `difference` is the median over pairs, whose halves were asked one after the other: what else
    the machine did meanwhile met both.
    """

    route: str
    calls: int
    theirs: float
    nowhere: float
    difference: float
    same: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Oracle:
    """Every route, and the largest difference."""

    routes: list[Timed]
    largest: float
    met: bool


def measure(progress: Progress, *, calls: int = CALLS) -> Oracle:
    """Measure every route that takes a name, on servers of its own."""
    with throwaway(progress):
        from tests.isolation.matrix import MATRIX  # noqa: PLC0415 -- needs the servers' settings
        from tests.isolation.world import make_world  # noqa: PLC0415 -- see above

        with _unbound():
            world = make_world()
            routes = [
                _timed(door, list(entry(world)), world, calls)
                for door, entry in MATRIX.items()
                if door[1] not in NAME_NOTHING
            ]
    largest = max(abs(each.difference) for each in routes)
    return Oracle(
        routes=routes,
        largest=largest,
        met=largest < MOST_MILLISECONDS and all(each.same for each in routes),
    )


@contextmanager
def _unbound() -> Iterator[None]:
    """Lift what bounds how often is asked, for the block: a refusal's time would be compared."""
    from django.conf import settings  # noqa: PLC0415 -- set up by now

    from tenants import attempts  # noqa: PLC0415 -- see above
    from tenants.plans import Rate  # noqa: PLC0415 -- see above

    wide = Rate(per_second=UNBOUND, burst=UNBOUND)
    kept = settings.LIMITS
    windows = {name: getattr(attempts, name) for name in dir(attempts) if "_OF_" in name}
    settings.LIMITS = {
        plan: replace(
            limits,
            key_requests=wide,
            tenant_requests=wide,
            key_octets=wide,
            tenant_octets=wide,
            events_a_day=None,
        )
        for plan, limits in kept.items()
    }
    settings.SIGNUP_OPEN = True
    settings.ALLOWED_HOSTS = ["testserver"]  # what the framework's client calls us
    for name in windows:
        setattr(attempts, name, ())
    try:
        yield
    finally:
        settings.LIMITS = kept
        for name, each in windows.items():
            setattr(attempts, name, each)


def _timed(door: tuple[str, str], pairs: list[Any], world: Any, calls: int) -> Timed:
    from django.test import Client  # noqa: PLC0415 -- set up by now

    client = Client(raise_request_exception=False)
    taken: tuple[list[float], list[float]] = ([], [])
    same = True
    for number, (theirs, twin) in enumerate(islice(cycle(pairs), calls // 2)):
        turns = ((0, theirs), (1, twin)) if number % 2 else ((1, twin), (0, theirs))
        told: list[Any] = [None, None]
        for half, ask in turns:
            seconds, told[half] = _asked(client, door[0], ask, world.key)
            taken[half].append(seconds * 1e3)
        same = same and told[0] == told[1]
    return Timed(
        route=" ".join(door),
        calls=2 * len(taken[0]),
        theirs=statistics.median(taken[0]),
        nowhere=statistics.median(taken[1]),
        difference=statistics.median(map(operator.sub, *taken)),
        same=same,
    )


def _asked(client: Any, method: str, ask: Any, key: str) -> tuple[float, tuple[Any, ...]]:
    """Ask; return the seconds, and status, headers and body with the request's names masked."""
    headers = {"HTTP_AUTHORIZATION": basic(key), **ask.headers}
    begun = time.perf_counter()
    response = client.generic(
        method,
        ask.path,
        ask.body,
        content_type="application/json",
        query_params=ask.query,
        **headers,
    )
    seconds = time.perf_counter() - begun
    said = {name: text for name, text in response.items() if name not in COUNTED}
    body = _STAMP.sub(b"", response.content)
    for name in sorted(ask.names, key=len, reverse=True):
        body = body.replace(name.encode(), b"NAMED")
    return seconds, (response.status_code, said, body)
