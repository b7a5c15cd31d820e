"""Limits hold to the percent where there is too much, and leave an ordinary tenant alone."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings as live
from django.db import transaction

from crypto.ids import uuid7
from tenants import limits, refusals
from tenants.auth import Caller
from tenants.buckets import Bucket, connected, take
from tenants.errors import Limited, OutsideScope
from tenants.models import UsageDay
from tenants.plans import Plan, Rate
from tenants.scope import tenant_scope
from tests.tenants.doors import get, status

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
DAY = datetime(2026, 11, 24, 12, tzinfo=UTC)
TENTH = timedelta(milliseconds=100)


@pytest.fixture
def caller(tenant: tuple[UUID, str]) -> Caller:
    return Caller(tenant=tenant[0], key=tenant[1].split("_")[1], plan=Plan.PROVISIONAL)


def charge(who: Caller, events: int, *, octets: int = 0, now: datetime = DAY) -> None:
    with tenant_scope(who.tenant):
        limits.charge(who, events=events, octets=octets, now=now)


def refused(who: Caller, *, door: str, now: datetime = DAY) -> Limited:
    with pytest.raises(Limited) as caught:
        limits.check(who, door=door, now=now)
    return caught.value


def empty(who: Caller, *, door: str, now: datetime = DAY) -> None:
    """Take all that a key's requests have at once."""
    for _ in range(int(limits.of_plan(who.plan).key_requests.burst)):
        limits.check(who, door=door, now=now)


def test_a_bucket_gives_its_burst_and_then_its_rate_within_five_percent(
    now: datetime,
) -> None:
    rate = Rate(per_second=20, burst=40)
    client = connected(live.CACHE_URL)
    bucket = Bucket(name=f"limit:test:{uuid7(now)}", rate=rate, cost=1)
    given, seconds = 0, 30
    for step in range(seconds * 10):  # ten times the rate: 20 asked in each tenth
        at = DAY + step * TENTH
        given += sum(take(client, [bucket], now=at)[0] for _ in range(20))
    expected = rate.burst + rate.per_second * seconds
    assert abs(given - expected) <= 0.05 * expected
    assert client.pttl(bucket.name) > 0


def test_octets_that_are_charged_afterwards_hold_within_five_percent(
    now: datetime,
) -> None:
    rate = Rate(per_second=1_000_000, burst=2_000_000)
    client = connected(live.CACHE_URL)
    name = f"limit:test:{uuid7(now)}"
    taken, seconds, size = 0, 60, 100_000
    for step in range(seconds * 10):
        for _ in range(10):  # ten times the rate
            at = DAY + step * TENTH
            if take(client, [Bucket(name=name, rate=rate, cost=0)], now=at)[0]:
                take(client, [Bucket(name=name, rate=rate, cost=size)], now=at, charged=True)
                taken += size
    expected = rate.burst + rate.per_second * seconds
    assert abs(taken - expected) <= 0.05 * expected


def test_buckets_give_all_or_none(now: datetime) -> None:
    client = connected(live.CACHE_URL)
    prefix = f"limit:test:{uuid7(now)}"
    wide = Bucket(name=f"{prefix}:wide", rate=Rate(per_second=1, burst=100), cost=1)
    narrow = Bucket(name=f"{prefix}:narrow", rate=Rate(per_second=1, burst=1), cost=1)
    assert take(client, [wide, narrow], now=DAY)[0]
    given, levels = take(client, [wide, narrow], now=DAY)
    assert not given
    assert [level.remaining for level in levels] == [99, 0]
    assert [level.wait for level in levels] == [-98.0, 1.0]


@pytest.mark.parametrize(("door", "expected"), [("events", 503), ("alerts", 429), ("any", 429)])
def test_a_refusal_says_when_to_come_again_and_is_no_429_where_events_are_sent(
    caller: Caller, door: str, expected: int
) -> None:
    empty(caller, door=door)
    error = refused(caller, door=door)
    assert error.status == expected
    assert error.headers["Retry-After"] == "1"
    assert error.headers["RateLimit"].startswith('"requests";r=0;t=50')
    wait = timedelta(seconds=int(error.headers["Retry-After"]))
    assert limits.check(caller, door=door, now=DAY + wait).headers


def test_an_answer_says_what_is_left(caller: Caller) -> None:
    headers = limits.check(caller, door="alerts", now=DAY).headers
    assert headers["RateLimit-Policy"] == (
        '"requests";q=100;w=50, "content-bytes";q=67108864;w=64;qu="content-bytes"'
    )
    assert headers["RateLimit"] == '"requests";r=99;t=1, "content-bytes";r=67108864;t=0'


def test_who_sends_too_much_still_reads_alerts(caller: Caller) -> None:
    empty(caller, door="events")
    refused(caller, door="events")
    assert limits.check(caller, door="alerts", now=DAY).headers


