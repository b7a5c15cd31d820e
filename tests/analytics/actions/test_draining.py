"""Draining: everything waiting is hurried along, counted, and only what failed keeps its pause."""

from datetime import timedelta

import pytest

from analytics.actions.draining import backlog, drain_step
from tenants.models import Work, WorkState
from tests.analytics.engine import BAD, Engine, reporting, silent

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    queues: list[str] = []

    def send(rows: list[tuple[object, object, str]]) -> int:
        queues.extend(queue for _, _, queue in rows)
        return len(rows)

    monkeypatch.setattr("tenants.offers.send", send)
    return queues


def test_an_engine_at_rest_is_drained(engine: Engine) -> None:
    step = drain_step(now=engine.now)
    assert step.is_empty
    assert step.dead == {}


@pytest.mark.usefixtures("sent")
def test_every_step_from_the_inbox_to_the_feed_is_waited_for(engine: Engine) -> None:
    engine.wisdom = reporting("c2")
    work = engine.accept([engine.event(destIP=BAD)])
    assert drain_step(now=engine.now).waiting == {"ingest": 1}
    engine.lease(work)
    assert backlog().waiting == {"ingest": 1}
    Work.objects.filter(id=work).update(state=WorkState.DONE)
    engine.send([engine.event(destIP=BAD)])
    assert drain_step(now=engine.now).waiting == {"analyse": 1}
    engine.evaluate()
    assert drain_step(now=engine.now).waiting == {"sequence": 1}
    engine.sequence()
    assert drain_step(now=engine.now).is_empty


def test_an_evaluation_that_waits_for_quiet_is_due_at_once(engine: Engine, sent: list[str]) -> None:
    engine.send([engine.event()])
    later = engine.now + timedelta(minutes=10)
    Work.objects.filter(queue="analyse").update(due_at=later, offered_at=None)
    sent.clear()
    drain_step(now=engine.now)
    assert sent == ["analyse"]
    assert Work.objects.get(queue="analyse").due_at == engine.now


def test_what_failed_keeps_its_pause(engine: Engine, sent: list[str]) -> None:
    engine.send([engine.event()])
    later = engine.now + timedelta(minutes=10)
    Work.objects.filter(queue="analyse").update(due_at=later, attempt=2, offered_at=None)
    sent.clear()
    assert drain_step(now=engine.now).waiting == {"analyse": 1}
    assert sent == []


def test_what_gave_up_is_counted_apart(engine: Engine) -> None:
    work = engine.accept([engine.event()])
    Work.objects.filter(id=work).update(state=WorkState.DEAD)
    left = drain_step(now=engine.now)
    assert left.is_empty
    assert left.dead == {"ingest": 1}


def test_what_is_owed_to_wisdom_is_told_and_not_waited_for(engine: Engine) -> None:
    engine.wisdom = silent
    engine.send([engine.event(destIP=BAD)])
    engine.evaluate()
    left = drain_step(now=engine.now)
    assert left.is_empty
    assert left.owed == 1
