"""``GET /v1/alerts``: a feed that is followed by a bookmark, each alert once and when it rises."""

import logging
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given, strategies as st

from analytics.actions.bookmarks import place_of, position_of, token_of
from analytics.models import Alert, AlertChange
from analytics.views import alerts
from audit.actors import Actor
from config.logs import JsonLine
from tenants.actions import create_key, create_tenant
from tenants.apikeys import Scope
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.analytics.engine import BAD, Engine, reporting, unknown
from tests.analytics.views.alert_pages import page, raise_alerts, sources
from tests.analytics.views.asking import basic, get, stated
from tests.analytics.views.go_clients import check_alerts

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
SHELL = Actor(kind="shell", id="test")


@pytest.fixture
def key(tenant: tuple[UUID, str]) -> str:
    return tenant[1]


def nulls(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(nulls, value.values()))
    return sum(map(nulls, value)) if isinstance(value, list) else value is None


def test_an_empty_feed_has_every_member(key: str) -> None:
    assert page(key) == {"follow": "1-0", "more": False, "alerts": [], "threats": {}}


def test_an_alert_is_told_as_existing_clients_read_it(engine: Engine, key: str) -> None:
    raise_alerts(engine, 1, "c2", "tor")
    body = page(key)
    (alert,) = body["alerts"]
    assert alert["eventType"] == "ip"
    assert alert["event"]["ts"].endswith("Z")
    assert alert["event"]["destIP"] == BAD
    assert isinstance(alert["event"]["destPort"], int)
    assert "labels" not in alert["event"]
    assert alert["threats"] == ["anon_circuit", "c2_communication"]
    assert alert["wisdom"]["flags"] == ["c2", "tor"]
    assert (alert["severity"], alert["direction"]) == (5, "out")
    parts = alert["explanation"]["contributions"]
    assert sum(part["points"] for part in parts) == alert["explanation"]["score"] == alert["score"]
    assert set(body["threats"]) == set(alert["threats"])
    for threat in body["threats"].values():
        assert threat["title"]
        assert 0 <= threat["severity"] <= 5
    assert nulls(body) == 0
    UUID(alert["id"])


@pytest.mark.parametrize("token", [None, "", "0", "undefined", "1-0"])
def test_without_a_bookmark_everything_is_told_oldest_first(
    engine: Engine, key: str, token: str | None
) -> None:
    raise_alerts(engine, 3)
    body = page(key, token)
    assert len(body["alerts"]) == 3
    assert (body["follow"], body["more"]) == ("1-3", False)


def test_a_bookmark_tells_what_came_after_and_an_old_one_repeats(engine: Engine, key: str) -> None:
    raise_alerts(engine, 1)
    first = page(key)
    assert page(key, first["follow"]) == {**first, "alerts": [], "threats": {}}
    engine.send([engine.event(5, srcIP="10.0.3.1", destIP=BAD)])
    engine.evaluate()
    engine.sequence()
    assert sources(page(key, first["follow"])) == ["10.0.3.1"]
    assert sources(page(key, "1-0")) == ["10.0.2.1", "10.0.3.1"]


@pytest.mark.parametrize(
    "token",
    [
        "1",
        "1-",
        "-1",
        "1-1 1",
        "1-A",
        "1-\x00",
        "1-" + "z" * 13,
        "\u0661-1",
        "1-1.1",
        "1-1%",
        "1-1%zz",
        "%",
        "null",
        "x" * 5000,
    ],
)
def test_a_bookmark_that_is_none_of_ours_is_400(key: str, token: str) -> None:
    response = get(key, "/v1/alerts", follow=token)
    assert response.status_code == 400
    assert "follow" in stated(response)["message"]


@pytest.mark.parametrize("token", ["1-zzzzzzzzzzzz", "1-8263d641", "1-2"])
def test_a_bookmark_ahead_of_everything_is_another_services_and_reads_from_the_start(
    engine: Engine, key: str, token: str
) -> None:
    raise_alerts(engine, 1)
    body = page(key, token)
    assert (body["follow"], len(body["alerts"])) == ("1-1", 1)


