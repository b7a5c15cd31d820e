"""Evaluating a day: the same events make the same alerts, in whatever order and cuts they came."""

import random
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from analytics.actions import evaluation
from analytics.actions.alerts import open_alert
from analytics.actions.evaluation import OWED_RETRY, evaluate_day
from analytics.ingest.events import DNS
from analytics.models import (
    Alert,
    AlertChange,
    EvaluationDay,
    IdentityRun,
    Segment,
    SourceSketch,
    Window,
)
from analytics.wisdom_client import Answer
from destinations.networks import DEFAULT_HOME
from destinations.report import Destination
from tenants import keys
from tenants.errors import KeyUnavailable, LostLease
from tenants.models import DataKey, Work, WorkState
from tenants.scope import tenant_scope
from tests.analytics.engine import (
    BAD,
    BAD_NAME,
    Engine,
    in_turn,
    noon,
    reporting,
    silent,
    unknown,
)

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
MADE = (Segment, IdentityRun, Window, EvaluationDay, SourceSketch, AlertChange, Alert)


def mixed(engine: Engine) -> list[dict[str, object]]:
    """Beacons, a long session, listed contacts and ordinary traffic of two days."""
    beats = [engine.event(60 * n, srcIP="10.0.0.9", connID=f"b{n}") for n in range(60)]
    failed = [
        engine.event(60 * n, srcIP="10.0.0.8", destIP="203.0.113.99", connState="REJ", bytesIn=0)
        for n in range(90)
    ]
    long = [engine.event(5, srcIP="10.0.0.7", destIP="203.0.113.50", duration=40_000.0)]
    listed = [engine.event(900 * n, destIP=BAD, srcIP=f"10.0.1.{n % 3}") for n in range(12)]
    chance = random.Random(5)
    other = [
        engine.event(chance.randrange(0, 120_000), destIP=f"203.0.113.{chance.randrange(1, 40)}")
        for _ in range(60)
    ]
    return [*beats, *failed, *long, *listed, *other, *other[:7]]


def said(engine: Engine) -> list[tuple[object, ...]]:
    """Return what must not depend on order and cuts (contract)."""
    opened = [(row, open_alert(row)) for row in engine.alerts()]
    return [
        (row.id, content.threats, row.severity, content.score, content.digest, row.state)
        for row, content in opened
    ]