def test_a_tenants_keys_share_what_the_tenant_has_and_a_neighbour_has_its_own(
    caller: Caller,
) -> None:
    empty(caller, door="events")
    sibling = Caller(tenant=caller.tenant, key="B" * 12, plan=caller.plan)
    refused(sibling, door="events")
    neighbour = Caller(tenant=UUID(int=7), key="C" * 12, plan=caller.plan)
    assert limits.check(neighbour, door="events", now=DAY).headers


def test_octets_are_owed_after_a_large_request(caller: Caller) -> None:
    charge(caller, 1, octets=128 << 20)
    assert refused(caller, door="events").headers["Retry-After"] == "65"
    assert limits.check(caller, door="events", now=DAY + timedelta(seconds=65)).headers


def test_what_is_rolled_back_is_not_charged(caller: Caller) -> None:
    with transaction.atomic():
        charge(caller, 1_000, octets=128 << 20)
        transaction.set_rollback(True)
    assert limits.check(caller, door="events", now=DAY).headers
    with tenant_scope(caller.tenant):
        assert limits.used_today(now=DAY) == 0


def test_the_days_events_are_bounded_and_the_request_that_crosses_is_whole(caller: Caller) -> None:
    charge(caller, 99_999)
    assert limits.check(caller, door="events", now=DAY).headers
    charge(caller, 65_535)
    error = refused(caller, door="events")
    assert (error.status, error.headers["Retry-After"]) == (503, "43200")
    assert "100,000" in error.message
    with pytest.raises(Limited):  # it was under way when the other filled the day
        charge(caller, 1)
    assert limits.check(caller, door="alerts", now=DAY).headers
    assert limits.check(caller, door="events", now=DAY + timedelta(hours=12)).headers
    with tenant_scope(caller.tenant):
        (row,) = UsageDay.objects.all()
        assert (row.events, row.requests) == (165_534, 2)


def test_a_day_of_small_requests_holds_within_a_percent(caller: Caller) -> None:
    taken = 0
    for step in range(1_000):
        at = DAY + timedelta(seconds=step)
        try:
            limits.check(caller, door="events", now=at)
        except Limited:
            continue
        charge(caller, 1_000, now=at)
        taken += 1_000
    assert taken == 100_000


def test_a_full_plan_has_no_daily_bound(caller: Caller) -> None:
    full = Caller(tenant=caller.tenant, key=caller.key)
    charge(full, 10**9)
    assert limits.check(full, door="events", now=DAY).headers


def test_a_neighbours_use_is_not_seen_and_no_scope_no_charge(caller: Caller) -> None:
    charge(caller, 5)
    with tenant_scope(UUID(int=7)):
        assert limits.used_today(now=DAY) == 0
    with pytest.raises(OutsideScope):
        limits.charge(caller, events=1, octets=1, now=DAY)


def test_nothing_is_refused_while_valkey_is_away_and_the_log_says_so_once_a_minute(
    caller: Caller, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="tenants.limits")
    settings.CACHE_URL = "unix:///nowhere/valkey.sock?db=1"
    for second in range(0, 300, 2):
        at = DAY + timedelta(seconds=second)
        assert limits.check(caller, door="events", now=at).headers == {}
    assert len([each for each in caplog.records if each.name == "tenants.limits"]) == 5


def test_refusals_are_audited_by_the_minute(caller: Caller, as_owner: Any) -> None:
    empty(caller, door="alerts")
    for _ in range(7):
        refused(caller, door="alerts")
    refusals.tell_left(now=DAY)
    with as_owner() as session:
        rows = session.execute(
            "SELECT actor_id, calls FROM audit_tally WHERE event = 'requests.limited'"
        ).fetchall()
    assert rows == [(caller.key, 7)]


def test_every_view_behind_a_key_is_counted(tenant: tuple[UUID, str], settings: Any) -> None:
    answer = get("/v1/ae/inventory/flags", key=tenant[1])
    assert answer.status_code == 200
    assert answer["RateLimit"].startswith('"requests";r=999')
    few = Rate(per_second=0.001, burst=2)
    full = limits.of_plan(Plan.FULL)
    narrow = {name: getattr(full, name) for name in full.__slots__} | {"key_requests": few}
    settings.LIMITS = {Plan.FULL: type(full)(**narrow)}
    answers = [get("/v1/alerts", key=tenant[1]) for _ in range(4)]
    assert answers[-1].status_code == 429
    assert answers[-1].json()["code"] == "limited"
    assert int(answers[-1]["Retry-After"]) > 0
    assert answers[-1]["RateLimit-Policy"]


def test_a_status_says_how_much_of_the_day_is_used(tenant: tuple[UUID, str], settings: Any) -> None:
    settings.LIMITS = {Plan.FULL: limits.of_plan(Plan.PROVISIONAL)}
    who = Caller(tenant=tenant[0], key=tenant[1].split("_")[1])
    charge(who, 79_999, now=datetime.now(UTC))
    assert status(tenant[1])["messages"] == []
    charge(who, 5_001, now=datetime.now(UTC))
    body = status(tenant[1])
    assert body["messages"] == [{"level": 2, "body": "85 % of today's 100,000 events are used."}]
    assert body["limits"]["eventsToday"] == 85_000
