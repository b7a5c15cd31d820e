"""Listed destinations in dns, http and tls events, and the leases that name who called them."""

from datetime import timedelta
from typing import Any

import pytest

from analytics.actions.alerts import open_alert
from analytics.actions.findings import AlertContent
from analytics.actions.ignored import MAX_NAMES, OTHERS, ignored_fields
from analytics.actions.retention import SERIES, retain
from analytics.ingest.events import DNS, HTTP, IP, KINDS, LEASE, TLS, Kind
from analytics.models import IgnoredFields
from analytics.series.shards import day_of
from tenants.scope import tenant_scope
from tests.analytics.engine import BAD, BAD_NAME, Engine, reporting

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


def without_destination(engine: Engine, second: int, **fields: Any) -> dict[str, Any]:
    event = engine.event(second)
    return {"ts": event["ts"], "srcIP": event["srcIP"], **fields}


def contents(engine: Engine) -> list[AlertContent]:
    engine.wisdom = reporting("c2")
    engine.evaluate()
    return [open_alert(row) for row in engine.alerts() if row.state == "open"]


@pytest.mark.parametrize(
    ("kind", "fields", "destination"),
    [
        (DNS, {"query": BAD_NAME}, BAD_NAME),
        (HTTP, {"url": f"http://{BAD_NAME}/gate?x=1", "method": "post", "status": 200}, BAD_NAME),
        (HTTP, {"url": f"http://{BAD}/gate"}, BAD),
        (TLS, {"sni": BAD_NAME, "certHash": "AB" * 20, "validFrom": "0001-01-01T00:00:00Z"},
         BAD_NAME),
        (TLS, {"destIP": BAD, "destPort": 443}, BAD),
    ],
    ids=["dns", "http name", "http address", "tls name", "tls address"],
)  # fmt: skip
def test_a_listed_destination_is_found_in_each_kind(
    engine: Engine, kind: Kind, fields: dict[str, Any], destination: str
) -> None:
    engine.send([without_destination(engine, 1, **fields)], kind=kind)
    (content,) = contents(engine)
    assert (content.kind, content.destination) == (kind.name, destination)
    assert content.detection == "listed_destination"
    assert content.event["srcIP"] == "10.0.0.1"
    assert "validFrom" not in content.event


def test_a_name_that_was_asked_and_then_visited_is_one_alert(engine: Engine) -> None:
    engine.send([without_destination(engine, 1, query=BAD_NAME)], kind=DNS)
    engine.send([without_destination(engine, 2, url=f"http://{BAD_NAME}/x")], kind=HTTP)
    engine.send([without_destination(engine, 2, sni=BAD_NAME)], kind=TLS)
    (content,) = contents(engine)
    assert content.kind == "http"


@pytest.mark.parametrize("first", ["lease", "event"])
def test_a_lease_names_who_had_the_address_then(engine: Engine, first: str) -> None:
    lease = [
        without_destination(engine, 0, type="dhcp", srcHost="LAPTOP-7", srcMac="AA:BB:CC:00:00:01"),
        without_destination(engine, 900, type="dhcp", srcHost="PRINTER"),
    ]
    event = [engine.event(600, destIP=BAD, srcUser="said by the sensor")]
    engine.wisdom = reporting("c2")
    for kind, events in ((LEASE, lease), (IP, event))[:: 1 if first == "lease" else -1]:
        engine.send(events, kind=kind)
        engine.evaluate()
    (content,) = contents(engine)
    assert content.event["srcHost"] == "LAPTOP-7"
    assert content.event["srcMac"] == "aa:bb:cc:00:00:01"
    assert content.event["srcUser"] == "said by the sensor"


def test_a_lease_of_the_evening_names_the_source_after_midnight(engine: Engine) -> None:
    evening = without_destination(engine, 11 * 3600, type="vpn", srcHost="HOME-1")
    engine.send([engine.event(13 * 3600, destIP=BAD)])
    engine.send([evening], kind=LEASE)
    (content,) = contents(engine)
    assert content.event["srcHost"] == "HOME-1"


def test_leases_alone_are_never_a_finding(engine: Engine) -> None:
    lease = without_destination(engine, 0, type="dhcp", srcHost=BAD_NAME, srcUser=BAD)
    assert engine.send([lease] * 3, kind=LEASE) == 3
    assert contents(engine) == []


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_fields_that_no_event_has_are_counted_by_name_and_the_event_is_taken(
    engine: Engine, kind: Kind
) -> None:
    needed = {"ip": {"destIP": "192.0.2.9"}, "http": {"url": "http://a.example/"}}
    event = without_destination(engine, 1, **needed.get(kind.name, {}))
    assert engine.send([{**event, "bytes": 3, "vlan": n} for n in range(3)], kind=kind) == 3
    engine.send([event], kind=kind)
    with tenant_scope(engine.tenant):
        assert ignored_fields(day=day_of(engine.now)) == {kind.name: {"bytes": 3, "vlan": 3}}
        sealed = bytes(IgnoredFields.objects.get().sealed)
    assert b"vlan" not in sealed


def test_names_without_end_fill_no_table(engine: Engine) -> None:
    for part in range(4):
        engine.send([engine.event(part, **{f"x{part}_{n}": 1 for n in range(90)})])
    with tenant_scope(engine.tenant):
        counts = ignored_fields(day=day_of(engine.now))["ip"]
    assert len(counts) == MAX_NAMES + 1
    assert counts[OTHERS] == 4 * 90 - MAX_NAMES


def test_counts_are_kept_as_long_as_the_series(engine: Engine) -> None:
    engine.send([engine.event(1, vlan=1)])
    retain(tenant=engine.tenant, now=engine.now + SERIES)
    with tenant_scope(engine.tenant):
        assert IgnoredFields.objects.count() == 1
    retain(tenant=engine.tenant, now=engine.now + SERIES + timedelta(days=1))
    with tenant_scope(engine.tenant):
        assert IgnoredFields.objects.count() == 0
