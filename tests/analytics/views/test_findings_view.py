"""``GET /v1/findings``: each change of an alert once, as OCSF has it, behind a bookmark."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analytics.actions import changes, ocsf
from analytics.ingest.events import DNS, HTTP, TLS, Kind
from analytics.models import Alert, AlertChange
from analytics.views import findings
from crypto.ids import uuid7
from tenants.scope import tenant_scope
from tests.analytics.engine import BAD, BAD_NAME, Engine, reporting, unknown
from tests.analytics.views import ocsf_rules
from tests.analytics.views.asking import basic, get, stated
from tests.analytics.views.go_clients import TOKEN, check_alerts, decoded

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


@pytest.fixture
def key(tenant: tuple[UUID, str]) -> str:
    return tenant[1]


def raise_alerts(engine: Engine, count: int, *flags: str) -> None:
    engine.wisdom = reporting(*(flags or ("c2",)))
    events = [
        engine.event(n, srcIP=f"10.0.2.{n + 1}", destIP=BAD, srcHost="host.example", srcPort=999)
        for n in range(count)
    ]
    engine.send(events)
    engine.evaluate()
    engine.sequence()


def page(key: str, follow: str | None = None, *, least: int = 10**12, **query: str) -> Any:
    """Read a page as the vendor's collector and app do, every record held against the rules."""
    if follow is not None:
        query["follow"] = follow
    response = get(key, "/v1/findings", schema="ocsf", **query)
    assert response.status_code == 200, response.content
    body = decoded(response.content)
    assert set(body) == {"follow", "more", "records"}
    assert response["x-stream-follow"] == body["follow"]
    assert TOKEN.fullmatch(body["follow"])
    assert body["records"] or not body["more"]
    for record in body["records"]:
        ocsf_rules.check(record, least=least)
        assert record["type_uid"] == 200_400 + record["activity_id"]
    return body


def activities(body: Any) -> list[str]:
    return [record["activity_name"] for record in body["records"]]


def age_changes(tenant: UUID, days: float) -> None:
    """Give every change an id of some days ago, as if it had been found then."""
    with tenant_scope(tenant):
        for row in list(AlertChange.objects.order_by("seq")):
            old = uuid7(datetime.now(UTC) - timedelta(days=days))
            AlertChange.objects.filter(id=row.id).update(id=old)


def test_without_findings_every_member_is_there(key: str) -> None:
    assert page(key) == {"follow": "1-0", "more": False, "records": []}


def test_a_finding_says_what_the_alert_says(
    engine: Engine, key: str, tenant: tuple[UUID, str]
) -> None:
    raise_alerts(engine, 1, "c2", "tor")
    (record,) = page(key)["records"]
    (alert,) = json.loads(get(key, "/v1/alerts").content)["alerts"]
    assert (record["activity_id"], record["status_id"], record["severity_id"]) == (1, 1, 5)
    assert record["is_alert"] is True
    assert record["metadata"]["tenant_uid"] == str(tenant[0])
    info = record["finding_info"]
    assert info["uid"] == record["metadata"]["correlation_uid"] == alert["id"]
    assert info["types"] == alert["threats"] == ["anon_circuit", "c2_communication"]
    assert info["title"] == "Contact with a command-and-control server"
    assert info["analytic"]["uid"] == alert["detection"] == "listed_destination"
    assert {each["technique"]["uid"] for each in info["attacks"]} == {"T1071", "T1090"}
    assert info["attacks"][-1].get("sub_technique", info["attacks"][0].get("sub_technique"))
    (evidence,) = record["evidences"]
    assert evidence["src_endpoint"] == {
        "ip": "10.0.2.1", "port": 999, "hostname": "host.example",
    }  # fmt: skip
    assert evidence["dst_endpoint"] == {"ip": BAD, "port": 443}
    assert evidence["connection_info"]["direction"] == "Outbound"
    assert evidence["connection_info"]["protocol_num"] == 6
    seen = {(each["type"], each["value"]) for each in record["observables"]}
    assert seen == {
        ("IP Address", "10.0.2.1"), ("IP Address", BAD), ("Hostname", "host.example"),
    }  # fmt: skip
    assert record["unmapped"]["explanation"] == alert["explanation"]
    assert record["unmapped"]["event"] == alert["event"]
    assert record["enrichments"][0]["data"]["flags"] == ["c2", "tor"]


def test_a_question_is_told_with_its_name(engine: Engine, key: str) -> None:
    engine.wisdom = reporting("c2")
    question = {"ts": engine.event()["ts"], "srcIP": "10.0.2.9", "query": BAD_NAME, "qtype": "A"}
    engine.send([question], kind=DNS)
    engine.evaluate()
    engine.sequence()
    (record,) = page(key)["records"]
    (evidence,) = record["evidences"]
    assert evidence["query"] == {"hostname": BAD_NAME, "type": "A"}
    assert "dst_endpoint" not in evidence
    assert ("Hostname", BAD_NAME) in {(o["type"], o["value"]) for o in record["observables"]}


