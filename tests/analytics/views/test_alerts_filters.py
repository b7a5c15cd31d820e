"""What of its alerts a client asks ``GET /v1/alerts`` for, and which threats it is told of."""

from dataclasses import replace
from uuid import UUID

import pytest
from django.test import Client

from analytics import catalogue
from analytics.ingest.events import DNS
from analytics.models import Alert
from analytics.views import alerts
from tenants.scope import tenant_scope
from tests.analytics.engine import BAD, BAD_NAME, Engine, reporting
from tests.analytics.views.alert_pages import page, raise_alerts
from tests.analytics.views.asking import basic, get, stated
from tests.analytics.views.go_clients import check_alerts

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


@pytest.fixture
def key(tenant: tuple[UUID, str]) -> str:
    return tenant[1]


@pytest.mark.parametrize(("floor", "told"), [("", 2), ("0", 2), ("3", 2), ("4", 1), ("5", 1)])
def test_a_floor_hides_what_is_less_severe(engine: Engine, key: str, floor: str, told: int) -> None:
    raise_alerts(engine, 1, "blocklist")
    engine.wisdom = reporting("c2")
    engine.send([engine.event(86_400, srcIP="10.0.2.1", destIP=BAD)])
    engine.evaluate()
    with tenant_scope(engine.tenant):
        assert sorted(Alert.objects.values_list("severity", flat=True)) == [3, 5]
    engine.sequence()
    assert len(page(key, minSeverity=floor)["alerts"]) == told


@pytest.mark.parametrize("floor", ["6", "-1", "1.0", "high", "\u0663", "05", "9" * 5000])
def test_a_floor_that_is_none_is_400_in_the_known_words(key: str, floor: str) -> None:
    response = get(key, "/v1/alerts", minSeverity=floor)
    assert response.status_code == 400
    assert stated(response)["message"] == "Invalid minSeverity parameter"


def test_the_threats_are_those_of_the_page_or_all_there_are(engine: Engine, key: str) -> None:
    raise_alerts(engine, 1, "c2", "tor")
    assert set(page(key)["threats"]) == {"anon_circuit", "c2_communication"}
    assert set(page(key, threats="all")["threats"]) == set(catalogue.threats())
    assert set(page(key, "1-1", threats="all")["threats"]) == set(catalogue.threats())
    assert page(key, threats="some")["threats"] == page(key)["threats"]


def test_a_policy_threat_says_so_and_no_other(
    engine: Engine, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = dict(catalogue.threats())
    entries["anon_circuit"] = replace(entries["anon_circuit"], policy=True)
    monkeypatch.setattr(catalogue, "threats", lambda: entries)
    raise_alerts(engine, 1, "c2", "tor")
    threats = page(key)["threats"]
    assert threats["anon_circuit"]["policy"] is True
    assert "policy" not in threats["c2_communication"]


@pytest.fixture
def both_kinds(engine: Engine) -> Engine:
    raise_alerts(engine, 1)
    question = {"ts": engine.event()["ts"], "srcIP": "10.0.2.9", "query": BAD_NAME}
    engine.send([question], kind=DNS)
    engine.evaluate()
    engine.sequence()
    return engine


@pytest.mark.usefixtures("both_kinds")
@pytest.mark.parametrize(
    ("types", "told"),
    [
        ("", {"dns", "ip"}), ("ip", {"ip"}), ("dns", {"dns"}), ("tls", set()),
        ("http,dns", {"dns"}), ("ip, dns", {"dns", "ip"}), (" ", {"dns", "ip"}),
    ],
)  # fmt: skip
def test_events_of_some_types_are_told_alone(key: str, types: str, told: set[str]) -> None:
    body = page(key, eventType=types)
    assert {alert["eventType"] for alert in body["alerts"]} == told
    assert (body["follow"], body["more"]) == ("1-2", False)


@pytest.mark.usefixtures("both_kinds")
def test_event_types_are_read_from_several_parameters_too(key: str) -> None:
    response = Client().get("/v1/alerts?eventType=ip&eventType=dns", HTTP_AUTHORIZATION=basic(key))
    assert len(check_alerts(response.content)["alerts"]) == 2


@pytest.mark.parametrize("types", ["lease", "dns,", ",", "DNS", "ip;dns", "ip dns", "all"])
def test_an_event_type_that_is_none_is_400(key: str, types: str) -> None:
    response = get(key, "/v1/alerts", eventType=types)
    assert response.status_code == 400
    assert "eventType" in stated(response)["message"]


def test_looking_for_a_type_stops_after_many_pages_and_goes_on_from_there(
    both_kinds: Engine, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "PAGE", 1)
    monkeypatch.setattr(alerts, "MOST_PAGES", 2)
    raise_alerts(both_kinds, 4)
    first = page(key, eventType="tls")
    assert (first["follow"], first["more"], first["alerts"]) == ("1-2", False, [])
    assert page(key, first["follow"], eventType="tls")["follow"] == "1-4"
