"""Where we may connect: public addresses over https, and what an operator opened besides."""

import re
from dataclasses import dataclass
from typing import Literal, Self
from urllib.parse import urlsplit

from destinations import addresses, names
from destinations.networks import Networks
from egress.errors import TargetRefused, UrlRefused

Scheme = Literal["http", "https"]
PORTS: dict[str, int] = {"http": 80, "https": 443}
MAX_REDIRECTS = 3  # a list that moved needs one or two; more is a loop or a game
MAX_URL = 2_048  # characters; longer ones are no list's address

# Global unicast is 2000::/3 and nothing else (RFC 4291 2.4). So mapped, compatible (::/96),
# site-local (fec0::/10), unique local, link-local, multicast and loopback fail without being named.
_GLOBAL_IPV6 = Networks.of(["2000::/3"])
_NAT64 = bytes.fromhex("0064ff9b") + bytes(8)  # RFC 6052: what DNS64 makes of a public IPv4 address

_SPECIAL = Networks.of(
    [
        "0.0.0.0/8",  # "this network", RFC 791
        "10.0.0.0/8",  # RFC 1918
        "100.64.0.0/10",  # RFC 6598, carrier-grade NAT
        "127.0.0.0/8",  # loopback, RFC 1122
        "169.254.0.0/16",  # link-local, RFC 3927; the clouds' metadata services
        "172.16.0.0/12",  # RFC 1918
        "192.0.0.0/24",  # IETF protocol assignments, RFC 6890
        "192.0.2.0/24",  # documentation, RFC 5737
        "192.31.196.0/24",  # AS112, RFC 7535
        "192.52.193.0/24",  # AMT, RFC 7450
        "192.88.99.0/24",  # 6to4 relay, RFC 7526
        "192.168.0.0/16",  # RFC 1918
        "192.175.48.0/24",  # AS112, RFC 7534
        "198.18.0.0/15",  # benchmarks, RFC 2544
        "198.51.100.0/24",  # documentation, RFC 5737
        "203.0.113.0/24",  # documentation, RFC 5737
        "224.0.0.0/4",  # multicast, RFC 5771
        "240.0.0.0/4",  # reserved and broadcast, RFC 1112, RFC 919
        "2001::/23",  # IETF assignments with Teredo, ORCHID and benchmarks, RFC 2928
        "2001:db8::/32",  # documentation, RFC 3849
        "2002::/16",  # 6to4 carries any IPv4 address inside, RFC 3056
        "2620:4f:8000::/48",  # AS112, RFC 7534
        "3fff::/20",  # documentation, RFC 9637
    ]
)


