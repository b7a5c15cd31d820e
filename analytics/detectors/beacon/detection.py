"""From a pair's day to a beacon finding."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.beacon.likelihood import LookScore, score_look
from analytics.detectors.beacon.looks import PREFIXES, looks
from analytics.detectors.contacts import NANOSECONDS, Contacts, PairDay, contacts
from analytics.detectors.directions import Direction
from analytics.detectors.explanation import Finding, Part, evidence, explain
from analytics.detectors.states import Outcome

DETECTION = "beacon_rare"

CANDIDATE = 8.0
"""Nats: 1 % of looks at the worst aperiodic control reach it; for joining with context."""

ALERT = 10.0
"""Nats: reached by 8 of 3,590 aperiodic days (Poisson, human, log-normal) over all looks."""

STRONG = 20.0
"""Nats from which an outbound beacon is medium: chance is out of the question."""

CAP = 60.0
"""Nats at which the search ends; part of the definition, so that order does not matter."""

SHORTEST_PERIOD = 0.8
"""Seconds; faster than the fastest known beacon (1 s) is transfer, not beaconing."""

CLOCKS = (NANOSECONDS, 1_000_000, 1_000)
"""Resolutions, in nanoseconds, that clients round to: seconds, milliseconds, microseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a direction asks of a look: contacts, seconds it spans, nats to alert."""

    contacts: int
    span: float
    alert: float


STANDARD = Demand(contacts=PREFIXES[0], span=120.0, alert=ALERT)
"""A loop that ran for two minutes is not persistence; six contacts are the least there is."""

INBOUND = Demand(contacts=20, span=3 * 3600.0, alert=STRONG)
"""Who calls a public server on a clock is mostly a password guesser, in one run of some 30
sessions within the hour, or a monitor. Only what keeps coming back for hours counts: on one
public server under attack this leaves 17 of some 510 pair-days in three days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The best look at a series and where it lies.

    `number` counts the looks taken up to and including it, from 0; `rows` are its contacts
    as places in the series; `width` its burst width in seconds.
    """

    look: LookScore
    number: int
    rows: NDArray[np.intp]
    width: float

    @property
    def score(self) -> float:
        """Nats, at most `CAP`."""
        return min(self.look.score, CAP)


def best_look(
    times: NDArray[np.int64],
    sizes: tuple[NDArray[np.int64], ...] = (),
    *,
    cap: float = CAP,
    demand: Demand = STANDARD,
    shortest_period: float = SHORTEST_PERIOD,
) -> Best | None:
    """Return the best look at a series of contacts, None where none can be taken.

    Parameters
    ----------
    times
        Nanoseconds, ascending, shape ``(n,)``.
    sizes
        Bytes a direction, each of shape ``(n,)``; -1 is unset and mutes that direction in
        the looks that hold it.
    cap
        Nats at which the search ends.
    demand
        The contacts and seconds that a look must hold; others are not taken.
    shortest_period
        Seconds.

    """
    if times.size < demand.contacts:
        return None
    seconds = (times - times[0]) / NANOSECONDS
    resolution = clock(times) / NANOSECONDS
    logs = [np.log(np.maximum(size, 1)) for size in sizes]
    best: Best | None = None
    for number, look in enumerate(looks(seconds)):
        rows = look.rows
        span = seconds[rows[-1]] - seconds[rows[0]]
        if rows.size < demand.contacts or span < demand.span:
            continue
        heard = [log[rows] for log, size in zip(logs, sizes, strict=True) if size[rows].min() >= 0]
        found = score_look(
            seconds[rows],
            heard,
            # contacts of one clock tick are one contact, so that no gap is under half a tick
            dead=max(look.width, 0.5 * resolution),
            resolution=resolution,
            shortest=shortest_period,
        )
        if found is not None and (best is None or found.score > best.look.score):
            best = Best(look=found, number=number, rows=rows, width=look.width)
            if found.score >= cap:
                return best
    return best


def clock(times: NDArray[np.int64]) -> int:
    """Return the coarsest of `CLOCKS` that all times are whole multiples of, else 1 ns.

    Rounded times lie on a lattice, which the finest hypotheses would take for a beacon
    with many misses; so no hypothesis may be finer than the clock.
    """
    for resolution in CLOCKS:
        if not (times % resolution).any():
            return resolution
    return 1


def demanded(direction: Direction) -> Demand:
    """Return what a direction asks of a look."""
    return INBOUND if direction is Direction.IN else STANDARD


def detect(
    day: PairDay,
    *,
    direction: Direction,
    key: tuple[str, ...] = (),
    threshold: float | None = None,
) -> Finding | None:
    """Find a beacon among the answered contacts of a pair's day.

    Failed contacts are a series of their own (`failed_contact`) and never count here, nor
    does name and time service (`contacts.routine`). `threshold` is in nats; None takes the
    direction's own.
    """
    return find(contacts(day), direction=direction, key=key, threshold=threshold)


def find(
    pair: Contacts,
    *,
    direction: Direction,
    key: tuple[str, ...] = (),
    threshold: float | None = None,
) -> Finding | None:
    """Do what `detect` does for contacts that are grouped already."""
    demand = demanded(direction)
    needed = demand.alert if threshold is None else threshold
    answered = pair.take(np.flatnonzero((pair.outcomes == Outcome.ANSWERED) & ~pair.routine))
    best = best_look(answered.times, (answered.bytes_out, answered.bytes_in), demand=demand)
    if best is None or best.score < needed:
        return None
    return Finding(
        detection=DETECTION,
        threats=(DETECTION,),
        key=key,
        severity=severity(best.score, direction),
        direction=direction,
        first=int(answered.times[0]),
        last=int(answered.times[-1]),
        count=answered.times.size,
        explanation=explain(parts(best)),
        evidence=evidence(
            **series_evidence(best, answered.times),
            contacts=answered.times.size,
            median_bytes_out=_median(answered.bytes_out[best.rows]),
            median_bytes_in=_median(answered.bytes_in[best.rows]),
            threshold_nats=needed,
            least_span_s=demand.span,
            least_contacts=demand.contacts,
        ),
        material=material(
            answered.times[best.rows], answered.bytes_out[best.rows], answered.bytes_in[best.rows]
        ),
    )


def severity(score: float, direction: Direction) -> int:
    """Return 3 for a strong beacon that leaves the network, 2 for any other.

    Between the tenant's own hosts clockwork is mostly management, from outside mostly
    monitoring; on the way out it is what command and control looks like.
    """
    leaves = direction in (Direction.OUT, Direction.TRANSIT)
    return 3 if leaves and score >= STRONG else 2


def parts(best: Best) -> list[Part]:
    """Return the terms of the score, capped by a term of its own where it was."""
    look = best.look
    terms = [
        Part(
            feature="regularity",
            value=look.period,
            baseline=0.0,
            points=look.timing,
            reason="log-likelihood of the times as a beacon of this period in seconds, less"
            " that of the best aperiodic source",
        ),
        Part(
            feature="size_association",
            value=look.noise,
            baseline=0.0,
            points=look.association,
            reason="log-likelihood gained because contacts on the beat have sizes of their own",
        ),
        Part(
            feature="search_cost",
            value=look.jitter,
            baseline=0.52,
            points=look.search,
            reason="fine jitter tries more periods, and noise sets contacts aside:"
            " ln(jitter / 0.52) + 2 ln((1 - noise) / 0.97)",
        ),
    ]
    if look.score > CAP:
        terms.append(
            Part(
                feature="cap",
                value=look.score,
                baseline=CAP,
                points=CAP - look.score,
                reason="the search ends at this score, so what lies above it is not compared",
            )
        )
    return terms


def series_evidence(best: Best, times: NDArray[np.int64]) -> dict[str, int | float | str]:
    """Return the look and its hypothesis as plain numbers."""
    look = best.look
    return {
        "period_s": look.period,
        "jitter_share": look.jitter,
        "miss_share": look.miss,
        "noise_share": look.noise,
        "look_number": best.number,
        "look_contacts": best.rows.size,
        "look_first_ns": int(times[best.rows[0]]),
        "look_last_ns": int(times[best.rows[-1]]),
        "burst_width_s": best.width,
        "uncapped_nats": look.score,
    }


def material(*columns: NDArray[np.int64]) -> bytes:
    """Return the columns as big-endian 64-bit integers, one after the other."""
    return b"".join(column.astype(">i8").tobytes() for column in columns)


def _median(sizes: NDArray[np.int64]) -> float:
    known = sizes[sizes >= 0]
    return float(np.median(known)) if known.size else -1.0
