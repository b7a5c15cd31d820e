"""Rows as research may see them: what happened, and not to whom. Pure.

Built from nothing, field by field: what is not named here does not leave, so a field that a kind
gains stays at home until somebody puts it here. Sources, hosts, users, hardware addresses,
certificates and fingerprints become random names, the same for the same value within one export and
kept nowhere. A destination keeps its name only where it is on the list of public destinations that
the operator gives, as registered domain or network; what stands before the registered domain never
leaves. Times move by one random number of whole days, so that the time of day, which beacons are
known by, stays. Texts that a sensor may fill freely leave only as members of closed sets.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from analytics.detectors.states import ConnState
from analytics.ingest.events import Kind
from analytics.ingest.times import NO_DATE, SECOND, render_time
from analytics.series.pairs import PROTOCOLS
from destinations import addresses, names, urls
from destinations.networks import DEFAULT_HOME, Networks

MOST_SHIFT = 3650
"""Days that times move back by at the most: ten years, beyond the memory of lists and logs."""
DAY = 86_400 * SECOND
NAME_BYTES = 8
"""Random octets of a name: of a billion names two are equal with a chance of 3 in 100."""

_STATES = frozenset(state.name for state in ConnState if state is not ConnState.UNSET)
_QTYPES = frozenset(
    {
        "A", "AAAA", "ANY", "AXFR", "CAA", "CNAME", "DNSKEY", "DS", "HINFO", "HTTPS",
        "IXFR", "LOC", "MX", "NAPTR", "NS", "NSEC", "NSEC3", "NULL", "OPT", "PTR", "RRSIG",
        "SOA", "SPF", "SRV", "SSHFP", "SVCB", "TLSA", "TXT",
    }
)  # fmt: skip
_RCODES = frozenset(
    {
        "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN",
        "YXRRSET", "NXRRSET", "NOTAUTH",
    }
)  # fmt: skip
_METHODS = frozenset(
    {
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
        "PROPFIND",
    }
)  # fmt: skip
_MEDIA = frozenset(
    {
        "application", "audio", "font", "image", "message", "model", "multipart", "text",
        "video",
    }
)  # fmt: skip
_VERSIONS = frozenset(
    {
        "0.9", "1.0", "1.1", "2", "2.0", "3", "3.0", "SSLv3", "TLSv10", "TLSv11", "TLSv12",
        "TLSv13", "TLSv1", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3", "DTLSv10", "DTLSv12",
        "DTLSv13",
    }
)  # fmt: skip
_LEASES = frozenset({"dhcp", "vpn"})
_FAMILIES = (
    ("edg", "edge"), ("opr/", "opera"), ("firefox/", "firefox"), ("chrome/", "chrome"),
    ("trident/", "internet explorer"), ("msie ", "internet explorer"), ("safari/", "safari"),
    ("curl/", "curl"), ("wget/", "wget"), ("python", "python"), ("go-http-client", "go"),
    ("okhttp", "okhttp"), ("java/", "java"), ("powershell", "powershell"),
    ("microsoft", "windows"), ("windows", "windows"), ("dalvik", "android"),
    ("cfnetwork", "apple"), ("apt-http", "apt"), ("bot", "bot"),
)  # fmt: skip
"""What a user agent has in it, and what is told of it; the first that fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Public:
    """What everybody knows: registered domains and networks that may keep their names."""

    domains: frozenset[str] = frozenset()
    networks: Networks = field(default_factory=lambda: Networks.of([]))

    @classmethod
    def parse(cls, lines: Iterable[str]) -> "Public":
        """Read a list: a registered domain or a network a line; ``#`` begins a remark.

        A line that is neither, or a domain that is not itself a registered one, raises
        ``ValueError``: under a platform's suffix every customer is a domain of its own.
        """
        domains, networks = set(), []
        for number, line in enumerate(lines, 1):
            text = line.partition("#")[0].strip()
            if not text:
                continue
            try:
                Networks.of([text])
            except ValueError:
                name = names.normalise(text)
                if name.odd or names.registered_domain(name.text) != name.text:
                    raise ValueError(
                        f"line {number} is neither a network nor a registered domain"
                    ) from None
                domains.add(name.text)
            else:
                networks.append(text)
        return cls(domains=frozenset(domains), networks=Networks.of(networks))