def is_public(packed: bytes) -> bool:
    """Tell whether a packed address is one that anybody on the Internet may serve from.

    NAT64 is judged by the IPv4 address inside; 6to4, Teredo and IPv4-compatible ones are never
    public, because nothing legitimate is reached through them.
    """
    if packed.startswith(_NAT64):
        packed = addresses.MAPPED + packed[12:]
    if _SPECIAL.contains(packed):
        return False
    return addresses.is_ipv4(packed) or _GLOBAL_IPV6.contains(packed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allow:
    """What an operator opened: a scheme and port, for one host or for a network.

    A host rule opens a scheme and port beyond https on 443, at public addresses only. A network
    rule opens exactly its addresses, be they public or not.
    """

    scheme: Scheme
    port: int
    host: str = ""
    networks: Networks | None = None

    def __post_init__(self) -> None:
        if bool(self.host) == (self.networks is not None):
            raise ValueError("an allow rule names a host or a network, one of the two")

    @classmethod
    def of_host(cls, host: str, *, scheme: Scheme, port: int) -> Self:
        """Open a scheme and port at one name."""
        return cls(scheme=scheme, port=port, host=names.normalise(host).text)

    @classmethod
    def of_network(cls, cidr: str, *, scheme: Scheme, port: int) -> Self:
        """Open a scheme and port at the addresses of a network; ``ValueError`` if it is none."""
        return cls(scheme=scheme, port=port, networks=Networks.of([cidr]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Which targets are open, and how many redirects are followed (each checked anew)."""

    allow: tuple[Allow, ...] = ()
    redirects: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.redirects <= MAX_REDIRECTS:
            raise ValueError(f"0 to {MAX_REDIRECTS} redirects, not {self.redirects}")

    def check_target(self, target: "Target") -> None:
        """Refuse a scheme and port that no rule opens, before its name is even resolved.

        Raises
        ------
        UrlRefused
            Unless the target is https on 443 or a rule names its scheme, port and host, or its
            scheme and port for some network.

        """
        if target.is_default or any(
            rule.networks is not None or rule.host == target.host for rule in self._rules(target)
        ):
            return
        raise UrlRefused(f"{target.scheme} on port {target.port} is not open for {target.host}")

    def check_address(self, target: "Target", packed: bytes) -> None:
        """Refuse one resolved address of a target.

        Raises
        ------
        TargetRefused
            Unless a network rule opens it, or it is public and the target itself is open.

        """
        rules = self._rules(target)
        if any(rule.networks is not None and rule.networks.contains(packed) for rule in rules):
            return
        named = target.is_default or any(rule.host == target.host for rule in rules)
        if named and is_public(packed):
            return
        raise TargetRefused(f"{target.host} leads to {addresses.render(packed)}, which is not open")

    def _rules(self, target: "Target") -> tuple[Allow, ...]:
        return tuple(
            rule for rule in self.allow if rule.scheme == target.scheme and rule.port == target.port
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A URL taken apart: the host is a normalised name or a canonical address."""

    scheme: Scheme
    host: str
    port: int
    path: str
    literal: bytes | None

    @property
    def is_default(self) -> bool:
        """Whether this is https on its own port, which needs no rule."""
        return self.scheme == "https" and self.port == PORTS["https"]

    @property
    def authority(self) -> str:
        """The host and, unless it is the scheme's own, the port, as the Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> tuple[str, str]:
        """What two URLs share when they are one server's."""
        return self.scheme, self.authority

    @property
    def url(self) -> str:
        """The URL in one form, without a fragment."""
        return f"{self.scheme}://{self.authority}{self.path}"


_FORBIDDEN = re.compile(r"[^\x21-\x7e]|\\")  # controls, blanks, raw Unicode in the path; backslash
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")


def target_of(url: str) -> Target:
    """Take a URL apart.

    Raises
    ------
    UrlRefused
        For a scheme that is not http(s), a user part, a bad port, a host that is no name or that
        a resolver would read as a number (``127.1``, ``0x7f000001``, ``2130706433``).

    """
    if len(url) > MAX_URL:
        raise UrlRefused(f"a URL of more than {MAX_URL} characters")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise UrlRefused(f"not a URL: {error}") from error
    if parts.scheme not in ("http", "https"):
        raise UrlRefused(f"scheme {parts.scheme!r} is not followed")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if "@" in parts.netloc or "%" in parts.netloc or _FORBIDDEN.search(path):
        raise UrlRefused("a URL with a user part, an escaped host or raw characters")
    if "\\" in url or any(ord(character) < 0x21 for character in url):  # urlsplit drops some
        raise UrlRefused("a URL with a backslash, a blank or a control character")
    scheme: Scheme = "http" if parts.scheme == "http" else "https"
    literal, host = _host(host)
    return Target(
        scheme=scheme,
        host=host,
        port=PORTS[scheme] if port is None else port,
        path=path,
        literal=literal,
    )


def _host(text: str) -> tuple[bytes | None, str]:
    try:
        packed = addresses.parse(text)
    except ValueError:
        pass
    else:
        return packed, addresses.render(packed)
    try:
        name = names.normalise(text)
    except ValueError as error:
        raise UrlRefused(f"not a host: {error}") from error
    if name.odd or _NUMBER.fullmatch(name.text.rsplit(".", 1)[-1]):
        raise UrlRefused(f"not a host: {name.text[:64]}")
    return None, name.text
