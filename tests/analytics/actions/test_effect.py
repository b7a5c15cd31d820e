"""Taking effect: an identity takes effect once, whatever is sent again and in which cuts."""

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from analytics.actions import effect
from analytics.actions.effect import take_effect
from analytics.actions.sources import sources_seen
from analytics.ingest import bodies, parts
from analytics.ingest.batches import to_batch
from analytics.ingest.events import DNS, IP
from analytics.models import EvaluationDay, IdentityRun, InboxPart, SourceSketch, Stream, Window
from analytics.series.contacted import destinations_of
from analytics.series.shards import SHARDS, day_of
from destinations import addresses
from destinations.report import Destination
from tenants.models import Work, WorkState
from tenants.scope import tenant_scope
from tests.analytics.engine import BAD, Engine, noon, nothing_listed

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


def test_equal_events_of_one_request_all_count(engine: Engine) -> None:
    assert engine.send([engine.event()] * 5 + [engine.event(1)]) == 6
    assert sorted(engine.kept().values()) == [1, 5]


def test_a_request_sent_again_whole_adds_nothing(engine: Engine) -> None:
    events = [engine.event(number % 3) for number in range(10)]
    assert engine.send(events) == 10
    assert engine.send(events) == 0
    assert engine.kept().total() == 10


def test_a_request_that_repeats_an_earlier_one_and_goes_on_adds_what_is_new(
    engine: Engine,
) -> None:
    first = [engine.event(number) for number in range(4)]
    assert engine.send(first * 2) == 8
    assert engine.send([*first, engine.event(9), *first]) == 1


def test_a_higher_multiplicity_later_adds_the_difference(engine: Engine) -> None:
    assert engine.send([engine.event()] * 2) == 2
    assert engine.send([engine.event()] * 5) == 3
    assert engine.send([engine.event()] * 4) == 0
    assert engine.kept().total() == 5


