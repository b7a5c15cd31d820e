"""The matrix: what of another tenant's could be asked at each route, and a twin of nobody's.

An entry makes pairs of requests. Both carry the first tenant's key; the first of a pair names what
is the second tenant's, the other the same kind of thing that exists nowhere. No answer may hold a
byte of the second tenant's, and the two must be the same, status and body.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from django.test import Client
from django.urls import get_resolver

from tests.analytics.views.asking import basic
from tests.config.described import Door
from tests.isolation.world import (
    THEIR_DESTINATION,
    THEIR_LABEL,
    THEIR_MAIL,
    THEIR_SOURCE,
    World,
    nobody,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request, beside its method and key; ``names`` are what it names, and an answer may echo."""

    path: str
    query: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()


Pair = tuple[Ask, Ask]
Entry = Callable[[World], Iterator[Pair]]
TENANT_WORDS = ("tenant", "tenant_id", "tenantID", "workspaceID", "account", "id", "key")
"""Names under which a service might take a tenant from a request."""


def named(path: str, world: World, *, post: dict[str, Any] | None = None) -> Iterator[Pair]:
    """Name the tenant, its key and its things in the query, in headers and in a JSON body."""
    for word, each in zip(cycle(TENANT_WORDS), (*world.ids, *world.ids), strict=False):
        twin = nobody()
        yield _naming(path, word, each, post), _naming(path, word, twin, post)


def _naming(path: str, word: str, value: str, post: dict[str, Any] | None) -> Ask:
    return Ask(
        path=path,
        query={word: value},
        body=b"" if post is None else json.dumps({**post, word: value}).encode(),
        headers={f"HTTP_X_{word.upper()}": value},
        names=(value,),
    )


def reads(path: str, **parameters: str) -> Entry:
    """An entry of a route that reads: every name of the other's, and its bookmark."""

    def pairs(world: World) -> Iterator[Pair]:
        yield from named(path, world)
        if (theirs := world.follow.get(path)) is not None:
            for query in ({}, parameters):
                for twin in ("1-zzzzzz", "1-yyyyyy"):
                    yield (
                        Ask(path=path, query={**query, "follow": theirs}, names=(theirs,)),
                        Ask(path=path, query={**query, "follow": twin}, names=(twin,)),
                    )

    return pairs


def posts(path: str, **body: Any) -> Entry:
    """An entry of a route that takes JSON: every name of the other's beside what it needs."""
    return lambda world: named(path, world, post=body)


def events(world: World) -> Iterator[Pair]:
    """Events that say they are the other's, of every kind, and of a kind that names it."""
    event = {"ts": "2026-01-01T00:00:00Z", "srcIP": THEIR_SOURCE, "destIP": THEIR_DESTINATION}
    for kind in ("dns", "ip", "http", "tls", "lease"):
        yield from named(f"/v1/events/{kind}", world, post=event)
    for each in world.ids:
        twin = nobody()
        yield (
            Ask(path=f"/v1/events/{each}", body=b"{}", names=(each, each[:16])),
            Ask(path=f"/v1/events/{twin}", body=b"{}", names=(twin, twin[:16])),
        )


def groups(world: World) -> Iterator[Pair]:
    """The other's label and sources, replaced under one's own key."""
    for each, source in ((THEIR_LABEL, THEIR_SOURCE), (world.ids[0], "10.66.77.0/24")):
        twin = f"nobodys-{len(each)}"
        yield (
            Ask(path="/v1/groups/raw", body=_groups(each, source), names=(each,)),
            Ask(path="/v1/groups/raw", body=_groups(twin, "10.200.0.1"), names=(twin,)),
        )
    own = [{"label": "ours", "inclusions": ["10.1.1.0/24"]}]
    yield from named("/v1/groups/raw", world, post={"version": "1", "groups": own})


def _groups(label: str, source: str) -> bytes:
    group = {"label": label, "inclusions": [source]}
    return json.dumps({"version": "1", "groups": [group]}).encode()


def links(path: str, *, in_path: bool = False) -> Entry:
    """What is known of a mailed link but its token: the row's MAC, the member's id."""

    def pairs(world: World) -> Iterator[Pair]:
        mac = base64.urlsafe_b64encode(world.link).rstrip(b"=").decode()
        for each in (mac, world.link.hex(), str(world.member), *world.ids):
            twin = nobody()
            for accept in ("text/html", "application/json"):
                yield (
                    _link(path, each, accept, in_path=in_path),
                    _link(path, twin, accept, in_path=in_path),
                )

    return pairs


def _link(path: str, token: str, accept: str, *, in_path: bool) -> Ask:
    return Ask(
        path=f"{path}/{token}" if in_path else path,
        query={} if in_path else {"token": token},
        headers={"HTTP_ACCEPT": accept},
        names=(token,),
    )


def mails(path: str, write: Callable[[str], dict[str, Any]]) -> Entry:
    """An address that is the other's, and one that is nobody's."""

    def pairs(world: World) -> Iterator[Pair]:
        for each, twin in ((THEIR_MAIL, "nobody@example.org"), (world.ids[0], nobody())):
            yield (
                Ask(path=path, body=json.dumps(write(each)).encode(), names=(each,)),
                Ask(path=path, body=json.dumps(write(twin)).encode(), names=(twin,)),
            )

    return pairs


