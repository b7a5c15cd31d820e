"""Deeds that take two people: who may, when it happens, once, and what the log says of it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, ProgrammingError, connection, connections, transaction

from audit.actors import Actor
from tenants import approvals
from tenants.approvals import Circle, Pending, PendingState, Subject, carrying, kinds
from tenants.errors import KeyUnavailable, UnfitTerms
from tests.console.people import deeds

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])

ANA, BEA, CID, EVE = (Actor(kind="staff", id=str(UUID(int=n))) for n in range(1, 5))
SHELL = Actor(kind="shell", id="root")
ENVELOPE = Actor(kind="staff", id=str(UUID(int=9)))


class Circled:
    """Who the owners are, and what was done."""

    def __init__(self) -> None:
        self.owners = [ANA, BEA]
        self.new: list[Actor] = []
        self.done: list[tuple[str, datetime]] = []
        self.refusal: Exception | None = None

    def circle(self, _now: datetime) -> Circle:
        ids = frozenset(each.id for each in self.owners)
        everybody = frozenset(each.id for each in (ANA, BEA, CID, EVE, ENVELOPE))
        return Circle(
            counting=ids, owners=ids, sealed=frozenset({ENVELOPE.id}),
            settled=everybody - {each.id for each in self.new},
        )  # fmt: skip

    def carry_out(self, pending: Pending, now: datetime) -> dict[str, str | int]:
        if self.refusal is not None:
            raise self.refusal
        self.done.append((pending.subject, now))
        return {"times": len(self.done)}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Circled:
    made = Circled()
    monkeypatch.setattr(kinds, "_kinds", {})
    monkeypatch.setattr(kinds, "_circle", [made.circle])

    def words(pending: Pending) -> str:
        return f"Do it to {pending.subject}"

    approvals.register("slow", made.carry_out, words)
    approvals.register("quick", made.carry_out, words, quick=True)
    approvals.register("person", made.carry_out, words, subject=Subject.STAFF)
    approvals.register("tenant", made.carry_out, words, subject=Subject.TENANT)
    approvals.register("emergency", made.carry_out, words, waits=False, sealed=True, quick=True)
    approvals.register("access", made.carry_out, words, waits=False, quick=True, whom="staff")
    return made


def ask(now: datetime, *, kind: str = "slow", subject: str = "x", actor: Actor = ANA) -> Pending:
    return approvals.ask(kind=kind, subject=subject, actor=actor, reason="because", now=now)


def state(pending: Pending) -> str:
    return Pending.objects.get(pk=pending.pk).state


def test_what_one_asks_another_approves_and_a_worker_does(world: Circled, now: datetime) -> None:
    pending = ask(now)
    assert pending.effective_at is None
    assert approvals.carry_out_due(now=now + timedelta(hours=25)) == 0
    later = now + timedelta(hours=30)
    approvals.approve(pending=pending.id, actor=BEA, now=later)
    assert (world.done, state(pending)) == ([], "approved")
    assert approvals.carry_out_due(now=later) == 1
    assert approvals.carry_out_due(now=later) == 0
    assert world.done == [("x", later)]
    row = Pending.objects.get(pk=pending.id)
    assert (row.state, row.approved_by, row.outcome) == ("done", f"staff:{BEA.id}", {"times": 1})
    (asked,), (given,), (done,) = (
        deeds(f"approval.{step}") for step in ("asked", "given", "carried_out")
    )
    assert (asked.actor_id, given.actor_id, done.actor_id) == (ANA.id, BEA.id, "approvals")
    assert done.detail["asked_by"] == f"staff:{ANA.id}"
    assert done.detail["approved_by"] == f"staff:{BEA.id}"
    assert {each.resource for each in (asked, given, done)} == {f"approval:{pending.id}"}


@pytest.mark.parametrize(
    ("kind", "subject", "asker", "approver", "why"),
    [
        ("slow", "x", ANA, ANA, "no second person"),
        ("slow", "x", SHELL, SHELL, "not a shell"),
        ("slow", "x", ANA, SHELL, "not a shell"),
        ("slow", "x", ANA, EVE, "no second person"),
        ("slow", "x", ANA, ENVELOPE, "no second person"),
        ("slow", "x", ANA, Actor(kind="key", id=BEA.id), "not a shell"),
        ("person", CID.id, ANA, CID, "no second person"),
    ],
)
def test_nobody_else_is_a_second_person_and_the_denial_is_recorded(
    world: Circled, now: datetime, kind: str, subject: str, asker: Actor, approver: Actor, why: str
) -> None:
    world.owners = [ANA, BEA, CID]
    pending = ask(now, kind=kind, subject=subject, actor=asker)
    with pytest.raises(UnfitTerms, match=why):
        approvals.approve(pending=pending.id, actor=approver, now=now)
    assert state(pending) == "pending"
    (denied,) = deeds("approval.given")
    assert (denied.outcome, denied.actor_id) == ("denied", approver.id)


def test_what_an_account_of_today_asks_for_is_approved_once_it_is_settled_and_not_before(
    world: Circled, now: datetime
) -> None:
    world.new = [EVE]
    pending = ask(now, actor=EVE)
    assert pending.effective_at is None
    assert approvals.second_people(pending, now=now) == frozenset()
    with pytest.raises(UnfitTerms, match="less than a day"):
        approvals.approve(pending=pending.id, actor=ANA, now=now)
    assert (state(pending), world.done) == ("pending", [])
    assert [row.outcome for row in deeds("approval.given")] == ["denied"]
    assert approvals.carry_out_due(now=now + timedelta(hours=25)) == 0
    with pytest.raises(UnfitTerms, match="less than a day"):
        ask(now, kind="emergency", actor=EVE)
    world.new = []
    assert approvals.second_people(pending, now=now) == {ANA.id, BEA.id}
    assert approvals.approve(pending=pending.id, actor=ANA, now=now).state == "approved"


@pytest.mark.parametrize("asker", [SHELL, BEA])
def test_whoever_gets_something_is_no_second_person_for_it_nor_gets_it_newly_made(
    world: Circled, now: datetime, asker: Actor
) -> None:
    def ask_for(whom: Actor) -> Pending:
        return approvals.ask(
            kind="access", subject="x", actor=asker, reason="because", now=now,
            parameters={"staff": whom.id},
        )  # fmt: skip

    world.owners = [ANA, BEA, CID]
    world.new = [EVE]
    with pytest.raises(UnfitTerms, match="whoever gets it"):
        ask_for(EVE)
    pending = ask_for(ANA)
    assert ANA.id not in approvals.second_people(pending, now=now)
    with pytest.raises(UnfitTerms, match="gets something by it"):
        approvals.approve(pending=pending.id, actor=ANA, now=now)
    world.new = [ANA]
    with pytest.raises(UnfitTerms, match="whoever gets it"):
        approvals.approve(pending=pending.id, actor=CID, now=now)
    world.new = []
    assert approvals.approve(pending=pending.id, actor=CID, now=now).state == "done"
    assert world.done == [("x", now)]


@pytest.mark.parametrize("owners", [[], [ANA]])
@pytest.mark.parametrize("asker", [ANA, SHELL])
def test_with_fewer_than_two_owners_it_takes_effect_after_a_day_and_not_before(
    world: Circled, now: datetime, owners: list[Actor], asker: Actor
) -> None:
    world.owners = owners
    pending = ask(now, actor=asker)
    day = now + timedelta(hours=24)
    assert pending.effective_at == day
    world.owners = [ANA, BEA]  # somebody who came later does not shorten it
    with pytest.raises(UnfitTerms, match="waits for its time"):
        approvals.approve(pending=pending.id, actor=BEA, now=now)
    assert approvals.carry_out_due(now=day - timedelta(microseconds=1)) == 0
    assert approvals.carry_out_due(now=day) == 1
    assert world.done == [("x", day)]
    assert state(pending) == "done"


def test_whose_factors_are_reset_is_no_second_person_so_that_two_owners_wait(
    world: Circled, now: datetime
) -> None:
    assert ask(now, kind="person", subject=BEA.id).effective_at == now + timedelta(hours=24)
    world.owners = [ANA, BEA, CID]
    assert ask(now, kind="person", subject=CID.id).effective_at is None


@pytest.mark.parametrize("actor", [ANA, BEA, SHELL, ENVELOPE])
def test_an_owner_the_asker_and_the_shell_cancel_and_then_it_never_happens(
    world: Circled, now: datetime, actor: Actor
) -> None:
    world.owners = [ANA]
    pending = ask(now)
    world.owners = [ANA, BEA]
    with pytest.raises(UnfitTerms, match="may cancel"):
        approvals.cancel(pending=pending.id, actor=EVE, reason="no", now=now)
    approvals.cancel(pending=pending.id, actor=actor, reason="no", now=now)
    assert approvals.carry_out_due(now=now + timedelta(hours=25)) == 0
    with pytest.raises(UnfitTerms, match="cancelled already"):
        approvals.approve(pending=pending.id, actor=BEA, now=now)
    assert (world.done, state(pending)) == ([], "cancelled")
    assert [row.outcome for row in deeds("approval.cancelled")] == ["denied", "success"]
    assert ask(now).state == "pending"  # it may be asked for again


def test_what_was_approved_cannot_be_cancelled(world: Circled, now: datetime) -> None:
    pending = ask(now)
    approvals.approve(pending=pending.id, actor=BEA, now=now)
    with pytest.raises(UnfitTerms, match="approved already"):
        approvals.cancel(pending=pending.id, actor=ANA, reason="no", now=now)
    assert approvals.carry_out_due(now=now) == len(world.done) == 1


def test_it_expires_after_three_days_and_that_is_recorded(world: Circled, now: datetime) -> None:
    pending = ask(now)
    end = now + approvals.LASTS
    assert end - now == timedelta(hours=72)
    with pytest.raises(UnfitTerms, match="time is over"):
        approvals.approve(pending=pending.id, actor=BEA, now=end)
    assert approvals.expire(now=end - timedelta(seconds=1)) == 0
    assert approvals.carry_out_due(now=end) == 0
    assert (state(pending), world.done) == ("expired", [])
    assert len(deeds("approval.expired")) == 1


def test_a_day_that_passed_while_nothing_ran_is_not_made_up_for_after_three(
    world: Circled, now: datetime
) -> None:
    world.owners = [ANA]
    pending = ask(now)
    assert approvals.carry_out_due(now=now + timedelta(hours=73)) == 0
    assert (state(pending), world.done) == ("expired", [])


def test_the_same_is_asked_for_once_at_a_time(world: Circled, now: datetime) -> None:
    ask(now)
    with pytest.raises(UnfitTerms, match="already"):
        ask(now, actor=BEA)
    ask(now, subject="another")
    assert Pending.objects.count() == len(deeds("approval.asked")) == 2
    assert world.done == []


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_a_reason_is_given(world: Circled, now: datetime, reason: str) -> None:
    with pytest.raises(UnfitTerms, match="a reason has"):
        approvals.ask(kind="slow", subject="x", actor=ANA, reason=reason, now=now)
    with pytest.raises(UnfitTerms, match="named nothing"):
        approvals.ask(kind="nothing", subject="x", actor=ANA, reason="r", now=now)
    assert not Pending.objects.exists()
    assert world.done == []


def test_a_quick_deed_is_done_by_its_approval_without_broker_or_worker(
    world: Circled, now: datetime
) -> None:
    pending = ask(now, kind="quick")
    assert approvals.approve(pending=pending.id, actor=BEA, now=now).state == "done"
    assert world.done == [("x", now)]


def test_an_emergency_takes_a_second_person_who_may_be_an_envelope_and_never_waits(
    world: Circled, now: datetime
) -> None:
    world.owners = [ANA]
    pending = ask(now, kind="emergency")
    assert pending.effective_at is None
    approvals.approve(pending=pending.id, actor=ENVELOPE, now=now)
    assert world.done == [("x", now)]
    world.circle = lambda _now: Circle(  # type: ignore[method-assign]
        counting=frozenset({ANA.id}), owners=frozenset({ANA.id}), settled=frozenset({ANA.id})
    )
    kinds._circle[0] = world.circle
    with pytest.raises(UnfitTerms, match="second person"):
        ask(now, kind="emergency", subject="y")


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


def test_a_tenants_own_feed_has_what_is_asked_about_it(
    world: Circled, now: datetime, tenant: tuple[UUID, str]
) -> None:
    ask(now, kind="tenant", subject=str(tenant[0]))
    assert [row.tenant for row in deeds("approval.asked")] == [tenant[0]]
    assert world.done == []


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


def test_the_database_itself_takes_no_deed_of_one_person_and_no_change_of_what_was_asked(
    world: Circled, now: datetime
) -> None:
    pending = ask(now)
    for change in (
        f"state = 'approved', approved_by = 'staff:{ANA.id}'",
        "state = 'approved'",
        "state = 'done'",
        "state = 'nonsense'",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE pending_deed SET {change}")  # noqa: S608 -- the four above
    for statement in (
        "UPDATE pending_deed SET subject = 'y'",
        "UPDATE pending_deed SET asked_by = 'staff:0'",
        "UPDATE pending_deed SET effective_at = now()",
        "UPDATE pending_deed SET kind = 'quick'",
        "DELETE FROM pending_deed",
    ):
        with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert (state(pending), world.done) == (PendingState.PENDING, [])
