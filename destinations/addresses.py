"""An address is 16 bytes: IPv6 as it is, IPv4 mapped into ``::ffff:0:0/96``."""

import socket

WIDTH = 16
MAPPED = b"\x00" * 10 + b"\xff\xff"


def parse(text: str) -> bytes:
    """Pack an address; a zone id is cut, because it means something on one machine only.

    Parameters
    ----------
    text
        IPv4 in four decimal parts without leading zeros, or IPv6 with or without ``%zone``.

    Returns
    -------
    bytes
        16 bytes; ``192.0.2.1`` and ``::ffff:192.0.2.1`` pack alike.

    Raises
    ------
    ValueError
        For anything else, the short forms of ``inet_aton`` (``127.1``) included.

    """
    try:
        if ":" not in text:
            return MAPPED + socket.inet_pton(socket.AF_INET, text)
        bare, _, zone = text.partition("%")
        return socket.inet_pton(socket.AF_INET6, bare if zone else text)
    except (OSError, ValueError) as error:  # a ValueError for NUL and for what is not ASCII
        raise ValueError(f"not an address: {text[:64]!r}") from error


def render(packed: bytes) -> str:
    """Write a packed address the short way: dotted for IPv4, RFC 5952 for IPv6.

    Raises
    ------
    ValueError
        Unless ``packed`` has 16 bytes.

    """
    if len(packed) != WIDTH:
        raise ValueError(f"a packed address has {WIDTH} bytes, not {len(packed)}")
    if packed.startswith(MAPPED):
        return socket.inet_ntop(socket.AF_INET, packed[12:])
    return socket.inet_ntop(socket.AF_INET6, packed)


def is_ipv4(packed: bytes) -> bool:
    """Tell whether a packed address is a mapped IPv4 one."""
    return packed.startswith(MAPPED)
