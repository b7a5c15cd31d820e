"""Long-lived sessions: connections that last longer than a person's work does.

Formula
    The longest answered connection of the pair's day decides. Four thresholds, 1, 4, 8 and
    12 hours (the ones RITA's users know), give 20, 40, 60 and 80 points; between two of
    them the score rises linearly, past the last it stays.
Reading
    One hour: worth a look beside something else. Four hours: half a working day. Eight
    hours: nobody sits that long. Twelve: a tunnel, a remote shell, or a machine's own
    channel (push, database, backup, VPN).
Order
    Snapshots of an unfinished connection only lengthen it, so the score never falls.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.beacon.detection import material
from analytics.detectors.contacts import NANOSECONDS, Contacts, PairDay, contacts
from analytics.detectors.directions import Direction
from analytics.detectors.explanation import Finding, Part, evidence, explain
from analytics.detectors.states import Outcome

DETECTION = "long_session"

HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A duration in seconds, the points and severity it is worth, and why."""

    seconds: float
    points: float
    severity: int
    reason: str


THRESHOLDS = (
    Threshold(seconds=1 * HOUR, points=20.0, severity=1, reason="open for an hour or more"),
    Threshold(
        seconds=4 * HOUR, points=40.0, severity=2, reason="open for half a working day or more"
    ),
    Threshold(seconds=8 * HOUR, points=60.0, severity=2, reason="open for a working day or more"),
    Threshold(
        seconds=12 * HOUR, points=80.0, severity=3, reason="open for longer than anyone works"
    ),
)

INNER_SEVERITY = 2
"""Most severity where the session does not leave the network: servers hold such sessions."""

_EDGES = np.array([threshold.seconds for threshold in THRESHOLDS])


def buckets(durations: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return for each duration in seconds how many thresholds it meets, 0 to 4; NaN is 0."""
    met = np.searchsorted(_EDGES, durations, side="right")
    return np.where(np.isnan(durations), 0, met)


def detect(
    day: PairDay, *, direction: Direction, key: tuple[str, ...] = (), threshold: float = HOUR
) -> Finding | None:
    """Find a long session in a pair's day; `threshold` is in seconds, at least an hour."""
    return find(contacts(day), direction=direction, key=key, threshold=threshold)


def find(
    pair: Contacts, *, direction: Direction, key: tuple[str, ...] = (), threshold: float = HOUR
) -> Finding | None:
    """Do what `detect` does for contacts that are grouped already."""
    answered = pair.where(Outcome.ANSWERED)
    if answered.times.size == 0:
        return None
    longest = int(np.argmax(answered.durations))
    seconds = float(answered.durations[longest])
    bucket = int(buckets(answered.durations[longest : longest + 1])[0])
    if bucket == 0 or seconds < threshold:
        return None
    long = answered.take(np.flatnonzero(answered.durations >= _EDGES[0]))
    ends = long.times + np.rint(long.durations * NANOSECONDS).astype(np.int64)
    met = THRESHOLDS[bucket - 1]
    leaves = direction in (Direction.OUT, Direction.TRANSIT)
    return Finding(
        detection=DETECTION,
        threats=(DETECTION,),
        key=key,
        severity=met.severity if leaves else min(met.severity, INNER_SEVERITY),
        direction=direction,
        first=int(long.times[0]),
        last=int(ends.max()),
        count=long.times.size,
        explanation=explain(_parts(seconds, bucket)),
        evidence=evidence(
            longest_s=seconds,
            longest_start_ns=int(answered.times[longest]),
            longest_bytes=int(answered.volumes[longest]),
            longest_port=int(answered.ports[longest]),
            unfinished=int(answered.unfinished[longest]),
            total_s=float(np.maximum(answered.durations, 0.0).sum()),
            connections=answered.times.size,
            long_connections=long.times.size,
            threshold_s=met.seconds,
        ),
        material=material(long.times, ends),
    )


def _parts(seconds: float, bucket: int) -> list[Part]:
    met = THRESHOLDS[bucket - 1]
    parts = [
        Part(
            feature="longest_connection_s",
            value=seconds,
            baseline=met.seconds,
            points=met.points,
            reason=met.reason,
        )
    ]
    if bucket < len(THRESHOLDS):
        above = THRESHOLDS[bucket]
        share = (seconds - met.seconds) / (above.seconds - met.seconds)
        parts.append(
            Part(
                feature="beyond_threshold_s",
                value=seconds - met.seconds,
                baseline=above.seconds - met.seconds,
                points=share * (above.points - met.points),
                reason="rises linearly to the next threshold",
            )
        )
    return parts