@pytest.mark.parametrize("query", ["", "follow", "follow=", "follow=%20", "follow=0&p=nfr"])
def test_a_first_call_is_read_however_it_is_written(engine: Engine, key: str, query: str) -> None:
    raise_alerts(engine, 2)
    for path in (f"/v1/alerts?{query}", f"/v1/alerts?&{query}&"):
        response = Client().get(path, HTTP_AUTHORIZATION=basic(key))
        assert len(check_alerts(response.content)["alerts"]) == 2


@pytest.mark.parametrize("token", ["1-1", "%201-1%20", "1%2D1", "1%252D1", "+1-1+", "1-1%0a"])
def test_a_bookmark_is_read_with_blanks_and_escapes(engine: Engine, key: str, token: str) -> None:
    raise_alerts(engine, 3)
    response = Client().get(f"/v1/alerts?follow={token}", HTTP_AUTHORIZATION=basic(key))
    assert len(check_alerts(response.content)["alerts"]) == 2


@given(st.integers(0, 36**12 - 1), st.integers(0, 36**6 - 1))
def test_a_bookmark_names_its_place(place: int, offset: int) -> None:
    token = token_of(place)
    assert place_of(token) == place
    assert token.replace("-", "").isalnum()
    assert position_of(token_of(place, offset)) == (place, offset)


@pytest.mark.parametrize("token", ["6-8263d641", "4.9b31d", "2-1"])
def test_the_bookmark_of_the_service_before_reads_from_the_start(token: str) -> None:
    assert place_of(token) == 0


def test_pages_are_cut_and_followed_to_the_end_without_gap_or_repeat(
    engine: Engine, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "PAGE", 2)
    raise_alerts(engine, 5)
    told, follow, pages = [], "", 0
    while True:
        body = page(key, follow)
        told += sources(body)
        assert body["follow"] != follow
        follow, pages = body["follow"], pages + 1
        if not body["more"]:
            break
        assert body["alerts"]
    assert pages == 3
    assert len(told) == len(set(told)) == 5
    assert page(key, follow)["alerts"] == []


def test_more_is_never_said_of_a_page_that_shows_nothing(
    engine: Engine, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "PAGE", 2)
    raise_alerts(engine, 5, "blocklist")
    first = page(key, minSeverity="5")
    assert (first["alerts"], first["more"], first["follow"]) == ([], False, "1-5")


