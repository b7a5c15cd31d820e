"""What the sizes of contacts say about which of them are the beacon's."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SPREAD_FLOOR = 0.03
"""Standard deviation of log size below which a direction's sizes are constant and mute."""

CORE_SHARE = 0.9
"""Share of the expected beats that the densest band of sizes must hold."""

STEPS = 25
"""Fixed-point steps for the share of beacon-sized contacts."""

CLIP = 12.0
"""Largest log ratio, in nats, that one contact's sizes may contribute."""


def size_marks(
    log_sizes: Sequence[NDArray[np.float64]], noise: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return, per noise share and contact, the log weight of being a beat and of being noise.

    Parameters
    ----------
    log_sizes
        Natural logarithms of the sizes, one array of shape ``(n,)`` a direction.
    noise
        Shares of contacts that are noise, shape ``(v,)``.

    Returns
    -------
    tuple or None
        Two arrays of shape ``(v, n)`` in nats: weight of a beat and of a noise contact,
        both against an exchangeable mixture of the two with its share at maximum
        likelihood. None where no direction's sizes vary enough to speak.

    Notes
    -----
    The mixture is the whole point: sizes that are merely constant, or merely two-valued,
    earn nothing, because the mixture explains them as well. Only an association between
    the size and the place in the beat does. With a fixed share instead of the maximum
    likelihood one, Poisson series reach a median of +17 nats.

    """
    bands = [_band_ratio(values, noise) for values in log_sizes]
    heard = [band for band in bands if band is not None]
    if not heard:
        return None
    ratio = np.clip(sum(heard[1:], heard[0]), -CLIP, CLIP)
    odds = np.exp(ratio)
    share = 1.0 - noise
    for _ in range(STEPS):
        against = (1.0 - share) / share
        share = (odds / (odds + against[:, None])).sum(axis=1) / odds.shape[1]
        share = np.minimum(np.maximum(share, 0.02), 0.98)
    mixture = np.log(share[:, None] * odds + (1.0 - share[:, None]))
    return ratio - mixture, -mixture


def _band_ratio(
    values: NDArray[np.float64], noise: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Return the log ratio of the densest band of sizes to a broad normal, 0 if it holds all."""
    n = values.size
    spread = float(values.std())
    if spread < SPREAD_FLOOR:
        return None
    ordered = np.sort(values)
    median = _middle(ordered)
    sigma = max(1.4826 * _middle(np.sort(np.abs(values - median))), 0.5, spread)
    broad = np.exp(-0.5 * np.square((values - median) / sigma)) / (sigma * 2.5066283) + 1e-4
    out = np.zeros((noise.size, n))
    spoke = False
    for row, share in enumerate(noise):
        core = max(3, int(np.ceil((1.0 - share) * CORE_SHARE * n)))
        if core >= n:
            continue
        spoke = True
        widths = ordered[core - 1 :] - ordered[: n - core + 1]
        start = int(np.argmin(widths))
        pad = 0.08 * float(widths[start]) + 0.02
        low, high = ordered[start] - pad, ordered[start + core - 1] + pad
        inside = (values >= low) & (values <= high)
        out[row] = np.log(0.95 * inside / (high - low) / broad + 0.05)
    return out if spoke else None


def _middle(ordered: NDArray[np.float64]) -> float:
    """Return the median of sorted values."""
    return 0.5 * float(ordered[(ordered.size - 1) // 2] + ordered[ordered.size // 2])
