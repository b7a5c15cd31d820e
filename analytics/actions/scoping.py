"""Which sources a tenant watches, and which destinations it trusts them with. Pure.

The rule is that of the client whose wire form the groups have: a source is in a group that names it
among its inclusions and not among its exclusions, and in scope where one group is left. A group
trusts destinations on behalf of its own sources: a destination is trusted where every group that
the source is in trusts it. Without groups every source is in scope and nothing is trusted.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from destinations import addresses, names
from destinations.networks import Networks

_MAC = re.compile(r"(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}", re.ASCII)
MAX_VALUE = 255
"""Characters of a value: a host name has no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group's values as text, each valid by `source_value`, `domain_value` or `network_value`."""

    inclusions: Sequence[str] = ()
    exclusions: Sequence[str] = ()
    domains: Sequence[str] = ()
    cidrs: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Set:
    """Networks, exact names, and suffixes that hold with everything under them."""

    networks: Networks
    exact: frozenset[str]
    suffixes: frozenset[str]

    @classmethod
    def of(cls, values: Iterable[str]) -> Self:
        networks, exact, suffixes = [], set(), set()
        for value in values:
            network = as_network(value)
            if network is not None:
                networks.append(network)
            elif value.startswith("*."):
                suffixes.add(_spelt(value[2:]))
            else:
                exact.add(_spelt(value))
        return cls(
            networks=Networks.of(networks), exact=frozenset(exact), suffixes=frozenset(suffixes)
        )

    def has_address(self, packed: bytes) -> bool:
        return self.networks.contains(packed)

    def has_name(self, text: str) -> bool:
        spelt = _spelt(text)
        if spelt in self.exact or spelt in self.suffixes:
            return bool(spelt)
        return any(spelt[at + 1 :] in self.suffixes for at, c in enumerate(spelt) if c == ".")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sets:
    included: _Set
    excluded: _Set
    trusted: _Set

    def covers(self, source: bytes, known_as: Sequence[str]) -> bool:
        return _holds(self.included, source, known_as) and not _holds(
            self.excluded, source, known_as
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoping:
    """A tenant's groups, ready to be asked."""

    sets: tuple[_Sets, ...]

    def covers(self, source: bytes, *known_as: str) -> bool:
        """Say whether a source is watched.

        ``source`` is a packed address; ``known_as`` are its host name, MAC address and user, where
        the sensor said them.
        """
        return not self.sets or any(each.covers(source, known_as) for each in self.sets)

    def trusts(self, source: bytes, destination: str, *known_as: str) -> bool:
        """Say whether every group that a source is in trusts a destination (an address or name)."""
        groups = [each for each in self.sets if each.covers(source, known_as)]
        return bool(groups) and all(_is_trusted(each.trusted, destination) for each in groups)


def scope_of(groups: Iterable[Group]) -> Scoping:
    """Return what some groups mean together."""
    return Scoping(
        sets=tuple(
            _Sets(
                included=_Set.of(group.inclusions),
                excluded=_Set.of(group.exclusions),
                trusted=_Set.of([*group.cidrs, *group.domains]),
            )
            for group in groups
        )
    )


def as_network(value: str) -> str | None:
    """Return the network that a value is (host bits cut), ``None`` for anything else."""
    try:
        return str(ipaddress.ip_network(value.strip(), strict=False))
    except ValueError:
        return None


def network_value(value: str) -> str:
    """Return a network or address in its one spelling; ``ValueError`` for anything else."""
    network = as_network(value)
    if network is None:
        raise ValueError("is neither a network nor an address")
    return network


def domain_value(value: str) -> str:
    """Return a name, perhaps with ``*.`` before it, in its one spelling; ``ValueError`` if odd."""
    text = value.strip()
    wild, bare = ("*.", text[2:]) if text.startswith("*.") else ("", text)
    if len(bare) > MAX_VALUE:
        raise ValueError(f"is longer than {MAX_VALUE} characters")
    try:
        name = names.normalise(bare)
    except ValueError as error:
        raise ValueError(f"is {error}") from None
    if name.odd:
        raise ValueError("is no domain; *.suffix takes everything under a suffix")
    return wild + name.text


def source_value(value: str) -> str:
    """Return what names a source: a network, an address, a host name, a MAC address or a user."""
    text = value.strip()
    if not text or len(text) > MAX_VALUE:
        raise ValueError(f"has to have 1 to {MAX_VALUE} characters")
    network = as_network(text)
    if network is not None:
        return network
    if not text.isprintable():
        raise ValueError("holds a control character")
    if "/" in text:
        raise ValueError("is no network")
    if "*" in text.removeprefix("*.") or text == "*.":
        raise ValueError("has * somewhere else than in *.suffix")
    return text


def _holds(values: _Set, source: bytes, known_as: Sequence[str]) -> bool:
    return values.has_address(source) or any(values.has_name(text) for text in known_as if text)


def _is_trusted(values: _Set, destination: str) -> bool:
    try:
        return values.has_address(addresses.parse(destination))
    except ValueError:
        return values.has_name(destination)


def _spelt(text: str) -> str:
    """Return a host, user or MAC address in the spelling under which it is compared."""
    lowered = text.strip().rstrip(".").lower()
    if _MAC.fullmatch(lowered):
        return re.sub(r"[:.-]", "", lowered)
    return lowered
