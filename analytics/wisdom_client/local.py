"""Destinations that nobody outside can know anything of, so that they are never asked about."""

from destinations import addresses, names
from destinations.networks import DEFAULT_HOME, Networks
from destinations.report import Destination, Report

TTL = 86_400  # seconds: the answer never changes; a day bounds what a change of these rules costs

_NOBODYS = Networks.of(
    [
        *DEFAULT_HOME.cidrs,
        "0.0.0.0/8",  # this network, RFC 791
        "127.0.0.0/8",  # loopback, RFC 1122
        "224.0.0.0/4",  # multicast, RFC 5771
        "255.255.255.255/32",  # broadcast, RFC 919
        "::/127",  # unspecified and loopback, RFC 4291
        "ff00::/8",  # multicast, RFC 4291
    ]
)  # documentation and reserved ranges are ordinary destinations

_SUFFIXES = (
    ".in-addr.arpa",  # reverse look-ups spell addresses of the inside
    ".ip6.arpa",
    ".home.arpa",  # RFC 8375
    ".internal",  # reserved by ICANN for private use
    ".local",  # RFC 6762, multicast DNS
    ".localhost",  # RFC 6761
)


def answered_here(destination: Destination) -> Report | None:
    """Give the empty report of a destination that needs no asking, or None when it does."""
    if destination.kind == "address":
        nobodys = _NOBODYS.contains(addresses.parse(destination.value))
    else:
        name = destination.value
        nobodys = "." not in name or name.endswith(_SUFFIXES)
    if not nobodys:
        return None
    return Report(
        destination=destination,
        flags=(),
        labels=(),
        domain="",
        score=0,
        verdict="unlisted",
        reasons=(),
        ttl=TTL,
        snapshot="",
        psl=names.PSL_VERSION,
    )
