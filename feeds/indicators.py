"""An indicator is one thing a list says: of which destination, what it means, since when."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What an indicator matches.

    ``name`` one name exactly; ``domain`` a name and all below it; ``address`` one address on any
    port; ``network`` every address of a CIDR; ``address_port`` one address on one port
    (``192.0.2.1:443``, ``[2001:db8::1]:443``); ``url`` host, path and query without the scheme,
    as a prefix.
    """

    NAME = "name"
    DOMAIN = "domain"
    ADDRESS = "address"
    NETWORK = "network"
    ADDRESS_PORT = "address_port"
    URL = "url"


class Indicator(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One indicator in canonical form; times are UTC, ``reference`` leads to the evidence."""

    kind: Kind
    value: str
    flag: str
    family: str = ""
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    reference: str = ""


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    """What one body says: indicators, how many rows were refused and why, the list's own date."""

    indicators: tuple[Indicator, ...]
    rejected: Mapping[str, int] = {}
    as_of: datetime | None = None
    notes: tuple[str, ...] = ()


def merged(indicators: Iterable[Indicator]) -> tuple[Indicator, ...]:
    """Keep one indicator for each (kind, value, flag): the widest time span, the newest evidence.

    Returns
    -------
    tuple[Indicator, ...]
        In the order in which each first appeared.

    """
    kept: dict[tuple[Kind, str, str], Indicator] = {}
    for indicator in indicators:
        key = (indicator.kind, indicator.value, indicator.flag)
        earlier = kept.get(key)
        kept[key] = indicator if earlier is None else _joined(earlier, indicator)
    return tuple(kept.values())


def relabelled(parsed: Parsed, *, flag: str, family: str, usual: str) -> Parsed:
    """Give the flag and family that an operator set to every indicator that says none of its own.

    ``usual`` is the flag that the source gives where its rows say nothing. Empty ones change
    nothing.
    """
    if not flag and not family:
        return parsed
    changed = tuple(
        msgspec.structs.replace(
            indicator,
            flag=flag if flag and indicator.flag == usual else indicator.flag,
            family=indicator.family or family,
        )
        for indicator in parsed.indicators
    )
    return msgspec.structs.replace(parsed, indicators=changed)


def _joined(one: Indicator, other: Indicator) -> Indicator:
    firsts = [seen for seen in (one.first_seen, other.first_seen) if seen is not None]
    lasts = [seen for seen in (one.last_seen, other.last_seen) if seen is not None]
    newer = other if _last(other) > _last(one) else one
    return Indicator(
        kind=one.kind,
        value=one.value,
        flag=one.flag,
        family=newer.family or one.family or other.family,
        first_seen=min(firsts, default=None),
        last_seen=max(lasts, default=None),
        reference=newer.reference,
    )


def _last(indicator: Indicator) -> float:
    return 0.0 if indicator.last_seen is None else indicator.last_seen.timestamp()
