"""From where a request comes, as far as that can be believed. Pure."""

from collections.abc import Iterable, Mapping
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Any

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

V4_PREFIX = 24
V6_PREFIX = 64
"""What one subscriber or office usually has."""
UNKNOWN = "unknown"


def client_address(meta: Mapping[str, Any], *, trusted: Iterable[str]) -> str:
    """Return the client's address, ``""`` where it cannot be told.

    That is ``REMOTE_ADDR``, unless a proxy in the networks `trusted` stands there: then it is the
    right-most address of X-Forwarded-For that is no such proxy. Everything left of that is what
    the client itself may have written.
    """
    networks = [ip_network(each) for each in trusted]
    peer = _parsed(str(meta.get("REMOTE_ADDR", "")))
    if peer is None:
        return ""
    if not _is_in(peer, networks):
        return str(peer)
    for hop in reversed(str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(",")):
        if not hop.strip():
            continue
        address = _parsed(hop)
        if address is None:
            return ""
        if not _is_in(address, networks):
            return str(address)
        peer = address
    return str(peer)


def network_of(address: str, *, v6_prefix: int = V6_PREFIX) -> str:
    """Return the network that strangers at an address are counted under."""
    parsed = _parsed(address)
    if parsed is None:
        return UNKNOWN
    prefix = V4_PREFIX if isinstance(parsed, IPv4Address) else v6_prefix
    return str(ip_network((parsed, prefix), strict=False))


def normal_network(text: str) -> str:
    """Return a network or single address as it is stored; raises ValueError for anything else."""
    return str(ip_network(text.strip(), strict=False))


def _parsed(text: str) -> Address | None:
    """Read an address, with or without a port, an IPv4 one mapped into IPv6 as itself."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        parsed = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)
