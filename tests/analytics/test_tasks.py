"""The workers' doors: claimed once, given back when something fails, dead in the end."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError

from analytics import tasks
from analytics.actions.effect import Overtaken
from config.logs import JsonLine
from crypto.errors import CryptoError
from tenants.errors import KeyDestroyed, LostLease
from tenants.models import Work, WorkState
from tenants.models.work import MAX_ATTEMPTS
from tests.analytics.engine import BAD, Engine, reporting, unknown

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
SECRET = "10.0.0.99"


@pytest.fixture(autouse=True)
def _no_wisdom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "ask", unknown)


def ingest(engine: Engine, work: UUID) -> None:
    tasks.ingest(tenant=str(engine.tenant), work=str(work), later="ignored")


def analyse(engine: Engine, work: UUID) -> None:
    tasks.analyse(tenant=str(engine.tenant), work=str(work))


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise error

    monkeypatch.setattr(tasks, "take_effect", fail)


def test_a_message_gives_a_request_its_effect_once_however_often_it_comes(
    engine: Engine,
) -> None:
    work = engine.accept([engine.event()])
    for _ in range(3):
        ingest(engine, work)
    assert Work.objects.get(id=work).state == WorkState.DONE
    assert Work.objects.get(id=work).attempt == 1
    assert engine.kept().total() == 1


def test_a_message_for_what_is_not_due_or_not_there_is_nothing(engine: Engine) -> None:
    work = engine.accept([engine.event()])
    Work.objects.filter(id=work).update(due_at=engine.now + timedelta(hours=1))
    ingest(engine, work)
    ingest(engine, UUID(int=1))
    assert engine.kept().total() == 0


def test_something_listed_makes_the_evaluation_due(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "ask", reporting("c2"))
    at = engine.now.isoformat()
    ingest(engine, engine.accept([engine.event(ts=at, destIP=BAD)]))
    evaluation = Work.objects.get(queue="analyse")
    assert evaluation.due_at <= evaluation.created_at
    analyse(engine, evaluation.id)
    assert len(engine.alerts()) == 1


@pytest.mark.parametrize("error", [DatabaseError, CryptoError, KeyDestroyed, Overtaken])
def test_what_may_pass_is_given_back_and_tried_again_later(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    work = engine.accept([engine.event()])
    with monkeypatch.context() as broken:
        failing(broken, error("x"))
        ingest(engine, work)
    row = Work.objects.get(id=work)
    assert (row.state, row.error, row.attempt) == (WorkState.PENDING, error.__name__, 1)
    assert row.due_at > engine.now
    Work.objects.filter(id=work).update(due_at=engine.now)
    ingest(engine, work)
    assert engine.kept().total() == 1


def test_what_fails_five_times_is_dead_and_the_audit_log_says_so(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, as_owner: Callable[..., Any]
) -> None:
    work = engine.accept([engine.event()])
    failing(monkeypatch, DatabaseError("x"))
    for attempt in range(MAX_ATTEMPTS):
        assert Work.objects.get(id=work).attempt == attempt
        Work.objects.filter(id=work).update(due_at=engine.now)
        ingest(engine, work)
    assert Work.objects.get(id=work).state == WorkState.DEAD
    ingest(engine, work)
    assert Work.objects.get(id=work).attempt == MAX_ATTEMPTS
    with as_owner() as session:
        rows = session.execute(
            "SELECT tenant, resource, outcome FROM audit_stage WHERE event = 'work.dead'"
        ).fetchall()
    assert rows == [(engine.tenant, f"work:{work}", "failure")]


def test_a_lost_lease_is_nobodys_failure(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    work = engine.accept([engine.event()])
    failing(monkeypatch, LostLease("x"))
    ingest(engine, work)
    assert (Work.objects.get(id=work).error, Work.objects.get(id=work).attempt) == ("", 1)


def test_a_fault_of_ours_bubbles_and_its_lease_runs_out(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = engine.accept([engine.event()])
    failing(monkeypatch, ValueError("a bug"))
    with pytest.raises(ValueError, match="a bug"):
        ingest(engine, work)
    assert Work.objects.get(id=work).state == WorkState.LEASED


def test_a_failures_line_names_the_work_and_nothing_that_was_sent(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    work = engine.accept([engine.event(srcIP=SECRET)])
    failing(monkeypatch, DatabaseError(f"DETAIL: Key (source)=({SECRET}) exists"))
    with caplog.at_level(logging.DEBUG):
        ingest(engine, work)
    lines = [JsonLine().format(record) for record in caplog.records]
    assert any(str(work) in line and "DatabaseError" in line for line in lines)
    assert all(SECRET not in line for line in lines)


def test_an_evaluation_lets_the_tenants_requests_go_first_for_a_while(engine: Engine) -> None:
    engine.send([engine.event()])
    waiting = engine.accept([engine.event(5)])
    (work,) = engine.due()
    analyse(engine, work)
    row = Work.objects.get(id=work)
    assert (row.state, row.attempt) == (WorkState.PENDING, 0)
    assert row.due_at > engine.now
    Work.objects.filter(id=work).update(
        due_at=engine.now, created_at=engine.now - tasks.INGEST_FIRST
    )
    analyse(engine, work)
    assert Work.objects.get(id=work).state == WorkState.DONE
    assert Work.objects.get(id=waiting).state == WorkState.PENDING


def test_another_tenants_requests_hold_nobody_up(engine: Engine) -> None:
    engine.send([engine.event()])
    engine.accept([engine.event(5)])
    Work.objects.filter(queue="ingest", state=WorkState.PENDING).update(tenant_id=UUID(int=3))
    (work,) = engine.due()
    analyse(engine, work)
    assert Work.objects.get(id=work).state == WorkState.DONE


def test_retention_goes_through_every_tenant(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[UUID] = []

    def retain(*, tenant: UUID, now: object) -> dict[str, int]:
        assert now is not None
        seen.append(tenant)
        return {"inbox": 1}

    monkeypatch.setattr(tasks, "retain", retain)
    tasks.retain_all()
    assert seen == [engine.tenant]
