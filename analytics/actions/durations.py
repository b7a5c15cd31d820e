"""Durations as Go writes them: ``3600s``, ``1h30m``, ``1.5h``, ``500ms``. Pure."""

import re
from datetime import timedelta

_PART = re.compile(r"(\d{1,12}(?:\.\d{0,9})?|\.\d{1,9})(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_SECONDS = {
    "ns": 1e-9, "us": 1e-6, "\N{MICRO SIGN}s": 1e-6, "\N{GREEK SMALL LETTER MU}s": 1e-6,
    "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0,
}  # fmt: skip
LONGEST = timedelta(days=36_500)
"""What a longer one reads as: a century is all there is."""


def parse_duration(text: str) -> timedelta:
    """Read a duration, at most `LONGEST`; ``ValueError`` for what is none, or is negative."""
    if text == "0":
        return timedelta()
    seconds, end = 0.0, 0
    for part in _PART.finditer(text[:64]):
        if part.start() != end:
            break
        seconds += float(part[1]) * _SECONDS[part[2]]
        end = part.end()
    if not end or end != len(text):
        raise ValueError("not a duration such as 3600s or 1h30m")
    return timedelta(seconds=min(seconds, LONGEST.total_seconds()))
