"""The Splunk app that sends, against a live product: batches, alerts, scope and summaries."""

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analytics.views import alerts, events
from audit.actors import Actor
from tenants.actions import revoke_key
from tenants.models import KeyIndex
from tests.analytics.engine import BAD, BAD_NAME
from tests.contracts.clients import nba
from tests.contracts.clients.nba import App, AppError, InvalidKey
from tests.contracts.product import Product

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


@pytest.fixture
def app(tawny: Product) -> App:
    return App(server=tawny.server, key=tawny.key)


def question(tawny: Product, number: int = 1, query: str = BAD_NAME) -> dict[str, Any]:
    return {"ts": nba.stamp(tawny.at(number)), "query": query, "srcIP": "10.0.0.1",
            "srcHost": "host", "qtype": "A", "rcode": "0"}  # fmt: skip


def batches(tawny: Product) -> dict[str, list[dict[str, Any]]]:
    """Every section's batch, as the app makes its items; each from a source of its own."""
    ts = nba.stamp(tawny.at(1))
    return {
        "dns": [question(tawny)],
        "ip": [
            {"ts": ts, "destIP": BAD, "srcIP": "10.0.0.2", "srcHost": "host", "proto": "tcp",
             "srcPort": 50_000, "destPort": 443, "bytesIn": 10, "bytesOut": 20, "app": "ssl",
             "action": "allowed", "duration": 1.5},
            {"ts": ts, "destIP": "203.0.113.1", "srcIP": "10.0.0.1", "tcpFlags": "SAF"},
        ],
        "http": [
            {"ts": ts, "url": f"http://{BAD_NAME}/a", "srcIP": "10.0.0.3", "method": "get",
             "status": 200, "action": "allowed", "userAgent": "x"},
            {"ts": ts, "url": "www.example.com", "srcIP": "10.0.0.1"},
        ],
        "tls": [
            {"ts": ts, "srcIP": "10.0.0.4", "destIP": BAD, "certHash": "a" * 64,
             "validFrom": "2015-02-12T18:07:27+0000", "validTo": "2035-02-09T18:07:27+0000"},
            {"ts": ts, "srcIP": "10.0.0.1", "certHash": "b" * 40},
        ],
        "lease": [
            {"type": "dhcp", "ts": ts, "srcIP": "10.0.0.1", "srcHost": "host", "duration": 3_600,
             "srcMac": "00:00:5e:00:53:01"},
            {"type": "vpn", "ts": ts, "srcIP": "10.0.0.2", "srcUser": "ann", "termination": True},
        ],
    }  # fmt: skip


def test_it_asks_sends_every_section_and_indexes_the_alerts(tawny: Product, app: App) -> None:
    assert app.status()["registered"] is True
    sent = batches(tawny)
    for section, items in sent.items():
        app.send(section, items)
    for stats, items in zip(app.stats, sent.values(), strict=True):
        assert (stats["received"], stats["accepted"]) == (len(items), len(items))
        assert stats["rejected"] == {}
    assert (app.dropped, app.stored) == (0, [])
    assert tawny.settle() == sum(map(len, sent.values()))
    app.poll()
    assert {each["section"]: each["src_ip"] for each in app.indexed} == {
        "dns": "10.0.0.1", "ip": "10.0.0.2", "http": "10.0.0.3", "tls": "10.0.0.4",
    }  # fmt: skip
    assert {each["severity"] for each in app.indexed} == {"critical"}
    for each in app.indexed:
        assert each["at"] == tawny.at(1)
        assert each["wisdom"]["flags"] == ["c2"]
        assert each["subject"]
    assert app.follow
    app.poll()
    assert len(app.indexed) == 4
    app.send("dns", [question(tawny, 2) | {"srcIP": "10.0.0.9"}])
    tawny.settle()
    app.poll()
    assert [each["src_ip"] for each in app.indexed[4:]] == ["10.0.0.9"]


def test_it_reads_pages_until_there_are_no_more(
    tawny: Product, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "PAGE", 2)
    app.send("dns", [question(tawny, n) | {"srcIP": f"10.0.1.{n}"} for n in range(1, 6)])
    tawny.settle()
    app.poll()
    assert [each["src_ip"] for each in app.indexed] == [f"10.0.1.{n}" for n in range(1, 6)]


def test_an_empty_time_is_counted_and_the_rest_of_the_batch_is_taken(
    tawny: Product, app: App
) -> None:
    app.send("dns", [question(tawny) | {"ts": ""}, question(tawny)])
    (stats,) = app.stats
    assert (stats["accepted"], stats["rejected"]) == (1, {"ts_missing": 1})


def test_a_lease_names_the_host_of_what_its_address_does_next(tawny: Product, app: App) -> None:
    given = {"type": "dhcp", "ts": nba.stamp(tawny.at(0)), "srcIP": "10.0.0.7", "srcHost": "laptop",
             "srcMac": "00:00:5e:00:53:07", "duration": 3_600}  # fmt: skip
    app.send("lease", [given])
    tawny.settle()
    item = question(tawny, 60) | {"srcIP": "10.0.0.7"}
    app.send("dns", [{name: value for name, value in item.items() if name != "srcHost"}])
    tawny.settle()
    app.poll()
    assert [(each["src_ip"], each["src_host"]) for each in app.indexed] == [("10.0.0.7", "laptop")]


