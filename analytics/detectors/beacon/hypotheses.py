"""Which periods, jitters and miss rates are worth a full evaluation."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LAGS = 12
"""Most contacts between two beats that the recursion looks past (11 extra contacts)."""

JITTERS = np.array([0.012, 0.04, 0.10, 0.22, 0.35, 0.52])
"""Half widths of the uniform interval, as shares of the period."""

MISSES = np.array([0.03, 0.30])
"""Chances that a beat leaves no contact."""

NOISES = np.array([0.03, 0.36, 0.65])
"""Shares of all contacts that are not the beacon's."""

GRID_UP_TO = 60
"""Contacts up to which a logarithmic grid of periods joins the peaks."""

GRID_JITTER = 0.09
"""Smallest jitter for which that grid is worth it; finer ones rely on the peaks."""

PEAKS = 3
"""Peaks of the pair-difference count kept per jitter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Periods (in mean gaps) with their jitter shares, and the best peak's height in sigmas."""

    periods: NDArray[np.float64]
    jitters: NDArray[np.float64]
    peak: float


def differences(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``x[k] - x[k - l]`` for l = LAGS..1 (that order), infinite where k < l.

    Shape ``(n, LAGS)``; column ``LAGS - l`` holds lag ``l``.
    """
    n = places.size
    padded = np.concatenate((np.full(LAGS, -np.inf), places))
    earlier = np.lib.stride_tricks.sliding_window_view(padded, LAGS)[:n]
    lagged: NDArray[np.float64] = places[:, None] - earlier
    return lagged


def candidates(
    places: NDArray[np.float64],
    lagged: NDArray[np.float64],
    *,
    finest: float = 0.0,
    shortest: float = 0.0,
) -> Candidates:
    """Find the periods at which pair differences pile up beyond chance.

    Parameters
    ----------
    places
        Contact times in mean gaps, ascending from 0, shape ``(n,)``.
    lagged
        What `differences` returned for them.
    finest
        Half of the clock's resolution in mean gaps: intervals are not told apart below it.
    shortest
        Shortest period tried, in mean gaps.

    Notes
    -----
    For each jitter the count of differences within ``p (1 +- j)`` is set against its
    Poisson expectation, less half the excess of differences shorter than that (a beacon is
    refractory). Multiples of the period within `LAGS` contacts count as differences too,
    so that noise between beats does not hide it.

    """
    n = places.size
    span = float(places[-1])
    rate = n / span
    ordered = np.sort(lagged[np.isfinite(lagged)])
    ordered = ordered[np.searchsorted(ordered, 0.0, side="right") :]
    longest = min(9.0 / rate, span / 2.5) if n > 5 else span
    grid = np.exp(np.arange(math.log(0.08 / rate), math.log(longest), 0.02))
    width = np.maximum(JITTERS, 0.02)[:, None]
    low, high = grid * (1.0 - width), grid * (1.0 + width)
    first = np.searchsorted(ordered, low)
    last = np.searchsorted(ordered, high)
    count = last - first
    expected = np.maximum((n - grid * rate) * rate * (high - low), 0.3)
    crowd = np.maximum(n * rate * low, 0.3)
    refractory = np.clip((first - crowd) / np.sqrt(crowd), -6.0, 6.0)
    height = (count - expected) / np.sqrt(expected) - 0.5 * refractory
    height[count < 2] = -9.0
    periods, jitters = _peaks(grid, height, ordered, first, last)
    if n <= GRID_UP_TO:
        periods, jitters = _with_grid(periods, jitters, n)
    keep = (periods * jitters >= finest) & (periods >= shortest)
    return Candidates(periods=periods[keep], jitters=jitters[keep], peak=float(height.max()))


def _peaks(
    grid: NDArray[np.float64],
    height: NDArray[np.float64],
    ordered: NDArray[np.float64],
    first: NDArray[np.intp],
    last: NDArray[np.intp],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows = np.arange(JITTERS.size)
    left = height.copy()
    apart = np.maximum(1.5 * np.maximum(JITTERS, 0.02), 0.08)
    logs = np.log(grid)
    found = []
    for _ in range(PEAKS):
        best = left.argmax(axis=1)
        a, b = first[rows, best], last[rows, best]
        held = b > a
        top = ordered.size - 1
        middle = 0.5 * (
            ordered[np.minimum((a + b - 1) // 2, top)] + ordered[np.minimum((a + b) // 2, top)]
        )
        centre = grid[best]
        # a fine window is centred on its own median, a coarse one pulled half-way to it
        moved = np.where(JITTERS > 0.03, 0.5 * (centre + middle), middle)
        found.append(np.where(held, moved, centre))
        left[np.abs(logs[None, :] - np.log(centre)[:, None]) < apart[:, None]] = -1e9
    return np.concatenate(found), np.tile(JITTERS, PEAKS)


def _with_grid(
    periods: NDArray[np.float64], jitters: NDArray[np.float64], n: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    longest = min(2.4, (n - 1) / 2.5)
    for jitter in JITTERS[JITTERS >= GRID_JITTER]:
        steps = np.exp(np.arange(math.log(0.28), math.log(longest), 0.5 * jitter))
        periods = np.concatenate((periods, steps))
        jitters = np.concatenate((jitters, np.full(steps.size, jitter)))
    return periods, jitters
