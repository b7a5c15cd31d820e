"""The beacon's own likelihood: a forward recursion over which contacts are beats."""

import math

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.beacon.hypotheses import LAGS, MISSES

BEATS = 4
"""Most periods one gap between seen beats may span (three misses in a row)."""

OUTAGE = 0.02
"""Chance that a gap follows no beat count at all: the host slept or lost its network."""

EDGE = 0.15
"""Softness of the interval's edges, as a share of the jitter."""

EDGE_FLOOR = 0.004
"""Smallest softness as a share of the period: clocks and networks are never exact."""

_RESCALE_EVERY = 16


def gap_densities(
    lagged: NDArray[np.float64], periods: NDArray[np.float64], jitters: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the density of each gap between two beats under each hypothesis.

    Parameters
    ----------
    lagged
        Differences of contact times, any shape ``s``; infinite where there is none.
    periods, jitters
        Hypotheses, shape ``(c,)``; periods in the unit of `lagged`.

    Returns
    -------
    ndarray
        Shape ``s + (2 c,)`` in double precision: all hypotheses with the first miss
        chance of `MISSES`, then all with the second.

    Notes
    -----
    One period is uniform within ``1 +- j`` with logistic edges; i periods are normal
    around i with variance ``i j^2 / 3`` (the sum of i uniforms); i is geometric.

    """
    period = periods.astype(np.float32)
    jitter = jitters.astype(np.float32)
    ratio = np.minimum(lagged, 1e6).astype(np.float32)[..., None] / period
    single = _one_period(ratio, jitter)
    several = [_more_periods(ratio, jitter, beats) for beats in range(2, BEATS + 1)]
    ratio += np.float32(1.0)
    np.square(ratio, out=ratio)
    outage = np.divide(np.float32(0.5 * OUTAGE), ratio, out=ratio)
    count = periods.size
    out = np.empty((*ratio.shape[:-1], MISSES.size * count))
    mixed = np.empty_like(ratio)
    for row, miss in enumerate(MISSES):
        # Horner: single + miss (two + miss (three + miss four))
        np.multiply(several[-1], np.float32(miss), out=mixed)
        for bell in several[-2::-1]:
            mixed += bell
            mixed *= np.float32(miss)
        mixed += single
        mixed *= np.float32((1.0 - OUTAGE) * (1.0 - miss))
        mixed += outage
        np.divide(mixed, period, out=out[..., row * count : (row + 1) * count])
    return out


def _one_period(ratio: NDArray[np.float32], jitter: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the density of one interval: uniform within ``1 +- jitter``, edges logistic."""
    soft = np.maximum(np.float32(EDGE) * jitter, np.float32(EDGE_FLOOR))
    reach = jitter / soft
    edge = (ratio - np.float32(1.0)) / soft
    rise = -edge
    rise -= reach
    edge -= reach
    rise = _one_plus_exp(rise)
    rise *= _one_plus_exp(edge)
    rise *= np.float32(2.0) * jitter
    return np.divide(np.float32(1.0), rise, out=rise)


def _one_plus_exp(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``1 + e^x`` in place; past 30 its inverse is 0 to single precision."""
    np.minimum(values, np.float32(30.0), out=values)
    np.exp(values, out=values)
    values += np.float32(1.0)
    return values


def _more_periods(
    ratio: NDArray[np.float32], jitter: NDArray[np.float32], beats: int
) -> NDArray[np.float32]:
    """Return the density of the sum of `beats` intervals, by the normal with their variance."""
    sigma = jitter * np.float32(math.sqrt(beats / 3.0))
    bell = ratio - np.float32(beats)
    bell /= sigma
    np.square(bell, out=bell)
    bell *= np.float32(-0.5)
    np.exp(bell, out=bell)
    bell /= sigma * np.float32(math.sqrt(2.0 * math.pi))
    return bell


def forward(
    densities: NDArray[np.float64], weights: NDArray[np.float64], noise: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Sum the likelihood over every choice of beats, in one pass over the contacts.

    Parameters
    ----------
    densities
        Gap densities, shape ``(n, LAGS, h)``, lags in the order of `differences`.
    weights
        Log ratio of being a beat to being noise by size, in nats, shape ``(v, n)``.
    noise
        Rate of noise contacts, in contacts per mean gap, shape ``(v,)``.

    Returns
    -------
    ndarray
        Log of ``sum over paths``, shape ``(v, h)``, relative to all contacts being noise
        of rate `noise` with one contact free of charge (see `score_look`).

    Notes
    -----
    ``f[k] = w[k] (1 + sum over l of G[k, l] f[k - l] / noise)``. A noise contact costs its
    rate whatever the path, and the silence between costs ``exp(-noise * span)``: both are
    factored out, so that one set of densities serves every noise level, with or without
    sizes. The first beat may be any of the first `LAGS` contacts, the last any of the
    last. This is the forward pass of Rabiner (1989) on a semi-Markov chain (Yu 2010).

    """
    n, _, hypotheses = densities.shape
    variants = noise.size
    beat = np.ascontiguousarray(np.exp(weights).T)[:, :, None]
    step = beat / noise[:, None]
    kept = np.zeros((n + LAGS, variants, hypotheses))
    logs = np.zeros((variants, hypotheses))
    for k in range(n):
        value = kept[k + LAGS]
        np.einsum("lh,lvh->vh", densities[k], kept[k : k + LAGS], out=value)
        value *= step[k]
        if k < LAGS:
            value += beat[k]
        elif k % _RESCALE_EVERY == 0:
            window = kept[k + 1 : k + LAGS + 1]
            largest = np.maximum(window.max(axis=0), 1e-300)
            window /= largest
            logs += np.log(largest)
    total: NDArray[np.float64] = logs + np.log(kept[n : n + LAGS].sum(axis=0) + 1e-300)
    return total
