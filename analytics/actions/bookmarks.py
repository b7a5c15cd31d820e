"""Bookmarks of a tenant's orders, as clients send and store them."""

import re
from urllib.parse import unquote

from analytics.actions.sequencing import EPOCH
from audit.bookmarks import FROM_THE_START, Bookmark, parse
from tenants.errors import Refused

_FOREIGN = re.compile(r"(\d{1,9})[-.][0-9a-f]{1,16}", re.ASCII)
"""The other service's bookmarks, which a client that changes one URL goes on to send."""
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
    if plain in FROM_THE_START or _is_foreign(plain):
        return 0, 0
    bookmark = parse(plain)
    if bookmark is None or bookmark.epoch != EPOCH:
        raise _refused()
    return bookmark.place, bookmark.offset


def token_of(place: int, offset: int = 0) -> str:
    """Return the bookmark of a place, and of so much of the next one."""
    return str(Bookmark(epoch=EPOCH, place=place, offset=offset))


def _plain(token: str) -> str:
    return unquote(token[:_LONGEST]).strip()


def _is_foreign(plain: str) -> bool:
    match = _FOREIGN.fullmatch(plain)
    return match is not None and int(match[1]) != EPOCH


def _refused() -> Refused:
    return Refused("Invalid follow parameter: send the value of an earlier answer, or none.")
