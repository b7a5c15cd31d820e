"""How likely a series of gaps is when nothing periodic makes it."""

import math

import numpy as np
from numpy.typing import NDArray

LOGNORMAL_SIGMA_FLOOR = 1.05
"""Smallest log-normal sigma (no unit) of an aperiodic source; below it the gaps are regular."""

MIXTURE_FROM = 8
"""Fewest gaps from which a two-exponential mixture (three parameters) is fitted."""

MIXTURE_STEPS = 12
"""Expectation-maximisation steps; more change the log-likelihood by under 0.1 nats."""

SHORTEST_GAP = 1e-4
"""Floor of a gap, in mean gaps, that keeps logarithms finite."""

_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


def aperiodic_log_likelihood(gaps: NDArray[np.float64], dead: float = 0.0) -> float:
    """Return the best aperiodic renewal log-likelihood of the gaps, in nats.

    Parameters
    ----------
    gaps
        Gaps between contacts in units of their mean, shape ``(n,)`` with ``n >= 1``.
    dead
        Shortest gap that could occur (the burst width that was merged), same unit.

    Notes
    -----
    The largest of three: exponential, log-normal with sigma at least
    `LOGNORMAL_SIGMA_FLOOR`, and, from `MIXTURE_FROM` gaps, a mixture of two exponentials
    (busy and idle, as human sessions are). Each parameter is at its maximum likelihood,
    which leans towards "no beacon".

    """
    waits = np.maximum(gaps - dead, SHORTEST_GAP)
    n = waits.size
    logs = np.log(waits)
    best = max(_exponential(waits), _lognormal(logs))
    if n >= MIXTURE_FROM:
        best = max(best, _two_exponentials(waits))
    return best


def _exponential(waits: NDArray[np.float64]) -> float:
    return -waits.size * (math.log(float(waits.mean())) + 1.0)


def _lognormal(logs: NDArray[np.float64]) -> float:
    mean = float(logs.mean())
    squares = float(np.square(logs - mean).sum())
    sigma = max(math.sqrt(squares / logs.size), LOGNORMAL_SIGMA_FLOOR)
    constant = mean + math.log(sigma) + _HALF_LOG_TAU
    return -logs.size * constant - 0.5 * squares / sigma**2


def _two_exponentials(waits: NDArray[np.float64]) -> float:
    ordered = np.sort(waits)
    short = max(float(ordered[int(0.3 * (waits.size - 1))]), 1e-3)
    long = max(float(ordered[int(0.9 * (waits.size - 1))]), 2e-3)
    share = 0.5
    total = float(waits.sum())
    for _ in range(MIXTURE_STEPS):
        # responsibility of the short component, as a logistic of the log odds
        odds = waits * (1.0 / short - 1.0 / long)
        odds += math.log((1.0 - share) * short / (share * long))
        np.minimum(odds, 700.0, out=odds)
        belongs = 1.0 / (1.0 + np.exp(odds))
        weight = float(belongs.sum())
        held = float(belongs @ waits)
        share = min(max(weight / waits.size, 0.01), 0.99)
        short = max(held / max(weight, 1e-9), SHORTEST_GAP)
        long = max((total - held) / max(waits.size - weight, 1e-9), SHORTEST_GAP)
    density = share / short * np.exp(-waits / short)
    density += (1.0 - share) / long * np.exp(-waits / long)
    return float(np.log(density + 1e-300).sum())
