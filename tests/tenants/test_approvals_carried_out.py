"""Carrying out what was approved: once, whoever is killed, late or at it at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connections

from tenants import approvals
from tenants.approvals import Pending, carrying
from tenants.errors import KeyUnavailable, UnfitTerms
from tests.console.people import deeds
from tests.tenants.circled import ANA, BEA, CID, Circled, ask, state

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


def test_what_cannot_be_done_fails_with_its_reason(world: Circled, now: datetime) -> None:
    pending = ask(now)
    approvals.approve(pending=pending.id, actor=BEA, now=now)
    world.refusal = UnfitTerms("it is held")
    assert approvals.carry_out_due(now=now) == 1
    row = Pending.objects.get(pk=pending.id)
    assert (row.state, row.ended_why) == ("failed", "it is held")
    (failed,) = deeds("approval.failed")
    assert (failed.outcome, failed.detail["error"]) == ("failure", "unfit_terms")


def test_what_may_pass_is_tried_again_after_the_lease_and_given_up_at_last(
    world: Circled, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    pending = ask(now)
    approvals.approve(pending=pending.id, actor=BEA, now=now)
    world.refusal = KeyUnavailable("away")
    for _ in range(2):
        with pytest.raises(KeyUnavailable):
            approvals.carry_out_due(now=now)
        assert approvals.carry_out_due(now=now + carrying.LEASE - timedelta(seconds=1)) == 0
        now += carrying.LEASE
    assert state(pending) == "approved"
    monkeypatch.setattr(carrying, "MOST_ATTEMPTS", 2)
    assert approvals.carry_out_due(now=now) == 1
    assert (state(pending), world.done) == ("failed", [])


def test_a_worker_killed_at_any_point_leaves_it_to_the_next_and_it_is_marked_once(
    world: Circled, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    pending = ask(now)
    approvals.approve(pending=pending.id, actor=BEA, now=now)

    def killed(*_arguments: Any, **_options: Any) -> Any:
        raise KeyboardInterrupt

    for number, step in enumerate(("kind_named", "_still_mine", "end", "note")):
        at = now + number * carrying.LEASE
        with monkeypatch.context() as patch:
            patch.setattr(carrying, step, killed)
            with pytest.raises(KeyboardInterrupt):
                approvals.carry_out_due(now=at)
        assert state(pending) == "approved"
        assert deeds("approval.carried_out") == []
    assert approvals.carry_out_due(now=now + 4 * carrying.LEASE) == 1
    assert (len(deeds("approval.carried_out")), state(pending)) == (1, "done")
    assert {subject for subject, _ in world.done} == {"x"}


def test_a_worker_whose_lease_ran_out_marks_nothing(world: Circled, now: datetime) -> None:
    pending = ask(now)
    approvals.approve(pending=pending.id, actor=BEA, now=now)
    first = carrying._claim(None, now=now)
    assert first is not None
    second = carrying._claim(None, now=now + carrying.LEASE)
    assert second is not None
    assert not carrying._do(*first, now=now)
    assert carrying._do(*second, now=now)
    assert len(deeds("approval.carried_out")) == 1
    assert len(world.done) == 2  # which is why a deed may be done again


def test_a_turn_tells_a_worker_of_what_is_due_and_of_nothing_else(
    world: Circled, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(carrying, "hint", lambda: told.append("hint"))
    world.owners = [ANA]
    ask(now)
    approvals.take_turn(now=now + timedelta(hours=23))
    assert told == []
    approvals.take_turn(now=now + timedelta(hours=24))
    assert told == ["hint"]


RACES = 20


def race(*acts: Callable[[], object]) -> list[object]:
    """Run each in a thread with a connection of its own, at once; return what each said."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        try:
            barrier.wait()
            return act()
        except UnfitTerms as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [each.result() for each in [pool.submit(run, act) for act in acts]]


def test_of_two_approvals_at_once_one_takes_effect(world: Circled, now: datetime) -> None:
    world.owners = [ANA, BEA, CID]
    for number in range(RACES):
        pending = ask(now, subject=str(number), kind="quick")
        said = race(
            *(
                partial(approvals.approve, pending=pending.id, actor=who, now=now)
                for who in (BEA, CID)
            )
        )
        assert sum(isinstance(each, UnfitTerms) for each in said) == 1
        assert world.done == [(str(n), now) for n in range(number + 1)]
    given = [row for row in deeds("approval.given") if row.outcome == "success"]
    assert len(given) == len(deeds("approval.carried_out")) == RACES


def test_of_an_approval_and_a_cancellation_at_once_one_takes_effect(
    world: Circled, now: datetime
) -> None:
    for number in range(RACES):
        pending = ask(now, subject=str(number))
        said = race(
            partial(approvals.approve, pending=pending.id, actor=BEA, now=now),
            partial(approvals.cancel, pending=pending.id, actor=ANA, reason="no", now=now),
        )
        assert sum(isinstance(each, UnfitTerms) for each in said) == 1
        approvals.carry_out_due(now=now)
        happened = [subject for subject, _ in world.done]
        assert (str(number) in happened) == (state(pending) == "done")
        assert state(pending) in {"done", "cancelled"}


def test_of_workers_at_once_one_does_it_and_none_does_what_is_cancelled_at_its_hour(
    world: Circled, now: datetime
) -> None:
    world.owners = [ANA]
    day = now + timedelta(hours=24)
    for number in range(RACES):
        pending = ask(now, subject=str(number))
        race(
            partial(approvals.carry_out_due, now=day),
            partial(approvals.carry_out_due, now=day),
            partial(approvals.cancel, pending=pending.id, actor=ANA, reason="no", now=day),
        )
        times = [subject for subject, _ in world.done].count(str(number))
        assert times == (1 if state(pending) == "done" else 0)
        assert state(pending) in {"done", "cancelled"}
