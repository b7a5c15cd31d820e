"""From a list's text to canonical indicator values."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from destinations import addresses, names
from feeds.indicators import Kind
from feeds.shared_hosts import is_shared

_DEFAULT_PORTS = {"http": 80, "https": 443, "ftp": 21}
MAX_URL = 2_048  # characters: longer ones are cut off by the lists themselves


@dataclass(frozen=True, slots=True)
class Value:
    """One canonical value and what it matches."""

    kind: Kind
    text: str


def of_text(text: str) -> Iterator[Value]:
    """Read one entry of a list of any sort: an address, a network, a name, a URL.

    A name that is a registered domain stands for all below it, because one party holds them all;
    ``*.`` or a leading dot says so for any name; every other name stands for itself.

    Raises
    ------
    ValueError
        For what is none of these.

    """
    if "://" in text:
        yield from of_url(text)
    elif (value := _address_like(text)) is not None:
        yield value
    elif "/" in text:
        yield from of_url(f"http://{text}")
    else:
        yield of_name(text)


def of_name(text: str, *, exact: bool = False) -> Value:
    """Read a host name; ``exact`` for lists (hosts files) that cannot mean a whole domain.

    Raises
    ------
    ValueError
        For what is no well-formed name.

    """
    bare = text.removeprefix("*.").removeprefix(".")
    name = names.normalise(bare)
    if name.odd or name.text.rpartition(".")[2].isdecimal():  # half an address is no name
        raise ValueError(f"not a name: {text[:64]!r}")
    whole = bare != text or (
        names.registered_domain(name.text) == name.text and not is_shared_path_host(name.text)
    )
    return Value(Kind.DOMAIN if whole and not exact else Kind.NAME, name.text)


def is_shared_path_host(name: str) -> bool:
    """Tell whether a name is a platform that gives its customers paths only."""
    return not names.is_under_private_suffix(name) and is_shared(name)


def of_url(text: str) -> Iterator[Value]:
    """Read a URL: itself as a prefix, and what it says of its host.

    An address as host gives address and port; a name gives itself, exactly, unless the host is a
    platform shared by strangers.

    Raises
    ------
    ValueError
        For what is no URL with a host.

    """
    if len(text) > MAX_URL:
        raise ValueError("a URL too long to be whole")
    parts = urlsplit(text)
    host, port = parts.hostname or "", parts.port
    if not host or any(ord(character) <= 0x20 for character in text):
        raise ValueError(f"not a URL: {text[:64]!r}")
    packed = _packed(host)
    if packed is None:
        name = names.normalise(host)
        if name.odd:
            raise ValueError(f"not a host: {host[:64]!r}")
        shown = host = name.text
    else:
        host = addresses.render(packed)
        shown = f"[{host}]" if ":" in host else host
    scheme_port = _DEFAULT_PORTS.get(parts.scheme)
    if port is not None and port != scheme_port:
        shown += f":{port}"
    query = f"?{parts.query}" if parts.query else ""
    yield Value(Kind.URL, shown + (parts.path or "/") + query)
    if packed is None:
        if not is_shared(host):
            yield Value(Kind.NAME, host)
    elif (actual := port or scheme_port) is not None:
        yield Value(Kind.ADDRESS_PORT, address_port(packed, actual))


def of_network(text: str) -> Value:
    """Read a CIDR; one that holds a single address is that address.

    Raises
    ------
    ValueError
        For what is no network or has host bits set.

    """
    network = ipaddress.ip_network(text)
    if network.num_addresses == 1:
        return Value(Kind.ADDRESS, addresses.render(addresses.parse(str(network.network_address))))
    return Value(Kind.NETWORK, str(network))


def address_port(packed: bytes, port: int) -> str:
    """Write an address and a port as one value."""
    text = addresses.render(packed)
    return f"[{text}]:{port}" if ":" in text else f"{text}:{port}"


def split_address_port(text: str) -> tuple[bytes, int]:
    """Take such a value apart; ``ValueError`` for anything else."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or not port.isascii() or not 0 < int(port) <= 65_535:
        raise ValueError(f"not an address with a port: {text[:64]!r}")
    return addresses.parse(host.removeprefix("[").removesuffix("]")), int(port)


def _packed(text: str) -> bytes | None:
    try:
        return addresses.parse(text)
    except ValueError:
        return None


def _address_like(text: str) -> Value | None:
    if (packed := _packed(text)) is not None:
        return Value(Kind.ADDRESS, addresses.render(packed))
    if text.startswith("[") or text.count(":") == 1:
        try:
            packed, port = split_address_port(text)
        except ValueError:
            return None
        return Value(Kind.ADDRESS_PORT, address_port(packed, port))
    if "/" in text:
        try:
            return of_network(text)
        except ValueError:
            return None
    return None