def lookups(_world: World) -> Iterator[Pair]:
    """A destination that only the other contacted: Wisdom says of it what it says of any."""
    for each, twin in ((THEIR_DESTINATION, "198.51.100.250"), ("canary.example", "none.example")):
        yield (
            Ask(path="/v1/wisdom", query={"q": each}, names=(each,)),
            Ask(path="/v1/wisdom", query={"q": twin}, names=(twin,)),
        )


def reports(world: World) -> Iterator[Pair]:
    """The engines' door: a tenant's key opens nothing there."""
    yield from named("/v1/wisdom/reports", world, post={"destinations": []})


MATRIX: dict[Door, Entry] = {
    ("GET", "healthz"): reads("/healthz"),
    ("GET", "readyz"): reads("/readyz"),
    ("GET", "v1/schema"): reads("/v1/schema"),
    ("GET", "v1/transparency/checkpoint"): reads("/v1/transparency/checkpoint"),
    ("GET", "v1/alerts"): reads("/v1/alerts", updates="1", threats="all"),
    ("GET", "v1/findings"): reads("/v1/findings"),
    ("GET", "v1/dailyDestinations"): reads("/v1/dailyDestinations"),
    ("GET", "v1/audit"): reads("/v1/audit", proofs="1"),
    ("GET", "v1/groups/raw"): reads("/v1/groups/raw"),
    ("GET", "v1/account/status"): reads("/v1/account/status"),
    ("GET", "v1/ae/inventory/flags"): reads("/v1/ae/inventory/flags"),
    ("GET", "v1/ae/inventory/threats"): reads("/v1/ae/inventory/threats"),
    ("GET", "v1/wisdom"): lookups,
    ("GET", "v2/items"): reads("/v2/items"),
    ("GET", "v2/families"): reads("/v2/families"),
    ("GET", "v1/account/verify"): links("/v1/account/verify"),
    ("POST", "v1/account/verify"): links("/v1/account/verify"),
    ("GET", "v1/account/verify/<str:token>"): links("/v1/account/verify", in_path=True),
    ("POST", "v1/account/verify/<str:token>"): links("/v1/account/verify", in_path=True),
    ("GET", "v1/key/reset/open"): links("/v1/key/reset/open"),
    ("POST", "v1/key/reset/open"): links("/v1/key/reset/open"),
    ("POST", "v1/key/reset"): mails("/v1/key/reset", lambda mail: {"email": mail}),
    ("POST", "v1/account/register"): mails(
        "/v1/account/register", lambda mail: {"details": {"name": "X", "email": mail}}
    ),
    ("POST", "v1/key/request"): posts("/v1/key/request", platform={"name": "test"}, token=""),
    ("POST", "v1/events/<str:kind>"): events,
    ("POST", "v1/groups/raw"): groups,
    ("GET", "v1/account/retention"): reads("/v1/account/retention"),
    ("PUT", "v1/account/retention"): posts("/v1/account/retention", seriesDays=9, alertsDays=99),
    ("GET", "v1/account/research"): reads("/v1/account/research"),
    ("PUT", "v1/account/research"): posts("/v1/account/research", allowed=True),
    ("POST", "v1/wisdom/reports"): reports,
}
"""By method and route: every one that a deployment answers, besides pages for people."""

NOT_SERVING = {("GET", "v2/items"), ("GET", "v2/families")}
"""Routes that answer 503 while no list is published."""
SHORT = 8
"""Characters of a name that could stand in an answer by chance: a bookmark's."""
_MINTED = re.compile(rb"twy_[0-9A-Za-z]+_[0-9A-Za-z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """A way in which a route told of the other tenant."""

    door: Door
    what: str


def leaks(door: Door, world: World, client: Client) -> list[Leak]:
    """Ask a route all that its entry has; return how it told of the other tenant."""
    found: list[Leak] = []
    for theirs, twin in MATRIX[door](world):
        mine, other = (_sent(client, door, ask, world) for ask in (theirs, twin))
        if mine != other:
            found.append(Leak(door=door, what=f"{theirs}: {mine} is not {other}"))
        found += [
            Leak(door=door, what=f"{theirs}: {canary}")
            for canary in world.canaries
            if canary not in theirs.names and canary.encode() in mine[1]
        ]
        if mine[0] >= 500 and door not in NOT_SERVING:
            found.append(Leak(door=door, what=f"{theirs}: {mine[0]}"))
    return found


def _sent(client: Client, door: Door, ask: Ask, world: World) -> tuple[int, bytes]:
    """Send a request with the first tenant's key; return status and body, its own names masked."""
    headers: dict[str, Any] = {"HTTP_AUTHORIZATION": basic(world.key), **ask.headers}
    response = client.generic(
        door[0],
        ask.path,
        ask.body,
        content_type="application/json",
        query_params=ask.query,
        **headers,
    )
    body = _MINTED.sub(b"twy_MINTED", response.content)
    for each in sorted(ask.names, key=len, reverse=True):
        shown = each if len(each) > SHORT else f'"{each}"'
        body = body.replace(shown.encode(), b"NAMED")
    return response.status_code, body


def uncovered(doors: set[Door]) -> set[Door]:
    """Return the routes that have no entry."""
    return doors - MATRIX.keys()


def routed(urlconf: str, ask: Ask) -> str:
    """Return the route that a request reaches."""
    return get_resolver(urlconf).resolve(ask.path).route
