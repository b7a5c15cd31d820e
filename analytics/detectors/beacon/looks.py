"""Which stretches of a series are looked at: complete ones, on a grid that never moves."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PREFIXES = (6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 28, 32, 40, 48, 64, 80, 96, 128, 160, 200)
"""Contacts of the prefixes looked at: dense where one contact more is worth a nat."""

WINDOW = PREFIXES[-1]
"""Contacts of a look past the prefixes."""

STRIDE = 100
"""Contacts between the starts of windows: each stretch is seen whole in some window half
as long."""

STRIDE_GROWTH = 0.05
"""Past 20 strides windows start at 5 % steps, so that a day of 86,400 contacts costs about
110 windows and not 860."""

WIDTHS = (0.0, 1.0, 6.0, 30.0, 120.0)
"""Burst widths in seconds: contacts closer than this to the one before are one contact."""

SAME_INSTANT = 1e-3
"""Seconds within which two contacts are one even where nothing is merged."""

_LONE_GAPS = 4
_SURPLUS_SIGMAS = 4.0
_SURPLUS_FLOOR = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One stretch of one merged series.

    `rows` are the contacts looked at, as places in the series; `width` is the burst width.
    """

    rows: NDArray[np.intp]
    width: float


def looks(times: NDArray[np.float64]) -> Iterator[Look]:
    """Yield every complete look at a series, in a fixed order.

    Parameters
    ----------
    times
        Contact times in seconds, ascending, shape ``(n,)``.

    Notes
    -----
    A contact opens a burst when the gap before it is at least the width, which depends on
    nothing later; so the merged series of a prefix is a prefix of the merged series, and a
    complete look is the same whatever follows it. A width is used in a look only if that
    look's own gaps hold more short ones than the rest of them predicts (`bursty`).

    """
    gaps = np.diff(times, prepend=-math.inf)
    for width in WIDTHS:
        heads = np.flatnonzero(gaps >= max(width, SAME_INSTANT))
        if heads.size < PREFIXES[0]:
            return
        for first, last in spans(heads.size):
            rows = heads[first:last]
            if width == 0.0 or bursty(gaps[rows[0] + 1 : rows[-1] + 1], width):
                yield Look(rows=rows, width=width)


def spans(count: int) -> Iterator[tuple[int, int]]:
    """Yield the first place and the place past the last of each look at `count` contacts."""
    for size in PREFIXES:
        if size > count:
            return
        yield 0, size
    start = STRIDE
    while start + WINDOW <= count:
        yield start, start + WINDOW
        start += max(STRIDE, STRIDE * math.floor(start * STRIDE_GROWTH / STRIDE))


def bursty(gaps: NDArray[np.float64], width: float) -> bool:
    """Tell whether there are more gaps under `width` seconds than an aperiodic source has.

    The gaps past the width set the rate (median of the excess, as if exponential); the
    short ones must exceed what that rate predicts by four standard deviations and three.
    """
    long = gaps[gaps >= width]
    if long.size < _LONE_GAPS:
        return False
    median = float(np.median(long)) - width + 1e-9
    chance = 1.0 - math.exp(-width * math.log(2.0) / median)
    expected = gaps.size * chance
    spread = math.sqrt(expected * (1.0 - chance))
    return gaps.size - long.size > expected + _SURPLUS_SIGMAS * spread + _SURPLUS_FLOOR