def test_equal_events_count_across_the_parts_of_one_request(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [engine.event(number % 2) for number in range(9)]
    monkeypatch.setattr(parts, "MAX_BATCH_EVENTS", 2)
    monkeypatch.setattr(bodies, "STRETCH", 1)
    monkeypatch.setattr(bodies, "LONGEST", 300)  # an event and a half
    assert engine.send(events) == 9
    with tenant_scope(engine.tenant):
        assert InboxPart.objects.count() == 5
    monkeypatch.setattr(bodies, "MAX_BATCH_EVENTS", 4)
    assert engine.send(events) == 0
    assert engine.send([*events, engine.event(0)]) == 1


def test_the_connections_id_makes_equal_events_two(engine: Engine) -> None:
    assert engine.send([engine.event(connID="a"), engine.event(connID="b")]) == 2
    assert engine.send([engine.event(connID="b"), engine.event()]) == 1


@pytest.mark.parametrize("seed", [1, 2])
def test_the_series_hold_the_highest_multiplicity_of_any_request(
    engine: Engine, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effect, "COMPACT_RUNS", 2)
    chance = random.Random(seed)
    pool = [
        engine.event(chance.randrange(10_000), srcIP=f"10.0.0.{chance.randrange(1, 9)}")
        for _ in range(12)
    ]
    slow: Counter[int] = Counter()
    for _ in range(9):
        monkeypatch.setattr(bodies, "MAX_BATCH_EVENTS", chance.choice([1, 3, 100]))
        chosen = [chance.randrange(len(pool)) for _ in range(chance.randrange(1, 15))]
        before = slow.total()
        slow |= Counter(chosen)
        assert engine.send([pool[each] for each in chosen]) == slow.total() - before
        assert engine.kept().total() == slow.total()


def test_identities_of_an_hour_are_merged_once_they_are_many(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effect, "COMPACT_RUNS", 3)
    for number in range(8):
        assert engine.send([engine.event(number)] * (1 + number % 2)) == 1 + number % 2
        with tenant_scope(engine.tenant):
            assert IdentityRun.objects.count() <= 3
    assert engine.send([engine.event(number) for number in range(8)] * 2) == 4


def test_one_source_lives_in_one_shard_and_sources_are_spread(engine: Engine) -> None:
    engine.send([engine.event(n, srcIP=f"10.0.{n % 40}.1") for n in range(400)])
    with tenant_scope(engine.tenant):
        windows = list(Window.objects.all())
    assert {window.shard for window in windows} == set(range(SHARDS))
    assert sum(window.events for window in windows) == 400


def test_a_request_of_several_hours_and_days_is_sorted_into_them(engine: Engine) -> None:
    hours = [0, 1, 13, 36]
    engine.send([engine.event(hour * 3600) for hour in hours])
    with tenant_scope(engine.tenant):
        starts = set(Window.objects.values_list("start", flat=True))
        days = set(EvaluationDay.objects.values_list("day", flat=True))
    assert starts == {noon(engine.now) + timedelta(hours=hour) for hour in hours}
    assert days == {start.date() for start in starts}


def test_the_stream_remembers_its_newest_event(engine: Engine) -> None:
    engine.send([engine.event(600)])
    engine.send([engine.event(60)])
    with tenant_scope(engine.tenant):
        (row,) = Stream.objects.all()
    assert row.newest == noon(engine.now) + timedelta(minutes=10)
    assert row.received_at == engine.now


def test_work_is_done_with_its_effect_and_work_without_parts_is_done_too(engine: Engine) -> None:
    work = engine.accept([engine.event()])
    lease = engine.lease(work)
    with tenant_scope(engine.tenant):
        InboxPart.objects.all().delete()
    assert take_effect(lease, listed=nothing_listed, now=engine.now) == 0
    assert Work.objects.get(id=work).state == WorkState.DONE


def test_sources_are_counted_once_a_day_however_often_they_come(engine: Engine) -> None:
    for part in range(2):
        engine.send([engine.event(n + part, srcIP=f"10.0.0.{n}") for n in range(1, 21)])
    with tenant_scope(engine.tenant):
        assert SourceSketch.objects.count() > 1
        # two sources meet in one register now and then
        assert 18 <= sources_seen(day=day_of(engine.now)) <= 20


def test_wisdom_is_asked_for_the_destinations_alone_and_outside_any_transaction(
    engine: Engine,
) -> None:
    asked: list[frozenset[Destination]] = []

    def listed(destinations: frozenset[Destination]) -> bool:
        assert not connection.in_atomic_block
        asked.append(destinations)
        return True

    lease = engine.lease(engine.accept([engine.event(), engine.event(1, destIP=BAD)]))
    take_effect(lease, listed=listed, now=engine.now)
    assert asked == [
        frozenset(
            Destination(kind="address", value=each, port=443, protocol="tcp")
            for each in ("203.0.113.7", BAD)
        )
    ]
    (evaluation,) = Work.objects.filter(queue="analyse")
    assert evaluation.due_at == engine.now  # something listed was met: no waiting


def test_destinations_are_asked_with_their_port_unless_they_are_ours() -> None:
    at: dict[str, Any] = {
        "ts": "2026-05-01T10:00:00Z",
        "srcIP": "10.0.0.1",
        "destIP": "198.51.100.7",
    }
    events = [
        {**at, "destPort": 443, "proto": "tcp"},
        {**at, "destPort": 443, "proto": "tcp", "connID": "C2"},
        {**at, "destPort": 53, "proto": "udp"},
        {**at, "destPort": 8080, "proto": "tcp", "localResp": True},
        {**at, "proto": "gre"},
    ]
    batch, _ = to_batch([IP.make(event) for event in events], IP, now=1_900_000_000 * 10**9)
    address = addresses.parse("198.51.100.7")
    assert destinations_of(batch, IP) == {
        Destination.of_address(address, port=443, protocol="tcp"),
        Destination.of_address(address, port=53, protocol="udp"),
        Destination.of_address(address),
    }


def test_the_destinations_of_questions_are_their_names() -> None:
    base = {"ts": 1777636800, "srcIP": "192.0.2.1"}
    events = [DNS.make({**base, "query": each}) for each in ("A.example", "a.example", "")]
    batch, _ = to_batch(events, DNS, now=1_777_636_800 * 10**9)
    assert destinations_of(batch, DNS) == {Destination(kind="name", value="a.example")}