def one_finding(engine: Engine, key: str, kind: Kind, **fields: Any) -> Any:
    """Send one event about something listed; return its finding's evidence and observables."""
    engine.wisdom = reporting("c2")
    engine.send([{"ts": engine.event()["ts"], "srcIP": "10.0.2.9", **fields}], kind=kind)
    engine.evaluate()
    engine.sequence()
    check_alerts(get(key, "/v1/alerts").content)
    (record,) = page(key)["records"]
    (evidence,) = record["evidences"]
    return evidence, {(each["type"], each["value"]) for each in record["observables"]}


def test_a_request_is_told_with_its_url(engine: Engine, key: str) -> None:
    url = f"http://{BAD_NAME}:8080/a/b?c=d"
    evidence, seen = one_finding(
        engine, key, HTTP, url=url, method="get", status=404, userAgent="agent",
        srcUser="ann", srcMac="02-00-5E-00-53-01", bytesOut=2**53, destIP="203.0.113.9",
    )  # fmt: skip
    assert evidence["url"] == {
        "url_string": url, "scheme": "http", "hostname": BAD_NAME, "port": 8080,
        "path": "/a/b", "query_string": "c=d",
    }  # fmt: skip
    assert evidence["http_request"]["http_method"] == "GET"
    assert evidence["user"] == {"name": "ann"}
    assert {("URL String", url), ("User Name", "ann"), ("IP Address", "203.0.113.9")} <= seen


def test_a_handshake_is_told_with_its_fingerprints(engine: Engine, key: str) -> None:
    evidence, seen = one_finding(
        engine, key, TLS, sni=BAD_NAME, version="TLSv12", ja3="0" * 32, ja3s="1" * 32,
        certHash={"alg": "sha1", "value": "AB" * 20}, issuer="CN=issuer",
        validFrom="0001-01-01T00:00:00Z", validTo="2027-04-26T12:40:41+0000",
        destIP="", destPort=0,
    )  # fmt: skip
    assert evidence["tls"]["sni"] == BAD_NAME
    assert evidence["tls"]["ja3_hash"]["value"] == "0" * 32
    assert ("Hostname", BAD_NAME) in seen


def test_each_change_is_told_once_in_order_as_create_update_and_close(
    engine: Engine, key: str
) -> None:
    raise_alerts(engine, 1, "blocklist")
    engine.send([engine.event(60, srcIP="10.0.2.1", destIP=BAD)])
    engine.evaluate()
    engine.wisdom = reporting("c2")
    engine.evaluate_again()
    engine.wisdom = unknown
    engine.evaluate_again()
    engine.sequence()
    body = page(key)
    assert activities(body) == ["Create", "Update", "Update", "Close"]
    assert [record["severity_id"] for record in body["records"]] == [3, 3, 5, 5]
    assert [record["status"] for record in body["records"]] == ["New", "New", "New", "Resolved"]
    assert [record["is_alert"] for record in body["records"]] == [True, True, True, False]
    assert [record["metadata"]["sequence"] for record in body["records"]] == [1, 2, 3, 4]
    assert len({record["metadata"]["uid"] for record in body["records"]}) == 4
    assert len({record["finding_info"]["uid"] for record in body["records"]}) == 1
    assert page(key, body["follow"])["records"] == []


def test_times_are_milliseconds_and_seconds_for_whoever_asks(engine: Engine, key: str) -> None:
    raise_alerts(engine, 1)
    (exact,) = page(key)["records"]
    assert page(key, time="ms")["records"] == [exact]
    (coarse,) = page(key, time="s", least=10**9)["records"]
    assert coarse["time"] == exact["time"] // 1000
    info, coarse_info = exact["finding_info"], coarse["finding_info"]
    for name in ("first_seen_time", "last_seen_time", "created_time", "modified_time"):
        assert coarse_info[name] == info[name] // 1000
    assert coarse["start_time"] == exact["start_time"] // 1000
    at = datetime.fromisoformat(exact["time_dt"])
    assert int(at.timestamp() * 1000) == exact["time"]


@pytest.mark.parametrize("token", [None, "", "0", "undefined", " "])
def test_a_first_call_tells_about_three_days(
    engine: Engine, key: str, tenant: tuple[UUID, str], token: str | None
) -> None:
    raise_alerts(engine, 2)
    age_changes(tenant[0], days=4)
    engine.send([engine.event(5, srcIP="10.0.3.1", destIP=BAD)])
    engine.evaluate()
    engine.sequence()
    body = page(key, token)
    assert [r["evidences"][0]["src_endpoint"]["ip"] for r in body["records"]] == ["10.0.3.1"]
    assert body["follow"] == "1-3"
    assert len(page(key, "1-0")["records"]) == 3


