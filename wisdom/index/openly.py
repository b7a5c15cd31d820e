"""What of a snapshot anybody may have: a small, fixed sample of the lists that may be passed on.

The sample is drawn when a snapshot is built, so that an answer is one read however large the lists
are. It is drawn by the digest of each entry under the snapshot's own stamp: nobody chooses what is
in it, it stays the same while the snapshot serves, and the next snapshot draws anew.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from crypto.digests import sha256
from destinations import addresses
from feeds import values
from feeds.indicators import Indicator, Kind
from feeds.serving import Serving
from wisdom.index import records
from wisdom.index.records import Form, Offered

SAMPLE = 500
"""Entries kept of a category and form: more than one test of a network needs, a page of JSON."""
FAMILY_SAMPLE = 100
"""Entries kept of one family; with a thousand families of a category some 10 MB on disk."""
FAMILIES = 1_000
"""Families kept of a category, those with most entries: public lists name some hundreds."""

_FORMS = {Kind.NAME: Form.DNS, Kind.DOMAIN: Form.DNS, Kind.ADDRESS_PORT: Form.IP}
"""Which kinds are offered: one needs a name to ask for, or an address with a port to connect to."""

Group = dict[str, Offered]
"""Entries of one category, form and family, by value: a value on two lists is offered once."""


def rows(served: Iterable[Serving], *, stamp: tuple[str, ...]) -> Iterator[tuple[bytes, bytes]]:
    """Draw the samples of feeds that may be passed on, as keys and values of the snapshot.

    Cost O(n log sample) for ``n`` such entries, in time; each is held once in memory.
    """
    salt = sha256("\n".join(stamp).encode())
    groups = _grouped(feed for feed in served if feed.redistribute)
    categories: defaultdict[str, defaultdict[str, list[Offered]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for (category, form, family), group in groups.items():
        drawn = _drawn(group, FAMILY_SAMPLE, salt)
        if family:
            categories[category][family] += group.values()
            yield records.offered_key(category, form, family), records.encode(drawn)
    yield from _whole(groups, salt)
    for category, families in categories.items():
        yield records.families_key(category), records.encode(_named(families.values()))


def _whole(
    groups: dict[tuple[str, Form, str], Group], salt: bytes
) -> Iterator[tuple[bytes, bytes]]:
    """Draw each category's own sample, whatever the family."""
    whole: defaultdict[tuple[str, Form], Group] = defaultdict(dict)
    for (category, form, _), group in groups.items():
        whole[category, form] |= group
    for (category, form), group in whole.items():
        drawn = _drawn(group, SAMPLE, salt)
        yield records.offered_key(category, form, ""), records.encode(drawn)


def _grouped(served: Iterable[Serving]) -> dict[tuple[str, Form, str], Group]:
    groups: defaultdict[tuple[str, Form, str], Group] = defaultdict(dict)
    for feed in served:
        for indicator, until in feed.indicators:
            form = _FORMS.get(indicator.kind)
            if form is not None:
                offered = _offered(indicator, int(until.timestamp()))
                group = groups[indicator.flag, form, indicator.family.casefold()]
                earlier = group.get(indicator.value)
                if earlier is None or earlier.until < offered.until:
                    group[indicator.value] = offered
    return groups


def _offered(indicator: Indicator, until: int) -> Offered:
    if indicator.kind is not Kind.ADDRESS_PORT:
        return Offered(value=indicator.value, port=0, family=indicator.family, until=until)
    packed, port = values.split_address_port(indicator.value)
    return Offered(value=addresses.render(packed), port=port, family=indicator.family, until=until)


def _drawn(group: Group, size: int, salt: bytes) -> tuple[Offered, ...]:
    ranked = ((sha256(salt + value.encode()), value) for value in group)
    return tuple(group[value] for _, value in heapq.nsmallest(size, ranked))


def _named(families: Iterable[Sequence[Offered]]) -> tuple[str, ...]:
    """Name the largest families, each as its lists spell it (the first spelling in order)."""
    sizes = ((len(entries), min(entry.family for entry in entries)) for entries in families)
    largest = heapq.nsmallest(FAMILIES, ((-size, name) for size, name in sizes))
    return tuple(sorted((name for _, name in largest), key=str.casefold))