def run(engine: Engine, requests: list[list[dict[str, object]]], *, looks: int = 1) -> None:
    with tenant_scope(engine.tenant):
        for model in MADE:
            model.objects.all().delete()
    Work.objects.all().delete()
    for number, request in enumerate(requests):
        engine.send(request)
        if number % max(1, len(requests) // looks) == 0:
            engine.evaluate()
    engine.evaluate()


def test_order_and_cuts_change_no_alert(engine: Engine) -> None:
    engine.wisdom = reporting("c2")
    events = mixed(engine)
    run(engine, [events])
    expected = said(engine)
    found = {open_alert(row).detection for row in engine.alerts()}
    assert found >= {"beacon_rare", "beacon_failed_contact", "long_session", "listed_destination"}
    for seed in (1, 2):
        chance = random.Random(seed)
        shuffled = events[:]
        chance.shuffle(shuffled)
        requests = in_turn(shuffled, [chance.randrange(1, 90) for _ in range(6)])
        run(engine, [*requests, requests[0], shuffled[:50]], looks=3)
        assert said(engine) == expected


def test_an_alert_carries_the_event_that_shows_it(engine: Engine) -> None:
    engine.wisdom = reporting("c2")
    engine.send([engine.event(n, destIP=BAD, connID=f"c{n}", srcHost="desk") for n in (9, 3, 7)])
    engine.evaluate()
    (content,) = [open_alert(row) for row in engine.alerts()]
    assert content.event["connID"] == "c3"
    assert content.event["srcHost"] == "desk"
    assert (content.source, content.destination, content.count) == ("10.0.0.1", BAD, 3)
    assert content.versions["snapshot"] == "s1"
    assert sum(part.points for part in content.contributions) == content.score


@pytest.mark.parametrize(
    ("fields", "direction"),
    [
        ({}, "out"),
        ({"srcIP": "192.0.2.1"}, "transit"),
        ({"srcIP": "192.0.2.1", "localOrig": True}, "out"),
        ({"localOrig": False}, "transit"),
    ],
)
def test_a_listed_name_is_found_and_the_sensor_says_whose_it_was(
    engine: Engine, fields: dict[str, object], direction: str
) -> None:
    engine.wisdom = reporting("c2")
    question = {"ts": engine.event(1)["ts"], "srcIP": "10.0.0.1", "query": BAD_NAME, **fields}
    engine.send([question, {**question, "query": "fine.example"}], kind=DNS)
    assert engine.evaluate() == 1
    (content,) = [open_alert(row) for row in engine.alerts()]
    assert (content.kind, content.destination, content.direction) == ("dns", BAD_NAME, direction)
    assert content.event["query"] == BAD_NAME


def test_an_evaluation_that_saw_less_changes_nothing_after_one_that_saw_more(
    engine: Engine,
) -> None:
    engine.send([engine.event(0, destIP=BAD)])
    (older,) = engine.due()

    def slow(destinations: frozenset[Destination]) -> Answer:
        engine.wisdom = reporting("c2")
        engine.send([engine.event(1, destIP=BAD)])
        assert engine.evaluate() == 1  # the newer one is done while the older still looks
        return unknown(destinations)

    before = evaluate_day(engine.lease(older), wisdom=slow, now=engine.now)
    assert before == 0
    assert [content.count for content in map(open_alert, engine.alerts())] == [2]
    assert Work.objects.get(id=older).state == WorkState.DONE
    with tenant_scope(engine.tenant):
        (day,) = EvaluationDay.objects.all()
    assert (day.generation, day.evaluated, day.dirty_since) == (2, 2, None)


def test_a_day_that_grew_meanwhile_stays_up_for_another_look(engine: Engine) -> None:
    engine.send([engine.event(0, destIP=BAD)])
    (work,) = engine.due()

    def slow(destinations: frozenset[Destination]) -> Answer:
        engine.send([engine.event(1, destIP=BAD)])
        return reporting("c2")(destinations)

    assert evaluate_day(engine.lease(work), wisdom=slow, now=engine.now) == 1
    with tenant_scope(engine.tenant):
        (day,) = EvaluationDay.objects.all()
    assert (day.generation, day.evaluated) == (2, 1)
    assert day.dirty_since == noon(engine.now)
    engine.wisdom = reporting("c2")
    assert engine.evaluate() == 1
    assert [content.count for content in map(open_alert, engine.alerts())] == [2]


def test_work_whose_day_has_a_later_row_is_done_without_a_look(engine: Engine) -> None:
    engine.send([engine.event()])
    (work,) = engine.due()
    with tenant_scope(engine.tenant):
        EvaluationDay.objects.update(work_id=None)
    assert evaluate_day(engine.lease(work), wisdom=silent, now=engine.now) == 0
    assert Work.objects.get(id=work).state == WorkState.DONE


def test_what_wisdom_owes_is_asked_again_and_says_nothing_until_then(engine: Engine) -> None:
    engine.wisdom = silent
    engine.send([engine.event(destIP=BAD)])
    assert engine.evaluate() == 0
    with tenant_scope(engine.tenant):
        assert EvaluationDay.objects.get().owed
    (again,) = Work.objects.filter(queue="lookups", state=WorkState.PENDING)
    assert again.due_at == engine.now + OWED_RETRY
    engine.wisdom = reporting("c2")
    assert engine.evaluate() == 1
    with tenant_scope(engine.tenant):
        assert not EvaluationDay.objects.get().owed
    assert not Work.objects.filter(queue="analyse", state=WorkState.PENDING).exists()


def test_a_wisdom_that_is_away_takes_no_alert_back(engine: Engine) -> None:
    engine.wisdom = reporting("c2")
    engine.send([engine.event(destIP=BAD)])
    engine.evaluate()
    engine.wisdom = silent
    assert engine.evaluate_again() == 0
    engine.send([engine.event(5, destIP=BAD)])
    assert engine.evaluate() == 0
    assert [row.state for row in engine.alerts()] == ["open"]
    engine.wisdom = reporting("c2")
    assert engine.evaluate() == 1
    engine.sequence()
    assert [kind for _, kind in engine.changes()] == ["opened", "updated"]


def test_whoever_lost_the_lease_changes_no_alert_and_no_key_is_lost_with_it(
    engine: Engine,
) -> None:
    engine.send([engine.event(destIP=BAD)])
    (work,) = engine.due()
    old = engine.lease(work)
    Work.objects.filter(id=work).update(lease_until=engine.now - timedelta(days=1))
    new = engine.lease(work)
    with pytest.raises(LostLease):
        evaluate_day(old, wisdom=reporting("c2"), now=engine.now)
    assert engine.alerts() == []
    assert evaluate_day(new, wisdom=reporting("c2"), now=engine.now) == 1
    keys.forget()  # as another process: what is sealed must open from what is stored
    assert [open_alert(row).destination for row in engine.alerts()] == [BAD]


def test_a_data_key_is_never_made_inside_a_transaction(engine: Engine) -> None:
    with tenant_scope(engine.tenant):
        with pytest.raises(KeyUnavailable, match="prepare"):
            keys.seal(engine.tenant, keys.FINDINGS, b"x", now=engine.now)
        assert DataKey.objects.count() == 0
    keys.prepare(engine.tenant, keys.FINDINGS, now=engine.now)
    with tenant_scope(engine.tenant):
        keys.seal(engine.tenant, keys.FINDINGS, b"x", now=engine.now)
        assert DataKey.objects.count() == 1


def test_wisdom_is_asked_outside_any_transaction(engine: Engine) -> None:
    open_transactions: list[bool] = []

    def ask(destinations: frozenset[Destination]) -> Answer:
        open_transactions.append(connection.in_atomic_block)
        return unknown(destinations)

    engine.wisdom = ask
    engine.send([engine.event()])
    engine.evaluate()
    assert open_transactions == [False]


def test_a_change_asks_for_its_place_and_no_change_does_not(engine: Engine) -> None:
    engine.wisdom = reporting("c2")
    engine.send([engine.event(destIP=BAD)])
    engine.evaluate()
    assert Work.objects.filter(queue="sequence").count() == 1
    engine.evaluate_again()
    assert Work.objects.filter(queue="sequence").count() == 1


def test_home_networks_are_the_deployments_or_the_usual_ones(
    settings: Any,
) -> None:
    assert evaluation.home_networks() is DEFAULT_HOME
    settings.HOME_NETWORKS = ["192.0.2.0/24"]
    assert evaluation.home_networks().cidrs == ("192.0.2.0/24",)