def test_a_name_in_the_place_of_an_address_is_counted_and_the_rest_is_taken(
    tawny: Product, app: App
) -> None:
    good = {"ts": nba.stamp(tawny.at(1)), "srcIP": "10.0.0.1", "destIP": "203.0.113.1"}
    app.send("ip", [good, good | {"srcIP": "host.example"}, good | {"destIP": "www.example.com"}])
    (stats,) = app.stats
    assert stats["received"] == 3
    assert (stats["accepted"], sum(stats["rejected"].values())) == (1, 2)


def test_late_events_and_clocks_that_are_ahead_are_taken(tawny: Product, app: App) -> None:
    now = datetime.now(UTC)
    times = [now - timedelta(days=28), now, now + timedelta(hours=23)]
    app.send("dns", [question(tawny) | {"ts": nba.stamp(each)} for each in times])
    assert (app.stats[0]["accepted"], app.stats[0]["rejected"]) == (3, {})


def test_a_batch_is_kept_while_the_product_cannot_take_it_and_arrives_once(
    tawny: Product, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(events, "is_overloaded", lambda _who: True)
        app.send("dns", [question(tawny)])
    assert (len(app.stored), app.dropped) == (1, 0)
    app.resend()
    app.send("dns", [question(tawny)])
    assert (len(app.stored), len(app.stats)) == (0, 2)
    assert tawny.settle() == 1


def test_a_limit_that_is_reached_keeps_the_batch_too(
    tawny: Product, app: App, settings: Any
) -> None:
    settings.SIGNUP_OPEN = True
    app.key = ""
    app.request_key()
    settings.LIMITS = {
        plan: replace(limits, events_a_day=1) for plan, limits in settings.LIMITS.items()
    }
    app.send("dns", [question(tawny)])
    app.send("dns", [question(tawny, 2)])
    assert (len(app.stats), len(app.stored), app.dropped) == (1, 1, 0)


def test_a_revoked_key_stops_it(tawny: Product, app: App) -> None:
    (key,) = KeyIndex.objects.filter(tenant_id=tawny.tenant)
    revoke_key(
        key=key.id, actor=Actor(kind="shell", id="test"), reason="test", now=tawny.engine.now
    )
    for refused in (lambda: app.send("dns", [question(tawny)]), app.status, app.poll):
        with pytest.raises(InvalidKey):
            refused()


def test_its_setup_page_asks_for_a_key_and_registers(app: App, settings: Any) -> None:
    settings.SIGNUP_OPEN = True
    assert app.request_key()
    details = {"name": "Ann", "organization": "Example", "email": "ann@example.org", "phone": "1"}
    assert app.register(**details) == {}
    assert app.status()["registered"] is False
    assert app.reset("ann@example.org") == {}


def test_its_look_ups_are_filled_from_the_inventory(app: App) -> None:
    threats, flags = app.threats(), app.flags()
    assert threats["c2_communication"][1] == 5
    assert all(title and severity in nba.SEVERITIES for title, severity in threats.values())
    assert flags["c2"]
    assert all(flags.values())


def test_its_monitoring_scope_is_taken_and_bears_on_what_is_found(tawny: Product, app: App) -> None:
    group = {
        "label": "servers",
        "inclusions": [{"value": "10.0.0.0/24", "desc": "all"}],
        "exclusions": [{"value": "10.0.0.9", "desc": "a scanner"}],
        "trusted": {
            "domains": {"entries": [{"value": "example.org", "desc": ""}], "anomaly": False},
            "cidrs": {"entries": [], "anomaly": False},
        },
    }
    assert isinstance(app.send_groups([group]), dict)
    app.send("dns", [question(tawny, n) | {"srcIP": f"10.0.0.{n}"} for n in (8, 9)])
    tawny.settle()
    app.poll()
    assert [each["src_ip"] for each in app.indexed] == ["10.0.0.8"]
    with pytest.raises(AppError, match="value"):
        app.send_groups([group | {"inclusions": [{"value": "no/address", "desc": ""}]}])


def test_its_puller_gets_each_closed_day_once(tawny: Product, app: App) -> None:
    for section, items in batches(tawny).items():
        app.send(section, items)
    tawny.settle()
    app.pull_destinations()
    assert all(isinstance(each["destination"], str) for each in app.summaries)
    told = {each["destination"] for each in app.summaries}
    assert {BAD, BAD_NAME} <= told
    app.pull_destinations()
    assert len(app.summaries) == len(told)


def test_a_gzip_header_on_a_request_without_a_body_is_no_body(tawny: Product, app: App) -> None:
    more = [("Content-Encoding", "gzip")]
    answer = app._ask("GET", "/v1/account/status", b"", more=more)
    assert isinstance(json.loads(answer.body), dict)
    assert app._ask("POST", "/v1/events/dns", gzip.compress(b""), more=more[:0]).status == 400
    assert tawny.settle() == 0
