"""The service's operations as values: what to ask, and how to read the answer. No I/O."""

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import quote

from tawny import answers
from tawny.answers import AlertPage, FindingPage, Flag, Lookup, Receipt, Status, Threat
from tawny.formats.events import Kind

Answer = TypeVar("Answer")

GZIP_LEVEL = 1  # conn events shrink 6.3 times; level 6 makes it 7.7 for 2.5 times the work
READ_AS_WRITTEN = ":/?@!$'()*,;=[]"
"""Characters of a destination that mean nothing in a query string and go as they are: existing
services read ``tcp:[2001:db8::1]:443`` without decoding. ``& # + %`` and spaces must not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[Answer]):
    """One request; ``decode`` reads the body of its answer or raises ``msgspec.DecodeError``.

    ``target`` is a path with its query. The same call may be made again: it then takes effect once.
    """

    method: str = "GET"
    target: str
    decode: Callable[[bytes], Answer]
    content: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


def compressed(events: bytes) -> bytes:
    """Compress a body; equal bodies give equal bytes."""
    return gzip.compress(events, GZIP_LEVEL, mtime=0)


def send(kind: Kind, body: bytes) -> Call[Receipt]:
    """Send events of one kind; ``body`` is gzip over JSON, one event a line or an array."""
    return Call(
        method="POST",
        target=f"/v1/events/{kind}",
        decode=answers.receipt,
        content=body,
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
    )


def alerts(follow: str, *, min_severity: int | None) -> Call[AlertPage]:
    """Give the alerts after ``follow``, or the oldest ones."""
    query = {"threats": "all", "follow": follow}
    if min_severity is not None:
        query["minSeverity"] = str(min_severity)
    return Call(target=_target("/v1/alerts", query), decode=answers.alert_page)


def findings(follow: str, *, schema: str, max_age: float | None) -> Call[FindingPage]:
    """Give the findings after ``follow``; with none those of the last ``max_age`` seconds."""
    query = {"schema": schema, "follow": follow}
    if max_age is not None:
        query["maxAge"] = f"{max_age:.0f}s"
    return Call(target=_target("/v1/findings", query), decode=answers.finding_page)


def lookup(what: str) -> Call[Lookup]:
    """Ask what is known of a name, an address, ``tcp:address:port`` or a URL."""
    query = quote(what.strip(), safe=READ_AS_WRITTEN)
    return Call(target=f"/v1/wisdom?q={query}", decode=answers.lookup)


def status() -> Call[Status]:
    """Ask how the account of the key stands."""
    return Call(target="/v1/account/status", decode=answers.status)


def flags() -> Call[dict[str, Flag]]:
    """Ask for every flag that a destination may have."""
    return Call(target="/v1/ae/inventory/flags", decode=answers.flags)


def threats() -> Call[dict[str, Threat]]:
    """Ask for every threat that an alert may name."""
    return Call(target="/v1/ae/inventory/threats", decode=answers.threats)


def _target(path: str, query: Mapping[str, str]) -> str:
    given = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items() if value)
    return f"{path}?{given}" if given else path
