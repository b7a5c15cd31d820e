"""Bookmarks: where a reader stands in one of a tenant's orders.

A bookmark is ``<epoch>-<place in base 36>``, or ``<epoch>-<place>.<offset>`` in the middle of what
has one place. It is made of letters, digits, ``-`` and ``.`` alone, because one existing client
puts it into a URL as it is. It says nothing of whose it is, and never expires.
"""

import re
from urllib.parse import unquote

from analytics.actions.sequencing import EPOCH
from tenants.errors import Refused

FROM_THE_START = frozenset({"", "0", "undefined"})
"""What existing clients send before they have a bookmark; the last is a template's unset name."""
_TOKEN = re.compile(r"(\d{1,9})-([0-9a-z]{1,12})(?:\.([0-9a-z]{1,6}))?", re.ASCII)
_FOREIGN = re.compile(r"(\d{1,9})[-.][0-9a-f]{1,16}", re.ASCII)
"""The other service's bookmarks, which a client that changes one URL goes on to send."""
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LONGEST = 256
"""Characters that are looked at: a bookmark of ours has at most 29."""


def is_first_call(token: str) -> bool:
    """Say whether a client has no bookmark of ours yet."""
    plain = _plain(token)
    return plain in FROM_THE_START or _is_foreign(plain)


def place_of(token: str) -> int:
    """Return the place that a bookmark names; raise `Refused` for what is none of ours."""
    place, offset = position_of(token)
    if offset:
        raise _refused()
    return place


def position_of(token: str) -> tuple[int, int]:
    """Return place and offset that a bookmark names; raise `Refused` for what is none of ours.

    A bookmark of another order, that of the service a client polled before, is none here: all that
    is kept follows it, which repeats nothing to that client. Blanks around a bookmark and one more
    layer of percent-escapes are forgiven: templates and spreadsheets add them.
    """
    plain = _plain(token)
    if plain in FROM_THE_START:
        return 0, 0
    if _is_foreign(plain):
        return 0, 0
    match = _TOKEN.fullmatch(plain)
    if match is None or int(match[1]) != EPOCH:
        raise _refused()
    return int(match[2], 36), int(match[3] or "0", 36)


def token_of(place: int, offset: int = 0) -> str:
    """Return the bookmark of a place, and of so much of the next one."""
    inside = f".{_base36(offset)}" if offset else ""
    return f"{EPOCH}-{_base36(place)}{inside}"


def _plain(token: str) -> str:
    return unquote(token[:_LONGEST]).strip()


def _is_foreign(plain: str) -> bool:
    match = _FOREIGN.fullmatch(plain)
    return match is not None and int(match[1]) != EPOCH


def _refused() -> Refused:
    return Refused("Invalid follow parameter: send the value of an earlier answer, or none.")


def _base36(number: int) -> str:
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
        if not number:
            return digits
