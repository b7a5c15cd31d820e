"""The sources we can read: one file each, with the same names in it.

``NAME, TITLE, ORIGIN`` who publishes; ``URL, EVERY`` where and how often; ``LICENCE, TERMS,
COMMERCIAL_USE, REDISTRIBUTE`` what may be done with it; ``FLAG`` what a row means; ``EXPIRES`` how
long a row is believed after it was last seen; ``parse(body)`` what it says. No I/O in any of them.
"""

from datetime import timedelta
from typing import Protocol

from feeds.errors import UnknownSource
from feeds.indicators import Parsed
from feeds.sources import plain_list, spamhaus_drop, urlhaus


class Source(Protocol):
    """What each module of this package offers."""

    NAME: str
    TITLE: str
    ORIGIN: str  # two sources of one origin do not corroborate each other; empty: the feed itself
    URL: str
    LICENCE: str
    TERMS: str
    COMMERCIAL_USE: bool
    REDISTRIBUTE: bool
    EVERY: timedelta
    EXPIRES: timedelta
    FLAG: str

    def parse(self, body: bytes) -> Parsed:
        """Read a body; ``feeds.errors.ListRefused`` when it is not this source's format."""
        ...


SOURCES: dict[str, Source] = {
    source.NAME: source for source in (plain_list, spamhaus_drop, urlhaus)
}


def source(name: str) -> Source:
    """Find a source by its name; ``UnknownSource`` otherwise."""
    try:
        return SOURCES[name]
    except KeyError:
        raise UnknownSource(f"no source {name!r}; there are {', '.join(SOURCES)}") from None
