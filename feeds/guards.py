"""What a list may not do to us: be a web page, be empty, be ten times itself, list everybody.

Whatever fails here leaves the last good release serving. Thresholds follow the measurements of
what lists do on ordinary days.
"""

import ipaddress
from collections import Counter
from collections.abc import Sequence
from statistics import median

import msgspec

from destinations import addresses, names
from destinations.networks import Networks, span
from feeds import values
from feeds.errors import ListRefused
from feeds.indicators import Indicator, Kind, Parsed

MAX_BODY = 64 << 20  # octets as sent; the largest list in common use has 20 MB
MAX_INFLATED = 512 << 20  # octets
MAX_ROWS = 5_000_000
GROWTH = 2.0  # more than twice the median of the last runs is held
SHRINKAGE = 0.5  # less than half of it, too
SWINGING = 20  # rows: below this a list halves and doubles on any ordinary day
MOST_REFUSED = 0.5  # of all rows: above this the format has changed, or the list is hostile
WIDEST = {4: 8, 6: 19}  # prefix lengths; wider networks are nobody's (RIRs give out less)

_NEVER = Networks.of(
    [
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # RFC 1918, and so on below
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "224.0.0.0/4",  # multicast
        "255.255.255.255/32",
        "::/127",  # unspecified and loopback
        "fc00::/7",
        "fe80::/10",
        "ff00::/8",
    ]
)  # documentation ranges are ordinary destinations, so lists may name them
_NEVER_SPANS = tuple(
    (int.from_bytes(low, "big"), int.from_bytes(high, "big"))
    for low, high in zip(_NEVER.first, _NEVER.last, strict=True)
)


def check_body(body: bytes) -> None:
    """Refuse a body that is too large or is a web page in the place of a list."""
    if len(body) > MAX_INFLATED:
        raise ListRefused("too_large", f"{len(body)} octets; {MAX_INFLATED} are let in")
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:256].lower()
    if start.startswith((b"<!doctype", b"<html", b"<head", b"<?xml", b"<body", b"<script")):
        raise ListRefused("html_page", "a web page came in the place of the list")


def screen(parsed: Parsed) -> Parsed:
    """Drop what would condemn everybody or nobody: inside addresses, suffixes, huge networks."""
    rejected: Counter[str] = Counter(parsed.rejected)
    kept: list[Indicator] = []
    for indicator in parsed.indicators:
        reason = _objection(indicator)
        if reason:
            rejected[reason] += 1
        else:
            kept.append(indicator)
    return msgspec.structs.replace(parsed, indicators=tuple(kept), rejected=dict(rejected))


def check_rows(parsed: Parsed, earlier: Sequence[int]) -> None:
    """Refuse a screened list that lost its rows, has too many, or was mostly unreadable.

    Parameters
    ----------
    earlier
        Row counts of the last good releases; empty for a new feed.

    """
    rows = len(parsed.indicators)
    refused = sum(parsed.rejected.values())
    if rows > MAX_ROWS:
        raise ListRefused("too_large", f"{rows} rows; {MAX_ROWS} are let in")
    if refused > MOST_REFUSED * (rows + refused):
        raise ListRefused("mostly_refused", f"{refused} of {rows + refused} rows make no sense")
    if rows == 0 and any(earlier):
        raise ListRefused("emptied", "the list is empty, and it was not")


def is_jump(rows: int, earlier: Sequence[int]) -> bool:
    """Tell whether a list's size is so unlike its last sizes that somebody should look first."""
    if not earlier:
        return False
    usual = median(earlier)
    if max(usual, rows) < SWINGING:
        return False
    return not SHRINKAGE * usual <= rows <= GROWTH * usual


def _objection(indicator: Indicator) -> str:
    match indicator.kind:
        case Kind.ADDRESS:
            return _never(addresses.parse(indicator.value))
        case Kind.ADDRESS_PORT:
            return _never(values.split_address_port(indicator.value)[0])
        case Kind.NETWORK:
            return _network(indicator.value)
        case Kind.URL:
            return _host(indicator.value.partition("/")[0])
        case Kind.NAME | Kind.DOMAIN:
            return _name(indicator.value)


def _never(packed: bytes) -> str:
    return "private" if _NEVER.contains(packed) else ""


def _network(cidr: str) -> str:
    network = ipaddress.ip_network(cidr)
    if network.prefixlen < WIDEST[network.version]:
        return "too_broad"
    low, high = span(cidr)
    inside = any(low <= last and first <= high for first, last in _NEVER_SPANS)
    return "private" if inside else ""


def _name(name: str) -> str:
    if "." not in name:
        return "single_label"
    return "public_suffix" if names.is_public_suffix(name) else ""


def _host(authority: str) -> str:
    host, colon, port = authority.rpartition(":")
    bare = host if colon and port.isdecimal() and host else authority
    try:
        return _never(addresses.parse(bare.removeprefix("[").removesuffix("]")))
    except ValueError:
        return "single_label" if "." not in bare else ""
