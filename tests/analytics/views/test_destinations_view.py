"""``GET /v1/dailyDestinations``: what was contacted, each closed day once, behind a bookmark."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.actions import daily
from analytics.actions.days import ShardDay
from analytics.ingest.events import DNS
from analytics.models import DestinationDay, DestinationSummary, EvaluationDay
from analytics.series import destinations as summaries
from analytics.views import destinations
from tenants.scope import tenant_scope
from tests.analytics.engine import BAD, Engine, noon, reporting
from tests.analytics.views.asking import get, stated
from tests.analytics.views.go_clients import TOKEN, decoded, go_integer, go_time

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
DAY = 86_400


@pytest.fixture
def key(tenant: tuple[UUID, str]) -> str:
    return tenant[1]


def page(key: str, follow: str = "") -> dict[str, Any]:
    """Read a page as the puller does: objects, a bookmark, and whether to come again at once."""
    response = get(key, "/v1/dailyDestinations", follow=follow)
    assert response.status_code == 200, response.content
    body = decoded(response.content)
    assert TOKEN.fullmatch(body["follow"])
    assert type(body["more"]) is bool
    assert body["destinations"] or not body["more"]
    for each in body["destinations"]:
        assert go_time(each["ts"]).date().isoformat() == each["day"]
        assert go_time(each["firstSeen"]) <= go_time(each["lastSeen"])
        assert each["kind"] in {"name", "address"}
        assert set(each["eventTypes"]) <= {"dns", "ip", "http", "tls"}
        for name in ("events", "sources"):
            go_integer(each[name])
            assert each[name] > 0
        assert None not in each.values()
    return body


def day_of(engine: Engine, number: int = 0) -> str:
    return f"{noon(engine.now) + timedelta(days=number):%Y-%m-%d}"


def contacted(body: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["day"], each["destination"]) for each in body["destinations"]]


def question(engine: Engine, number: int, source: str) -> dict[str, Any]:
    return {"ts": engine.event(number)["ts"], "srcIP": source, "query": "www.example.com"}


def test_without_events_every_member_is_there(key: str) -> None:
    assert page(key) == {"destinations": [], "follow": "1-0", "more": False}


def test_a_day_is_summed_over_sources_shards_and_kinds(engine: Engine, key: str) -> None:
    engine.send([engine.event(n, srcIP=f"10.0.0.{n}", bytesIn=n, bytesOut=1) for n in range(1, 9)])
    engine.send([question(engine, n, f"10.0.0.{n}") for n in (1, 1, 2)], kind=DNS)
    engine.evaluate()
    with tenant_scope(engine.tenant):
        assert DestinationSummary.objects.count() > 1
    address, name = page(key)["destinations"]
    start = noon(engine.now)
    assert address == {
        "day": day_of(engine),
        "ts": f"{day_of(engine)}T00:00:00Z",
        "destination": "203.0.113.7",
        "kind": "address",
        "eventTypes": ["ip"],
        "events": 8,
        "sources": 8,
        "bytesIn": 36,
        "bytesOut": 8,
        "firstSeen": f"{start + timedelta(seconds=1):%Y-%m-%dT%H:%M:%S.%f}Z",
        "lastSeen": f"{start + timedelta(seconds=8):%Y-%m-%dT%H:%M:%S.%f}Z",
    }
    assert (name["destination"], name["kind"]) == ("www.example.com", "name")
    assert (name["events"], name["sources"], name["eventTypes"]) == (3, 2, ["dns"])
    assert "bytesIn" not in name


def test_what_an_alert_knows_of_a_destination_is_told_with_it(engine: Engine, key: str) -> None:
    engine.wisdom = reporting("c2")
    engine.send([engine.event(1, destIP=BAD), engine.event(2), engine.event(DAY, srcIP="10.0.0.2")])
    engine.evaluate()
    flags = {each["destination"]: each.get("flags") for each in page(key)["destinations"]}
    assert flags == {BAD: ["c2"], "203.0.113.7": None}


def test_each_day_is_told_once_in_order_and_a_bookmark_goes_on(engine: Engine, key: str) -> None:
    engine.send([engine.event(0), engine.event(-DAY, destIP="203.0.113.9")])
    engine.evaluate()
    body = page(key)
    assert contacted(body) == [
        (day_of(engine, -1), "203.0.113.9"), (day_of(engine), "203.0.113.7"),
    ]  # fmt: skip
    assert page(key, body["follow"]) == {**body, "destinations": []}
    assert page(key, "undefined") == page(key, "0") == page(key) == body


def test_a_day_that_comes_late_is_told_behind_those_that_were(engine: Engine, key: str) -> None:
    engine.send([engine.event(0)])
    engine.evaluate()
    first = page(key)
    engine.send([engine.event(-9 * DAY, destIP="203.0.113.9")])
    engine.evaluate()
    assert contacted(page(key, first["follow"])) == [(day_of(engine, -9), "203.0.113.9")]


def test_what_comes_after_a_day_was_told_does_not_tell_it_again(engine: Engine, key: str) -> None:
    engine.send([engine.event(0)])
    engine.evaluate()
    body = page(key)
    engine.send([engine.event(5, destIP="203.0.113.99")])
    engine.evaluate()
    assert page(key) == body
    assert page(key, body["follow"])["destinations"] == []


def test_a_day_is_not_told_before_it_is_over_and_settled(engine: Engine) -> None:
    engine.send([engine.event(0)])
    engine.evaluate()
    midnight = noon(engine.now) + timedelta(hours=12)
    with tenant_scope(engine.tenant):
        early = midnight + daily.SETTLE - timedelta(seconds=1)
        assert daily.place_days(tenant=engine.tenant, now=early) == 0
        on_time = midnight + daily.SETTLE
        assert daily.place_days(tenant=engine.tenant, now=on_time) == 1
        assert daily.place_days(tenant=engine.tenant, now=on_time) == 0


def test_a_day_that_awaits_an_evaluation_is_not_told(engine: Engine, key: str) -> None:
    engine.send([engine.event(0)])
    engine.evaluate()
    engine.send([engine.event(3, srcIP="10.0.0.77")])
    assert page(key)["destinations"] == []
    engine.evaluate()
    assert [each["sources"] for each in page(key)["destinations"]] == [2]


def test_a_day_that_somebody_adds_to_is_told_at_a_later_call(engine: Engine, key: str) -> None:
    engine.send([engine.event(0)])
    engine.evaluate()
    other = connection.copy("default")
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT set_config('app.tenant', %s, true)", [str(engine.tenant)])
            cursor.execute("SELECT FROM evaluation_day FOR UPDATE")
        assert page(key)["destinations"] == []
        other.rollback()
    finally:
        other.close()
    assert len(page(key)["destinations"]) == 1


def test_a_day_is_cut_into_pages_and_read_to_the_end(
    engine: Engine, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(destinations, "PAGE", 2)
    engine.send([engine.event(n, destIP=f"203.0.113.{n}") for n in range(5)])
    engine.send([engine.event(-DAY + n, destIP=f"198.51.100.{n}") for n in range(3)])
    engine.evaluate()
    told, follow, pages = [], "", 0
    while True:
        body = page(key, follow)
        told += contacted(body)
        follow, pages = body["follow"], pages + 1
        if not body["more"]:
            break
    assert pages == 4
    assert told == [
        *((day_of(engine, -1), f"198.51.100.{n}") for n in range(3)),
        *((day_of(engine), f"203.0.113.{n}") for n in range(5)),
    ]
    assert page(key, follow)["destinations"] == []


def test_more_days_than_one_request_looks_at_are_all_told(
    engine: Engine, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daily, "DAYS_AT_ONCE", 2)
    engine.send([engine.event(-n * DAY) for n in range(5)])
    engine.evaluate()
    told, follow, more = 0, "", True
    while more:
        body = page(key, follow)
        told, follow, more = told + len(body["destinations"]), body["follow"], body["more"]
    assert told == 5


def test_what_is_used_least_is_counted_and_not_told(
    engine: Engine, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summaries, "MOST", 1)
    engine.send([engine.event(n, destIP=f"203.0.113.{n % 3}") for n in range(7)])
    engine.evaluate()
    body = page(key)
    assert [each["destination"] for each in body["destinations"]] == ["203.0.113.0"]
    assert body["omitted"] == {day_of(engine): 2}


def test_forgotten_days_are_passed_over_and_their_places_stay(engine: Engine, key: str) -> None:
    engine.send([engine.event(0), engine.event(-DAY)])
    engine.evaluate()
    page(key)
    with tenant_scope(engine.tenant):
        past = DestinationSummary.objects.filter(day__lt=noon(engine.now).date())
        past.update(stored_at=engine.now - timedelta(days=1))
        assert daily.forget(before=engine.now) == 1
        assert DestinationDay.objects.count() == 2
    body = page(key)
    assert [day for day, _ in contacted(body)] == [day_of(engine)]
    assert body["follow"] == "1-2"


def test_a_shard_without_rows_any_more_keeps_no_summary(engine: Engine) -> None:
    engine.send([engine.event(0)])
    engine.evaluate()
    with tenant_scope(engine.tenant):
        row = EvaluationDay.objects.get()
        daily.store(
            tenant=engine.tenant,
            target=ShardDay(row.shard, row.day),
            summary=daily.summarise({}),
            now=datetime.now(UTC),
        )
        assert not DestinationSummary.objects.exists()


@pytest.mark.parametrize("token", ["1-1.", "1-1.zzzzzzz", "x"])
def test_a_bookmark_that_is_none_of_ours_is_400(key: str, token: str) -> None:
    response = get(key, "/v1/dailyDestinations", follow=token)
    assert response.status_code == 400
    assert "follow" in stated(response)["message"]


def test_a_page_costs_the_same_queries_however_many_days(engine: Engine, key: str) -> None:
    counted = []
    for days in (1, 6):
        engine.send([engine.event(-n * DAY, srcIP=f"10.0.{days}.{n}") for n in range(days)])
        engine.evaluate()
        page(key)
        with CaptureQueriesContext(connection) as queries:
            assert page(key)["destinations"]
        counted.append(len(queries))
    assert counted == [13, 13]


def test_two_readers_at_once_give_each_day_one_place(engine: Engine) -> None:
    engine.send([engine.event(-n * DAY) for n in range(3)])
    engine.evaluate()
    later = engine.now + timedelta(days=3)
    with tenant_scope(engine.tenant):
        day = min(DestinationSummary.objects.values_list("day", flat=True))
        DestinationDay.objects.create(day=day, place=1)  # as a reader that was a moment earlier
        daily.place_days(tenant=engine.tenant, now=later)
        places = sorted(DestinationDay.objects.values_list("day", "place"))
    assert [place for _, place in places] == [1, 2, 3]
