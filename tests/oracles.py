"""Slow and obvious twins of the fast routines, written from the definitions alone."""

import math
from collections.abc import Sequence
from itertools import combinations, pairwise


def interval_density(gap: float, period: float, jitter: float, miss: float) -> float:
    """Density of the gap between two seen beats: 1 to 4 periods, or an outage."""
    ratio = gap / period
    soft = max(0.15 * jitter, 0.004)
    rise = 1.0 / (1.0 + math.exp(min(-(ratio - (1.0 - jitter)) / soft, 700.0)))
    fall = 1.0 / (1.0 + math.exp(min(-((1.0 + jitter) - ratio) / soft, 700.0)))
    total = (1.0 - miss) * rise * fall / (2.0 * jitter)
    for beats in (2, 3, 4):
        sigma = jitter * math.sqrt(beats / 3.0)
        bell = math.exp(-0.5 * ((ratio - beats) / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))
        total += (1.0 - miss) * miss ** (beats - 1) * bell
    return (0.98 * total + 0.02 * 0.5 / (1.0 + ratio) ** 2) / period


def beacon_likelihood_of_all_subsets(
    times: Sequence[float],
    *,
    period: float,
    jitter: float,
    miss: float,
    noise: float,
    beat_marks: Sequence[float],
    noise_marks: Sequence[float],
) -> float:
    """Log-likelihood summed over every non-empty choice of beats; for at most 12 contacts."""
    n = len(times)
    span = times[-1] - times[0]
    total = 0.0
    for size in range(1, n + 1):
        for beats in combinations(range(n), size):
            value = (1.0 - noise) * noise ** (n - size) * math.exp(-noise * span)
            for a, b in pairwise(beats):
                value *= interval_density(times[b] - times[a], period, jitter, miss)
            for k in range(n):
                value *= math.exp(beat_marks[k] if k in beats else noise_marks[k])
            total += value
    return math.log(total)


def beacon_likelihood_by_loops(
    times: Sequence[float], *, period: float, jitter: float, miss: float, noise: float, lags: int
) -> float:
    """Log-likelihood from timing by the plain recursion, each noise contact at its place."""
    n = len(times)
    reached = [-math.inf] * n
    for k in range(n):
        ways = []
        if k < lags:
            ways.append(math.log(1.0 - noise) + k * math.log(noise) - noise * (times[k] - times[0]))
        for lag in range(1, min(lags, k) + 1):
            gap = times[k] - times[k - lag]
            density = interval_density(gap, period, jitter, miss)
            ways.append(
                reached[k - lag] + math.log(density) + (lag - 1) * math.log(noise) - noise * gap
            )
        reached[k] = log_sum(ways)
    return log_sum(
        [
            reached[k] + (n - 1 - k) * math.log(noise) - noise * (times[-1] - times[k])
            for k in range(max(0, n - lags), n)
        ]
    )


def log_sum(values: Sequence[float]) -> float:
    """Logarithm of a sum of exponentials."""
    top = max(values)
    if top == -math.inf:
        return top
    return top + math.log(math.fsum(math.exp(value - top) for value in values))


def exponential_log_likelihood(gaps: Sequence[float]) -> float:
    """Best exponential log-likelihood: the rate is one over the mean."""
    rate = len(gaps) / math.fsum(gaps)
    return math.fsum(math.log(rate) - rate * gap for gap in gaps)


def longest_by_connection(rows: Sequence[tuple[int, float]]) -> float:
    """Longest duration of (connection id, duration) rows, whatever their order."""
    longest: dict[int, float] = {}
    for connection, duration in rows:
        longest[connection] = max(longest.get(connection, 0.0), duration)
    return max(longest.values())
