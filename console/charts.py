"""Bars as the server draws them: geometry only, the template writes the SVG. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

HEIGHT = 48
"""Units of height of the tallest bar; the drawing is scaled by its view box."""
STEP = 10
WIDTH = 8
"""Units from one bar to the next, and of a bar."""
LEAST = 1.5
"""Units of height of the smallest bar that is not nothing, so that little is not taken for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: where it stands, how tall it is, what it says."""

    x: float
    y: float
    height: float
    label: str
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """A row of bars and its view box."""

    bars: tuple[Bar, ...]
    width: int
    height: int
    most: int

    @property
    def total(self) -> int:
        """The sum of all bars."""
        return sum(bar.value for bar in self.bars)


def bars(values: Sequence[tuple[str, int]], *, least: int = 1) -> Bars:
    """Lay out labelled counts (none negative) left to right, the greatest at full height.

    `least` is a count that fills the height at least, so that noise does not look like a storm.
    """
    most = max((value for _, value in values), default=0)
    scale = HEIGHT / max(most, least)
    laid = []
    for place, (label, value) in enumerate(values):
        height = round(max(value * scale, LEAST if value else 0.0), 2)
        laid.append(
            Bar(
                x=place * STEP + (STEP - WIDTH) / 2,
                y=round(HEIGHT - height, 2),
                height=height,
                label=label,
                value=value,
            )
        )
    return Bars(bars=tuple(laid), width=max(1, len(laid)) * STEP, height=HEIGHT, most=most)
