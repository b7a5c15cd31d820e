"""The catalogue: what each detection means, needs and does wrong.

`threats()` is what inventory and documentation are made from; `VERSION` is on each alert
and changes whenever an entry, a threshold or a formula does.
"""

from collections.abc import Mapping
from types import MappingProxyType

from analytics.catalogue.behaviour import BEACON, FAILED_CONTACT, LONG_SESSION
from analytics.catalogue.entries import Entry, Limit
from analytics.catalogue.listed import ENTRIES as LISTED

VERSION = "1.0"

_THREATS: Mapping[str, Entry] = MappingProxyType(
    {entry.id: entry for entry in (BEACON, FAILED_CONTACT, LONG_SESSION, *LISTED)}
)


def threats() -> Mapping[str, Entry]:
    """Return every entry by its id."""
    return _THREATS


__all__ = ["VERSION", "Entry", "Limit", "threats"]
