"""Sets of networks, and the direction of traffic between inside and outside."""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

from destinations import addresses

_PAIRS = np.dtype(">u8")  # big-endian, so that byte order is numeric order
_WHOLE = np.dtype("S16")  # compared as 16 unsigned bytes; NUL padding makes equal what is equal


class Direction(StrEnum):
    """Where traffic goes, seen from a tenant's networks."""

    OUT = "out"
    IN = "in"
    INSIDE = "inside"
    TRANSIT = "transit"


DIRECTIONS = (Direction.TRANSIT, Direction.IN, Direction.OUT, Direction.INSIDE)
"""Directions by code: 2 for a local source plus 1 for a local destination."""


def pairs(packed: Iterable[bytes]) -> NDArray[np.uint64]:
    """Lay packed addresses out as an array of shape ``(n, 2)``: high and low 64 bits."""
    joined = b"".join(packed)
    if len(joined) % addresses.WIDTH:
        raise ValueError(f"packed addresses have {addresses.WIDTH} bytes each")
    return np.frombuffer(joined, dtype=_PAIRS).reshape(-1, 2).astype(np.uint64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Networks:
    """An immutable set of addresses, given as networks, asked one by one or as a column.

    ``first`` and ``last`` are the ends of disjoint ranges, ascending, as 16-byte strings.
    """

    cidrs: tuple[str, ...]
    first: tuple[bytes, ...]
    last: tuple[bytes, ...]

    @classmethod
    def of(cls, cidrs: Sequence[str]) -> Self:
        """Build the set from CIDR texts (or single addresses).

        Raises
        ------
        ValueError
            For a text that is no network, or that has host bits set.

        """
        spans = sorted(span(text) for text in cidrs)
        first: list[int] = []
        last: list[int] = []
        for low, high in spans:
            if last and low <= last[-1] + 1:
                last[-1] = max(last[-1], high)
            else:
                first.append(low)
                last.append(high)
        return cls(
            cidrs=tuple(cidrs),
            first=tuple(value.to_bytes(addresses.WIDTH, "big") for value in first),
            last=tuple(value.to_bytes(addresses.WIDTH, "big") for value in last),
        )

    def contains(self, packed: bytes) -> bool:
        """Tell whether one packed address is in the set; O(number of ranges)."""
        return any(low <= packed <= high for low, high in zip(self.first, self.last, strict=True))

    def members(self, column: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Tell for each address of a column whether it is in the set.

        Parameters
        ----------
        column
            Shape ``(n, 2)``: high and low 64 bits, as ``pairs`` makes them.

        Returns
        -------
        NDArray[np.bool_]
            Shape ``(n,)``. Cost O(n log ranges).

        """
        if not self.first:
            return np.zeros(len(column), dtype=np.bool_)
        whole = np.ascontiguousarray(column, dtype=_PAIRS).view(_WHOLE).reshape(-1)
        place = np.searchsorted(np.array(self.first, dtype=_WHOLE), whole, side="right") - 1
        ends = np.array(self.last, dtype=_WHOLE)[np.maximum(place, 0)]
        return (place >= 0) & (whole <= ends)


def span(text: str) -> tuple[int, int]:
    """Give the first and last address of a network as integers in the IPv6 space.

    Raises
    ------
    ValueError
        For a text that is no network, or that has host bits set.

    """
    network = ipaddress.ip_network(text)
    base = int.from_bytes(addresses.MAPPED, "big") << 32 if network.version == 4 else 0
    low = base + int(network.network_address)
    return low, low + network.num_addresses - 1


DEFAULT_HOME = Networks.of(
    [
        "10.0.0.0/8",  # RFC 1918
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",  # RFC 6598, carrier-grade NAT
        "169.254.0.0/16",  # RFC 3927, link-local
        "fc00::/7",  # RFC 4193, unique local
        "fe80::/10",  # RFC 4291, link-local
    ]
)
"""What counts as inside where a tenant has configured nothing."""


def direction(
    source: bytes,
    destination: bytes | None,
    home: Networks,
    local_orig: bool | None = None,  # noqa: FBT001 -- a tri-state fact of the event, not a switch
    local_resp: bool | None = None,  # noqa: FBT001 -- likewise
) -> Direction:
    """Name the direction of one contact; the sensor's own word beats the networks.

    A destination known by name only (None) counts as outside unless ``local_resp`` says so.
    """
    from_home = home.contains(source) if local_orig is None else local_orig
    if local_resp is not None:
        to_home = local_resp
    else:
        to_home = destination is not None and home.contains(destination)
    return DIRECTIONS[2 * from_home + to_home]


def directions(from_home: NDArray[np.bool_], to_home: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Give the code into ``DIRECTIONS`` for each row of two membership columns."""
    codes: NDArray[np.uint8] = 2 * from_home.astype(np.uint8) + to_home.astype(np.uint8)
    return codes