@dataclass(frozen=True, slots=True, kw_only=True)
class Disguise:
    """One export's random names and its shift. Its memory grows with the distinct values."""

    random: Callable[[int], bytes]
    days: int
    public: Public
    _names: dict[tuple[str, str | bytes], str] = field(default_factory=dict)

    @classmethod
    def new(cls, *, random: Callable[[int], bytes], public: Public) -> "Disguise":
        """Draw the shift: 1 to `MOST_SHIFT` days back, each as likely."""
        days = 1 + int.from_bytes(random(8), "big") % MOST_SHIFT
        return cls(random=random, days=days, public=public)

    def rows(self, table: pa.Table, kind: Kind) -> Iterator[dict[str, Any]]:
        """Yield a table's rows, disguised, by their time and random name.

        Rows lie in a segment in the order of their sources' addresses, which must not show.
        """
        make = _KINDS[kind.name]
        told = [
            {name: value for name, value in {**self._head(row), **make(self, row)}.items()
             if value is not None}
            for row in table.to_pylist()
        ]  # fmt: skip
        yield from sorted(told, key=lambda row: (row["ts"], row["source"], row.get("port", -1)))

    def named(self, what: str, value: str | bytes) -> str | None:
        """Return the random name of a value of a sort, None where it is unset."""
        if not value:
            return None
        name = self._names.get((what, value))
        if name is None:
            name = f"{what}-{self.random(NAME_BYTES).hex()}"
            self._names[what, value] = name
        return name

    def address(self, packed: bytes) -> dict[str, Any]:
        """Tell of an address where it lies; of a listed one what it is."""
        if not any(packed):
            return {}
        shown = (
            addresses.render(packed)
            if self.public.networks.contains(packed)
            else self.named("address", packed)
        )
        return {"address": shown, "inside": DEFAULT_HOME.contains(packed)}

    def domain(self, name: str) -> dict[str, Any]:
        """Tell of a name its registered domain if that is listed, and the shape of the rest."""
        if not name:
            return {}
        registered = names.registered_domain(name) or name
        listed = registered in self.public.domains
        below = name.removesuffix(registered).removesuffix(".")
        return {
            "domain": registered if listed else self.named("domain", registered),
            "name": self.named("name", name),
            "labelsBelow": below.count(".") + 1 if below else 0,
            "lengthBelow": len(below),
        }

    def _head(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "ts": render_time(row["ts"] - self.days * DAY),
            "source": self.named("source", row["srcIP"]),
            "sourceInside": DEFAULT_HOME.contains(row["srcIP"]),
            "host": self.named("host", row["srcHost"]),
            "mac": self.named("mac", row["srcMac"]),
            "user": self.named("user", row["srcUser"]),
            "localOrig": _flag(row["localOrig"]),
            "localResp": _flag(row["localResp"]),
        }


def family(agent: str) -> str | None:
    """Return the family of a user agent, ``other`` for one of none, None where there is none."""
    lowered = agent.lower()
    if not lowered:
        return None
    return next((told for inside, told in _FAMILIES if inside in lowered), "other")


def _dns(disguise: Disguise, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **disguise.domain(row["query"]),
        "qtype": _one_of(row["qtype"].upper(), _QTYPES),
        "rcode": _one_of(row["rcode"].upper(), _RCODES),
        "answers": len(row["answers"]) or None,
        "resolver": disguise.address(row["destIP"]).get("address"),
    }


def _ip(disguise: Disguise, row: Mapping[str, Any]) -> dict[str, Any]:
    duration = row["duration"]
    return {
        **disguise.address(row["destIP"]),
        "port": _count(row["destPort"]),
        "proto": _one_of(row["proto"], PROTOCOLS.keys()),
        "bytesIn": _count(row["bytesIn"]),
        "bytesOut": _count(row["bytesOut"]),
        "packetsIn": _count(row["pktsIn"]),
        "packetsOut": _count(row["pktsOut"]),
        "duration": None if duration != duration else duration,  # noqa: PLR0124 -- NaN is unset
        "state": _one_of(row["connState"], _STATES),
        "icmpType": _count(row["icmpType"]),
        "ja3": disguise.named("ja3", row["ja3"]),
    }


def _http(disguise: Disguise, row: Mapping[str, Any]) -> dict[str, Any]:
    status = row["status"]
    return {
        **_of_url(disguise, row["url"]),
        **disguise.address(row["destIP"]),
        "port": _count(row["destPort"]),
        "method": _one_of(row["method"], _METHODS),
        "status": status if 100 <= status <= 599 else None,
        "bytesIn": _count(row["bytesIn"]),
        "bytesOut": _count(row["bytesOut"]),
        "media": _one_of(row["contentType"].partition("/")[0], _MEDIA),
        "agent": family(row["userAgent"]),
        "version": _one_of(row["version"], _VERSIONS),
    }


def _tls(disguise: Disguise, row: Mapping[str, Any]) -> dict[str, Any]:
    begins, ends = row["validFrom"], row["validTo"]
    known = NO_DATE not in {begins, ends}
    return {
        **disguise.domain(row["sni"]),
        **disguise.address(row["destIP"]),
        "port": _count(row["destPort"]),
        "certificate": disguise.named("certificate", row["certHash"]),
        "validDays": (ends - begins) // 86_400 if known else None,
        **{name: disguise.named(name, row[name]) for name in ("ja3", "ja3s", "ja4", "ja4s")},
        "version": _one_of(row["version"], _VERSIONS),
    }


def _lease(disguise: Disguise, row: Mapping[str, Any]) -> dict[str, Any]:
    del disguise
    return {
        "type": _one_of(row["type"], _LEASES),
        "ends": _flag(row["termination"]),
        "duration": _count(row["duration"]),
    }


_KINDS: Mapping[str, Callable[[Disguise, Mapping[str, Any]], dict[str, Any]]] = {
    "dns": _dns,
    "ip": _ip,
    "http": _http,
    "tls": _tls,
    "lease": _lease,
}


def _of_url(disguise: Disguise, text: str) -> dict[str, Any]:
    """Tell of a URL its host as of any destination, and how long the rest is."""
    try:
        url = urls.parse(text)
    except ValueError:
        return {}
    try:
        told = disguise.address(addresses.parse(url.host.strip("[]")))
    except ValueError:
        told = disguise.domain(url.host)
    return {**told, "scheme": _one_of(url.scheme, {"http", "https", "ftp"}),
            "lengthOfRest": len(url.rest)}  # fmt: skip


def _one_of(value: str, closed: Iterable[str]) -> str | None:
    if not value:
        return None
    return value if value in closed else "other"


def _count(value: int) -> int | None:
    return value if value >= 0 else None


def _flag(value: int) -> bool | None:
    return None if value < 0 else bool(value)
