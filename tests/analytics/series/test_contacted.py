"""What Wisdom is asked about the rows of each kind."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from analytics.ingest.batches import to_batch
from analytics.ingest.events import DNS, HTTP, IP, KINDS, LEASE, TLS, Kind
from analytics.series.contacted import destinations_of, named
from destinations.report import Destination

NOW = 1_777_636_800 * 10**9
A_NAME = Destination(kind="name", value="a.example")


def table(kind: Kind, rows: Sequence[dict[str, Any]]) -> pa.Table:
    sound = {"ts": 1777636800, "srcIP": "10.0.0.1"}
    return to_batch([kind.make({**sound, **row}) for row in rows], kind, now=NOW)[0]


def address(value: str, port: int | None = None, protocol: Any = None) -> Destination:
    return Destination("address", value, port, protocol)


@pytest.mark.parametrize(
    ("kind", "rows", "asked"),
    [
        (DNS, [{"query": "A.example."}, {"query": "a.example"}, {}], {A_NAME}),
        (
            HTTP,
            [
                {"url": "http://a.example/1"}, {"url": "https://a.example:8443/2?x=y"},
                {"url": "http://192.0.2.1/x"}, {"url": "192.0.2.1:8080"}, {"url": "192.0.2.3/x"},
            ],
            {
                A_NAME, address("192.0.2.1", 80, "tcp"), address("192.0.2.1", 8080, "tcp"),
                address("192.0.2.3"),
            },
        ),
        (
            TLS,
            [
                {"sni": "a.example", "destIP": "192.0.2.1", "destPort": 443},
                {"sni": "a.example", "destIP": "192.0.2.2", "destPort": 443},
                {"destIP": "192.0.2.1", "destPort": 443}, {"destIP": "2001:db8::1"}, {},
            ],
            {A_NAME, address("192.0.2.1", 443, "tcp"), address("2001:db8::1")},
        ),
        (
            IP,
            [
                {"destIP": "192.0.2.1", "destPort": 53, "proto": "udp"},
                {"destIP": "192.0.2.1", "destPort": 53, "proto": "udp", "localResp": True},
            ],
            {address("192.0.2.1", 53, "udp"), address("192.0.2.1")},
        ),
        (LEASE, [{"srcHost": "a.example"}], set()),
    ],
    ids=["dns", "http", "tls", "ip", "lease"],
)  # fmt: skip
def test_names_are_asked_where_one_was_said_and_addresses_otherwise(
    kind: Kind, rows: list[dict[str, Any]], asked: set[Destination]
) -> None:
    assert destinations_of(table(kind, rows), kind) == asked


@pytest.mark.parametrize("kind", [DNS, HTTP, TLS], ids=lambda kind: kind.name)
def test_each_row_has_the_number_of_its_destination(kind: Kind) -> None:
    field = {"dns": "query", "http": "url", "tls": "sni"}[kind.name]
    values = ["b.example", "a.example", "b.example", "c.example", "a.example"]
    places, codes = named(table(kind, [{field: value} for value in values]), kind)
    texts = [place.value if place else "" for place in places]
    assert [texts[code] for code in codes] == values


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_no_rows_have_no_destination(kind: Kind) -> None:
    assert destinations_of(kind.schema.empty_table(), kind) == frozenset()
