"""The vendor's Go clients against a live product: the generated one and its trimmed successor."""

from typing import Any

import pytest

from analytics import catalogue
from analytics.ingest.events import KINDS
from analytics.views import alerts
from destinations.flags import FLAGS
from tests.analytics.engine import BAD
from tests.contracts import go
from tests.contracts.clients import nfr
from tests.contracts.clients.agen import Generated, GeneratedError
from tests.contracts.clients.ago import Sdk, SdkError
from tests.contracts.product import Product

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


@pytest.fixture
def generated(tawny: Product) -> Generated:
    return Generated(server=tawny.server, key=tawny.key)


@pytest.fixture
def sdk(tawny: Product) -> Sdk:
    return Sdk(server=tawny.server, key=tawny.key)


def every_kind(tawny: Product) -> dict[str, dict[str, Any]]:
    """One event of each type with every member of the spec of 2021, from a source of its own."""
    ts = nfr.stamp(tawny.at(1))
    header = {
        "ts": ts, "srcPort": 50_000, "srcHost": "host.example",
        "srcMac": "00:00:5e:00:53:01", "srcUser": "ann", "srcID": "sensor-1",
    }  # fmt: skip
    sources = {kind: {"srcIP": f"10.0.0.{n}"} for n, kind in enumerate(KINDS, 1)}
    target = {"destIP": BAD, "destPort": 443}
    octets = {"bytesIn": 10, "bytesOut": 20}
    events: dict[str, dict[str, Any]] = {
        "dns": header | {"query": "bad.example", "qtype": "A"},
        "ip": header | target | octets | {
            "proto": "tcp", "app": "ssl", "action": "allowed", "duration": 1.5,
        },
        "http": header | octets | {
            "url": "http://bad.example/a?b=c&d", "method": "GET", "status": 200, "app": "web",
            "action": "allowed", "contentType": "text/html", "referrer": "", "userAgent": "x",
        },
        "tls": header | target | {
            "certHash": "3A0B3B23152C445C27AC6A0C41D6FA74AFB4095B", "issuer": "CN=a",
            "subject": "CN=b", "validFrom": "2015-02-12T18:07:27Z",
            "validTo": "2035-02-09T18:07:27Z", "ja3": "7" * 32, "ja3s": "8" * 32,
        },
        "lease": header | {"type": "dhcp", "termination": False, "duration": 3_600},
    }  # fmt: skip
    return {kind: event | sources[kind] for kind, event in events.items()}


def test_the_generated_client_sends_every_type_and_reads_its_alerts(
    tawny: Product, generated: Generated
) -> None:
    events = every_kind(tawny)
    assert set(events) == set(KINDS)
    for kind, event in events.items():
        assert generated.send(kind, [event, event]) == {"received": 2, "accepted": 2}
    assert tawny.settle() == 10
    page = generated.alerts()
    assert {each["eventType"] for each in page["alerts"]} == {"dns", "ip", "http", "tls"}
    for alert in page["alerts"]:
        assert alert["event"]["ts"] == tawny.at(1)
        assert alert["event"]["srcHost"] == "host.example"
    again = generated.alerts(go.dereferenced(page["follow"], "follow"))
    assert (again["alerts"], again["more"], again["follow"]) == ([], False, page["follow"])


def test_objects_without_anything_between_are_one_stream(
    tawny: Product, generated: Generated
) -> None:
    events = [nfr.dns(tawny.at(n), "10.0.0.1", f"{n}.example.com") for n in range(500)]
    assert generated.send("dns", events) == {"received": 500, "accepted": 500}


def test_the_status_has_every_member_of_the_spec(generated: Generated, sdk: Sdk) -> None:
    for status in (generated.status(), sdk.status()):
        assert status["registered"] is True
        assert status["expired"] is False
        assert status["expirationDate"] > status["today"]
        assert status["endpointsSeenToday"] == 0
        assert all(message["body"] for message in status["messages"])


def test_the_inventory_names_every_threat_and_flag(generated: Generated) -> None:
    threats, flags = generated.threats(), generated.flags()
    assert set(threats) == set(catalogue.threats())
    assert all(each["title"] and 1 <= each["severity"] <= 5 for each in threats.values())
    assert set(flags) == {flag.name for flag in FLAGS}
    assert {each["type"] for each in flags.values()} <= {"category", "feature"}


def test_keys_and_accounts_are_asked_for_as_the_spec_says(
    tawny: Product, generated: Generated, settings: Any
) -> None:
    settings.SIGNUP_OPEN = True
    key = generated.request_key()
    fresh = Generated(server=tawny.server, key=key)
    details = {"name": "Ann", "organization": "Example", "email": "ann@example.org",
               "phone": "+44 1632 960000", "address": ["1 High Street", "Exampleton"]}  # fmt: skip
    assert fresh.register(**details) == {}
    assert fresh.reset_key("ann@example.org") == {}


@pytest.mark.parametrize("wrong", ["", "test-api-key", "x" * 60])
def test_an_unknown_key_is_an_error_with_a_message(tawny: Product, wrong: str) -> None:
    client = Generated(server=tawny.server, key=wrong)
    for call in (client.status, client.alerts, client.threats, client.flags):
        with pytest.raises(GeneratedError) as refused:
            call()
        assert (refused.value.status, bool(refused.value.message)) == (401, True)
    with pytest.raises(SdkError) as told:
        Sdk(server=tawny.server, key=wrong).alerts()
    assert (told.value.status, bool(told.value.message)) == (401, True)


def test_a_body_that_is_no_json_is_400_with_a_message(generated: Generated) -> None:
    with pytest.raises(GeneratedError) as refused:
        generated._call("POST", "/v1/events/dns", go.ANY, b"no json at all")
    assert (refused.value.status, bool(refused.value.message)) == (400, True)


def test_the_trimmed_client_follows_page_by_page(
    tawny: Product, generated: Generated, sdk: Sdk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "PAGE", 2)
    events = [nfr.ip(tawny.at(n), f"10.0.1.{n}", BAD) for n in range(1, 4)]
    generated.send("ip", events)
    tawny.settle()
    first, second, third = sdk.alerts(), sdk.alerts(), sdk.alerts()
    assert [page["more"] for page in (first, second, third)] == [True, False, False]
    assert [len(page["alerts"]) for page in (first, second, third)] == [2, 1, 0]
    assert first["alerts"][0]["wisdom"]["flags"] == ["c2"]
    for page in (first, second):
        for alert in page["alerts"]:
            assert set(alert["threats"]) <= set(page["threats"])
            assert isinstance(alert["event"]["ts"], str)
    assert third["threats"] == {}