@pytest.mark.parametrize(
    ("age", "told"),
    [("", 1), ("undefined", 1), ("3600s", 0), ("1h30m", 0), ("49h", 1), ("2880.5m", 1), ("0", 0),
     ("99999999999h", 1)],
)  # fmt: skip
def test_a_first_call_looks_back_as_far_as_it_is_told(
    engine: Engine, key: str, tenant: tuple[UUID, str], age: str, told: int
) -> None:
    raise_alerts(engine, 1)
    age_changes(tenant[0], days=2)
    body = page(key, "", maxAge=age)
    assert (len(body["records"]), body["follow"]) == (told, "1-1")


def test_behind_a_bookmark_nothing_is_too_old(
    engine: Engine, key: str, tenant: tuple[UUID, str]
) -> None:
    raise_alerts(engine, 1)
    age_changes(tenant[0], days=30)
    assert len(page(key, "1-0", maxAge="3600s")["records"]) == 1


def test_where_nothing_is_young_enough_the_bookmark_stands_at_the_end(
    engine: Engine, key: str, tenant: tuple[UUID, str]
) -> None:
    raise_alerts(engine, 2)
    age_changes(tenant[0], days=9)
    first = page(key)
    assert (first["records"], first["follow"]) == ([], "1-2")
    engine.send([engine.event(5, srcIP="10.0.3.1", destIP=BAD)])
    engine.evaluate()
    engine.sequence()
    assert len(page(key, first["follow"])["records"]) == 1


@pytest.mark.parametrize(
    ("query", "named"),
    [({"schema": "ecs"}, "ocsf"), ({"schema": "OCSF"}, "ocsf"), ({"time": "us"}, "time"),
     ({"maxAge": "3600"}, "maxAge"), ({"maxAge": "-1s"}, "maxAge"), ({"maxAge": "1d"}, "maxAge"),
     ({"maxAge": "1h 1m"}, "maxAge"), ({"maxAge": "s"}, "maxAge"), ({"maxAge": "1e3s"}, "maxAge"),
     ({"maxAge": "1s" * 500}, "maxAge"), ({"follow": "6-8263d641x"}, "follow"),
     ({"follow": "1-1.1"}, "follow")],
)  # fmt: skip
def test_what_cannot_be_meant_is_400(key: str, query: dict[str, str], named: str) -> None:
    response = get(key, "/v1/findings", **query)
    assert response.status_code == 400
    assert named in stated(response)["message"]


@pytest.mark.parametrize("query", ["", "schema=", "schema=ocsf&whatever=1", "schema=ocsf&follow"])
def test_the_schema_may_be_left_out_and_more_may_be_said(
    engine: Engine, key: str, query: str
) -> None:
    raise_alerts(engine, 1)
    response = Client().get(f"/v1/findings?{query}", HTTP_AUTHORIZATION=basic(key))
    assert len(decoded(response.content)["records"]) == 1


def test_pages_are_followed_to_the_end_without_gap_or_repeat(
    engine: Engine, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings, "PAGE", 2)
    raise_alerts(engine, 5)
    told: list[int] = []
    body = page(key)
    while True:
        told += [record["metadata"]["sequence"] for record in body["records"]]
        if not body["more"]:
            break
        body = page(key, body["follow"])
    assert told == [1, 2, 3, 4, 5]


def test_a_page_costs_the_same_queries_however_many_findings(engine: Engine, key: str) -> None:
    counted = []
    for count in (1, 12):
        raise_alerts(engine, count)
        page(key, "1-0")
        with CaptureQueriesContext(connection) as queries:
            assert len(page(key, "1-0")["records"]) >= count
        counted.append(len(queries))
    assert counted == [7, 7]


def test_an_alert_that_retention_takes_meanwhile_is_passed_over(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_alerts(engine, 3)
    with tenant_scope(engine.tenant):
        first = AlertChange.objects.get(seq=1)
        kept = Alert.objects.get_queryset
        monkeypatch.setattr(
            Alert.objects, "get_queryset", lambda: kept().exclude(id=first.alert_id)
        )
        told, last, more = changes.changes_after(0, limit=1)
    assert [change.place for change in told] == [2]
    assert (last, more) == (2, True)


def test_every_detection_of_an_alert_has_a_scale_of_confidence() -> None:
    assert set(ocsf._ANALYTICS) == {
        "beacon_rare", "beacon_failed_contact", "long_session", "listed_destination",
    }  # fmt: skip


def test_who_names_no_schema_reads_seconds_and_the_deployment_may_say_so_for_all(
    engine: Engine, key: str, settings: Any
) -> None:
    raise_alerts(engine, 1)
    asked: dict[str, dict[str, str]] = {
        "none": {}, "ocsf": {"schema": "ocsf"}, "said": {"schema": "ocsf", "time": "s"},
    }  # fmt: skip
    times = {name: told(key, query) for name, query in asked.items()}
    assert times["none"] == times["said"] == times["ocsf"] // 1000
    settings.FINDINGS_TIME = "s"
    assert told(key, {"schema": "ocsf"}) == times["said"]
    assert told(key, {"schema": "ocsf", "time": "ms"}) == times["ocsf"]


def told(key: str, query: dict[str, str]) -> int:
    body = json.loads(get(key, "/v1/findings", **query).content)
    time: int = body["records"][0]["time"]
    return time
