"""Failed contacts: a source that keeps calling a destination which does not let it in.

Model
    Malware whose server is down, blocked or moved goes on calling. Each attempt is a
    connection that was refused or never answered (`states`); nearly all must fail, to a few
    ports, for a while. Clockwork makes it likelier to be a program of its own.
Formula
    score = regularity + attempts + persistence, in nats and points of like size:
    regularity = the beacon statistic of the attempt times, 0 under 8 nats, at most 30;
    attempts = 2 ln(n / 20), at most 10; persistence = 2 ln(span / 600 s), at most 6.
Reading
    10 alerts: a regular caller after half an hour, an irregular one after some 150 failures
    in 3.4 hours. A decommissioned server that its clients still call looks the same.
Order
    The condition is tried at prefixes of a fixed grid of contacts, and the largest that
    meets it counts; so later contacts never take a finding back.
"""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.beacon import CANDIDATE, STRONG, Best, best_look
from analytics.detectors.beacon.detection import material, series_evidence
from analytics.detectors.contacts import NANOSECONDS, Contacts, PairDay, contacts
from analytics.detectors.directions import Direction
from analytics.detectors.explanation import Finding, Part, Plain, evidence, explain
from analytics.detectors.states import Outcome

DETECTION = "beacon_failed_contact"

DIRECTIONS = frozenset({Direction.OUT, Direction.INSIDE, Direction.TRANSIT})
"""An outsider whom a server turns away is a scanner, not a beacon: never `in`."""

FEWEST = 20
"""Failed attempts; fewer are a short outage."""

SHORTEST_SPAN = 600.0
"""Seconds between the first and the last attempt; shorter is one program's retries."""

SHARE = 0.9
"""Least share of failures among the contacts whose outcome is known."""

FEW_PORTS = 3
"""Ports that a caller tries in turn; a scan of one host tries many more."""

FEW_PORTS_SHARE = 0.9
"""Least share of attempts that go to those ports."""

ALERT = 10.0
"""Points, as for beacons."""

REGULARITY_CAP = 30.0
ATTEMPTS_CAP = 10.0
PERSISTENCE_CAP = 6.0
"""Points at most from each part: none of the last two alone alerts within a day's noise."""

_PORTS_SHOWN = 5
_GROWTH = 1.25


def detect(
    day: PairDay, *, direction: Direction, key: tuple[str, ...] = (), threshold: float = ALERT
) -> Finding | None:
    """Find repeated failed contacts in a pair's day."""
    return find(contacts(day), direction=direction, key=key, threshold=threshold)


def find(
    pair: Contacts, *, direction: Direction, key: tuple[str, ...] = (), threshold: float = ALERT
) -> Finding | None:
    """Do what `detect` does for contacts that are grouped already."""
    if direction not in DIRECTIONS:
        return None
    known = pair.take(np.flatnonzero(pair.outcomes != Outcome.UNSEEN))
    size = persistent_prefix(known)
    if size == 0:
        return None
    failed = known.where(Outcome.FAILED)
    attempts = known.take(np.arange(size)).where(Outcome.FAILED)
    best = best_look(attempts.times, cap=REGULARITY_CAP)
    explanation = explain(_parts(attempts.times, best))
    if explanation.score < round(threshold * 100):
        return None
    regular = best is not None and best.score >= STRONG
    return Finding(
        detection=DETECTION,
        threats=(DETECTION,),
        key=key,
        severity=3 if regular and direction is not Direction.INSIDE else 2,
        direction=direction,
        first=int(failed.times[0]),
        last=int(failed.times[-1]),
        count=failed.times.size,
        explanation=explanation,
        evidence=evidence(
            attempts=attempts.times.size,
            answered=size - attempts.times.size,
            failed=failed.times.size,
            failed_share=attempts.times.size / size,
            span_s=_span(attempts.times),
            prefix_contacts=size,
            ports=_ports(attempts.ports),
            threshold_points=threshold,
            **({} if best is None else series_evidence(best, attempts.times)),
        ),
        material=material(attempts.times),
    )


def persistent_prefix(known: Contacts) -> int:
    """Return the largest prefix on the grid that nearly always failed, 0 where none did."""
    failed = known.outcomes == Outcome.FAILED
    failures = np.cumsum(failed)
    found = 0
    for size in prefixes(known.times.size):
        count = int(failures[size - 1])
        if count < FEWEST or count < SHARE * size:
            continue
        rows = np.flatnonzero(failed[:size])
        if _span(known.times[rows]) < SHORTEST_SPAN:
            continue
        _, uses = np.unique(known.ports[rows], return_counts=True)
        if np.sort(uses)[-FEW_PORTS:].sum() >= FEW_PORTS_SHARE * count:
            found = size
    return found


def prefixes(count: int) -> Iterator[int]:
    """Yield the grid: from `FEWEST` to 48 four contacts apart, then 25 %."""
    size = FEWEST
    while size <= count:
        yield size
        size = size + 4 if size < 48 else math.ceil(size * _GROWTH)


def _parts(times: NDArray[np.int64], best: Best | None) -> list[Part]:
    span = _span(times)
    regular = best.score if best is not None and best.score >= CANDIDATE else 0.0
    return [
        Part(
            feature="regularity",
            value=0.0 if best is None else best.score,
            baseline=CANDIDATE,
            points=min(regular, REGULARITY_CAP),
            reason="nats by which a beacon explains the attempt times better than chance;"
            " counts from 8, at most 30",
        ),
        Part(
            feature="failed_attempts",
            value=times.size,
            baseline=FEWEST,
            points=min(2.0 * math.log(times.size / FEWEST), ATTEMPTS_CAP),
            reason="2 ln(attempts / 20), at most 10: none was let in, and it went on",
        ),
        Part(
            feature="persistence_s",
            value=span,
            baseline=SHORTEST_SPAN,
            points=min(2.0 * math.log(span / SHORTEST_SPAN), PERSISTENCE_CAP),
            reason="2 ln(seconds from first to last / 600), at most 6: longer than an outage",
        ),
    ]


def _span(times: NDArray[np.int64]) -> float:
    return float(times[-1] - times[0]) / NANOSECONDS


def _ports(ports: NDArray[np.int32]) -> Plain:
    """Return the most used ports, most used first, ties by number."""
    values, uses = np.unique(ports, return_counts=True)
    ranked = np.lexsort((values, -uses))[:_PORTS_SHOWN]
    return ",".join(str(int(values[i])) for i in ranked)
