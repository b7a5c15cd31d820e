"""Bookmarks: where a reader stands in an order that only grows. Pure.

A bookmark is ``<epoch>-<place in base 36>``, or ``<epoch>-<place>.<offset>`` in the middle of what
has one place. It is made of letters, digits, ``-`` and ``.`` alone, because one existing client
puts it into a URL as it is. It says nothing of whose it is, and never expires.
"""

import re
from dataclasses import dataclass

FROM_THE_START = frozenset({"", "0", "undefined"})
"""What existing clients send before they have a bookmark; the last is a template's unset name."""
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_FORM = re.compile(r"(\d{1,9})-([0-9a-z]{1,12})(?:\.([0-9a-z]{1,6}))?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark:
    """A place in the order of an epoch, and how much of the next place was told."""

    epoch: int
    place: int
    offset: int = 0

    def __str__(self) -> str:
        """Write the bookmark."""
        inside = f".{_base36(self.offset)}" if self.offset else ""
        return f"{self.epoch}-{_base36(self.place)}{inside}"


def parse(text: str) -> Bookmark | None:
    """Read a bookmark; ``None`` for what is none."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    return Bookmark(epoch=int(match[1]), place=int(match[2], 36), offset=int(match[3] or "0", 36))


def _base36(number: int) -> str:
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
        if not number:
            return digits
