"""Deeds that take two people: who may, when it happens, once, and what the log says of it."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from audit.actors import Actor
from tenants import approvals
from tenants.approvals import Circle, Pending, PendingState, kinds
from tenants.errors import UnfitTerms
from tests.console.people import deeds
from tests.tenants.circled import ANA, BEA, CID, ENVELOPE, EVE, SHELL, Circled, ask, state

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


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
    world.circle = lambda _now: Circle(
        counting=frozenset({ANA.id}), owners=frozenset({ANA.id}), settled=frozenset({ANA.id})
    )
    kinds._circle[0] = world.circle
    with pytest.raises(UnfitTerms, match="second person"):
        ask(now, kind="emergency", subject="y")


def test_a_tenants_own_feed_has_what_is_asked_about_it(
    world: Circled, now: datetime, tenant: tuple[UUID, str]
) -> None:
    ask(now, kind="tenant", subject=str(tenant[0]))
    assert [row.tenant for row in deeds("approval.asked")] == [tenant[0]]
    assert world.done == []


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