def test_what_lies_behind_pages_that_show_nothing_is_shown_on_the_old_bookmark(
    engine: Engine, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One existing client never moves its bookmark past a page without alerts."""
    monkeypatch.setattr(alerts, "PAGE", 2)
    raise_alerts(engine, 5, "blocklist")
    engine.wisdom = reporting("c2")
    engine.send([engine.event(-2 * 86_400, srcIP="10.0.9.9", destIP=BAD)])
    engine.evaluate()
    engine.sequence()
    assert "10.0.9.9" in sources(page(key, minSeverity="5"))


def test_every_change_is_told_to_whoever_asks_for_updates(engine: Engine, key: str) -> None:
    raise_alerts(engine, 1)
    follow = page(key)["follow"]
    engine.wisdom = unknown
    engine.evaluate_again()
    engine.sequence()
    assert page(key, follow)["alerts"] == []
    (gone,) = page(key, follow, updates="1")["alerts"]
    assert gone["state"] == "withdrawn"


def test_an_alert_is_told_when_it_opens_and_when_it_rises_and_not_when_it_is_updated(
    engine: Engine, key: str
) -> None:
    raise_alerts(engine, 1, "blocklist")
    follow = page(key)["follow"]
    engine.send([engine.event(60, srcIP="10.0.2.1", destIP=BAD)])
    assert engine.evaluate() == 1
    engine.sequence()
    assert page(key, follow)["alerts"] == []
    engine.wisdom = reporting("c2")
    assert engine.evaluate_again() == 1
    engine.sequence()
    body = page(key, follow)
    assert [alert["severity"] for alert in body["alerts"]] == [5]
    assert page(key, body["follow"])["alerts"] == []
    (whole,) = page(key)["alerts"]  # one alert, told where it stands now
    assert whole["count"] == 2


def test_a_withdrawn_alert_is_not_told_and_the_bookmark_moves_on(engine: Engine, key: str) -> None:
    raise_alerts(engine, 1)
    engine.wisdom = unknown
    engine.evaluate_again()
    engine.sequence()
    assert page(key) == {"follow": "1-1", "more": False, "alerts": [], "threats": {}}


def test_an_alert_that_is_not_placed_yet_is_not_told(engine: Engine, key: str) -> None:
    engine.wisdom = reporting("c2")
    engine.send([engine.event(destIP=BAD)])
    engine.evaluate()
    assert page(key)["alerts"] == []


def test_the_next_days_alert_links_to_the_one_that_it_continues(engine: Engine, key: str) -> None:
    raise_alerts(engine, 1)
    engine.send([engine.event(86_400, srcIP="10.0.2.1", destIP=BAD)])
    engine.evaluate()
    engine.sequence()
    first, second = page(key)["alerts"]
    assert "continues" not in first
    assert second["continues"] == first["id"]


def test_another_tenants_bookmark_shows_only_ones_own(
    engine: Engine, key: str, now: datetime
) -> None:
    raise_alerts(engine, 3)
    other = create_tenant(name="other.example", actor=SHELL, reason="test", now=now)
    theirs = page(other.api_key, page(key)["follow"])
    assert (theirs["alerts"], theirs["follow"]) == ([], "1-0")
    assert page(other.api_key)["alerts"] == []


def test_a_key_without_the_scope_is_403_and_no_key_is_401(
    tenant: tuple[UUID, str], now: datetime
) -> None:
    writer = create_key(
        tenant=Tenant.objects.get(id=tenant[0]), label="writer", scopes=(Scope.INGEST,),
        actor=SHELL, reason="test", now=now,
    )  # fmt: skip
    assert stated(get(writer, "/v1/alerts"))["status"] == 403
    response = get("nobody", "/v1/alerts")
    assert stated(response)["status"] == 401
    assert response["WWW-Authenticate"].startswith("Basic")


def test_a_page_costs_the_same_queries_however_many_alerts(engine: Engine, key: str) -> None:
    counted = []
    for count in (1, 12):
        raise_alerts(engine, count)
        page(key)
        with CaptureQueriesContext(connection) as queries:
            assert len(page(key)["alerts"]) == count
        counted.append(len(queries))
    assert counted == [8, 8]


def test_an_alert_that_does_not_open_is_our_failure_and_says_nothing(
    engine: Engine, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    raise_alerts(engine, 1)
    with tenant_scope(engine.tenant):
        Alert.objects.update(detection="moved")
    with caplog.at_level(logging.DEBUG):
        response = get(key, "/v1/alerts")
    assert response.status_code >= 500
    lines = "\n".join(JsonLine().format(record) for record in caplog.records)
    assert BAD not in lines + response.content.decode()


def test_an_alert_that_retention_takes_meanwhile_is_passed_over(
    engine: Engine, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_alerts(engine, 2)
    places = alerts._places

    def then_retention(asked: alerts.Page) -> tuple[dict[UUID, int], bool]:
        found = places(asked)
        Alert.objects.filter(id=min(found[0])).delete()
        return found

    monkeypatch.setattr(alerts, "_places", then_retention)
    assert len(page(key)["alerts"]) == 1
    with tenant_scope(engine.tenant):
        assert AlertChange.objects.count() == 1
