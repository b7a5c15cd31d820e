"""One indicator a line, as most lists and every list written by hand have it."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from destinations import flags
from feeds import values
from feeds.indicators import Indicator, Parsed, merged

NAME = "plain_list"
TITLE = "Plain list"
ORIGIN = ""  # each list is its own
URL = ""
LICENCE = "as the list says"
TERMS = ""
COMMERCIAL_USE = False  # unknown until an operator has read the list's terms
REDISTRIBUTE = False
EVERY = timedelta(hours=24)
EXPIRES = timedelta(days=30)  # after the last fetch that still had the row
FLAG = "blocklist"  # the list says bad and nothing more; an operator may know better

FAMILY_LENGTH = 64  # characters, as an operator's own

_SINKS = frozenset({"0.0.0.0", "127.0.0.1", "::", "::1"})  # noqa: S104 -- where a hosts file points
_LOCAL = frozenset({"localhost", "localhost.localdomain", "local", "broadcasthost"})
_COMMENT = re.compile(r"(?:^|\s)(?:#|;|//|!).*$")
_UPDATED = re.compile(
    r"(?:last[ -])?(?:updated|modified)\s*:\s*(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)", re.IGNORECASE
)
_HEADER_LINES = 40  # banners are shorter


def parse(body: bytes) -> Parsed:
    """Read a list of domains, addresses, networks, ``address:port`` and URLs, in any mixture.

    A second word may say what the entry is, ``flag:Family`` or a flag alone (``c2:Example``).
    Comments start with ``#``, ``;``, ``//`` or ``!`` at the start of a line or after a blank.
    Hosts-file lines name exact hosts. Of ``address count`` the address is taken. Defanged entries
    (``hxxp``, ``[.]``) are read as meant.
    """
    lines = body.decode("utf-8-sig", "replace").splitlines()
    rejected: Counter[str] = Counter()
    found: list[Indicator] = []
    for line in lines:
        entry = _COMMENT.sub("", line).split()
        if not entry:
            continue
        flag, family = _said(entry)
        try:
            found += [
                Indicator(kind=value.kind, value=value.text, flag=flag, family=family)
                for value in _read(entry)
            ]
        except ValueError:
            rejected["malformed"] += 1
    return Parsed(indicators=merged(found), rejected=rejected, as_of=_as_of(lines))


def _said(entry: list[str]) -> tuple[str, str]:
    """Take the word off an entry that says what it is; give flag and family."""
    if len(entry) == 2 and entry[0] not in _SINKS:
        flag, _, family = entry[1].partition(":")
        if flag in flags.BY_NAME and len(family) <= FAMILY_LENGTH and ":" not in family:
            del entry[1]
            return flag, family
    return FLAG, ""


def _read(entry: list[str]) -> Iterator[values.Value]:
    first, *rest = entry
    if rest and first in _SINKS:
        for host in rest:
            if host.lower() not in _LOCAL:
                yield values.of_name(host, exact=True)
    elif not rest or all(word.isdecimal() for word in rest):
        yield from values.of_text(first.replace("[.]", ".").replace("hxxp", "http"))
    else:
        raise ValueError("more than one word")


def _as_of(lines: list[str]) -> datetime | None:
    for line in lines[:_HEADER_LINES]:
        if _COMMENT.match(line) and (found := _UPDATED.search(line)):
            try:
                return datetime.fromisoformat(f"{found[1]}T{found[2]}").replace(tzinfo=UTC)
            except ValueError:
                return None
    return None
