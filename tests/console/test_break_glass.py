"""Emergency access: two people open it, everybody is told, it ends by itself and is reviewed."""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError

from audit.actors import Actor
from config import sweeper
from console.models import Notice, Role
from tenants import break_glass
from tenants.actions import create_tenant
from tenants.errors import UnfitTerms
from tenants.models import BreakGlass, Pending, Tenant
from tests.console.emergencies import Grants, granting
from tests.console.people import SHELL, Clock, Invited, Person, deeds

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])

TOLD = "Emergency access to a tenant was opened to cy"


@pytest.fixture
def acme(clock: Clock) -> Tenant:
    return create_tenant(name="Acme", actor=SHELL, reason="test", now=clock.now).tenant


@pytest.fixture
def grants() -> Iterator[Grants]:
    with granting() as door:
        yield door


def ask(who: Person, tenant: Tenant, whom: Person, **changed: str) -> int:
    form = {
        "tenant": tenant.name, "staff": str(whom.staff.id), "minutes": "30", "ticket": "T-1",
        "reason": "beacons everywhere", **changed,
    }  # fmt: skip
    return int(who.browser.post("/console/emergency/ask/", form).status_code)


def approve(who: Person) -> int:
    (pending,) = Pending.objects.filter(state="pending")
    form = {"reason": "seen", "phrase": "approve"}
    path = f"/console/approvals/{pending.id}/approve/"
    return int(who.browser.post(path, form).status_code)


def test_from_opening_to_review_with_both_people_on_the_log(
    person: Callable[..., Person],
    clock: Clock,
    acme: Tenant,
    grants: Grants,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ana, bea, cy = person("ana").sign_in(), person("bea").sign_in(), person("cy", Role.ANALYST)
    cy.sign_in()
    assert ask(ana, acme, cy) == 302
    assert (approve(ana), grants.opened) == (409, [])
    with caplog.at_level(logging.WARNING):
        assert approve(bea) == 302
    assert TOLD in caplog.text
    (grant,) = grants.opened
    assert (grant.tenant, grant.staff, grant.ticket) == (acme.id, cy.staff.id, "T-1")
    assert grant.expires_at == clock.now + timedelta(minutes=30)
    for one in (ana, bea, cy):
        assert TOLD in one.browser.get("/console/account/").content.decode()
    notice = Notice.objects.get()
    assert cy.browser.post(f"/console/notices/{notice.id}/seen/").status_code == 302
    assert TOLD not in cy.browser.get("/console/account/").content.decode()
    assert TOLD in ana.browser.get("/console/account/").content.decode()

    actor = Actor(kind="staff", id=str(cy.staff.id))
    assert break_glass.note_use(grant=grant.id, actor=actor, now=clock.now)
    assert not break_glass.note_use(grant=grant.id, actor=actor, now=clock.now)
    assert not break_glass.note_use(grant=uuid4(), actor=actor, now=clock.now)

    row = BreakGlass.objects.get()
    with pytest.raises(UnfitTerms, match="open still"):
        break_glass.review(emergency=row.id, actor=actor, findings="fine", now=clock.now)
    clock.advance(minutes=30)
    sweeper.keep_time()  # what every worker does each five seconds
    assert BreakGlass.objects.get().closed_at == grant.expires_at
    assert break_glass.close_ended(now=clock.now) == 0
    bea.sign_in()
    assert (
        "1 emergency access</a> open or not reviewed"
        in bea.browser.get("/console/").content.decode()
    )
    with pytest.raises(UnfitTerms, match="not the one who had"):
        break_glass.review(emergency=row.id, actor=actor, findings="fine", now=clock.now)
    clock.advance(hours=71, minutes=59)
    bea.sign_in()
    assert b"review owed" in bea.browser.get("/console/emergency/").content
    clock.advance(minutes=1)
    assert b"review overdue" in bea.browser.get("/console/emergency/").content
    path = f"/console/emergency/{row.id}/review/"
    assert bea.browser.post(path, {"reason": "looked at three alerts"}).status_code == 302
    assert b"looked at three alerts" in bea.browser.get("/console/emergency/").content
    assert b"not reviewed yet" not in bea.browser.get("/console/").content
    for step in ("opened", "used", "closed", "reviewed"):
        (entry,) = deeds(f"break_glass.{step}")
        assert entry.tenant == acme.id
        assert entry.detail["asked_by"] == f"staff:{ana.staff.id}"
        assert entry.detail["approved_by"] == f"staff:{bea.staff.id}"


@pytest.mark.parametrize("role", [Role.OWNER, Role.OPERATOR, Role.SEALED])
def test_an_owner_gets_none_by_asking_from_a_second_account_of_their_own(
    person: Callable[..., Person], acme: Tenant, clock: Clock, grants: Grants, role: Role
) -> None:
    ana, bea = person("ana").sign_in(), person("bea")
    two = Invited("two", role, by=ana, clock=clock)
    clock.advance(seconds=30)
    assert ask(two.sign_in(), acme, ana) == 409
    assert (bea.staff.is_active, Pending.objects.exists(), grants.opened) == (True, False, [])


def test_nobody_gets_one_by_their_own_approval_nor_by_an_account_of_today(
    person: Callable[..., Person], acme: Tenant, clock: Clock, grants: Grants
) -> None:
    ana, bea = person("ana").sign_in(), person("bea")
    two = Invited("two", Role.OPERATOR, by=ana, clock=clock)
    asked: dict[str, Any] = {
        "tenant": acme.id,
        "minutes": 30,
        "ticket": "T",
        "reason": "r",
        "now": clock.now,
    }
    with pytest.raises(UnfitTerms, match="less than a day"):
        break_glass.ask(actor=SHELL, staff=two.staff.id, **asked)
    break_glass.ask(actor=SHELL, staff=ana.staff.id, **asked)
    assert (approve(ana), grants.opened) == (409, [])
    assert approve(bea.sign_in()) == 302
    assert [grant.staff for grant in grants.opened] == [ana.staff.id]


def test_an_access_is_ended_before_its_time(
    person: Callable[..., Person], clock: Clock, acme: Tenant, grants: Grants
) -> None:
    ana, bea = person("ana").sign_in(), person("bea").sign_in()
    ask(ana, acme, ana)
    approve(bea)
    row = BreakGlass.objects.get()
    clock.advance(minutes=3)
    path = f"/console/emergency/{row.id}/close/"
    assert bea.browser.post(path, {"reason": "over"}).status_code == 302
    assert grants.revoked == {row.grant: clock.now}
    assert BreakGlass.objects.get().closed_at == clock.now
    assert bea.browser.post(path, {"reason": "over"}).status_code == 404
    assert [entry.actor_id for entry in deeds("break_glass.closed")] == [str(bea.staff.id)]


def test_a_sole_owner_needs_an_envelope_whose_use_tells_everybody(
    person: Callable[..., Person],
    acme: Tenant,
    grants: Grants,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ana = person("ana").sign_in()
    assert (ask(ana, acme, ana), Pending.objects.count()) == (409, 0)
    envelope = person("envelope-1", Role.SEALED)
    assert ask(ana, acme, ana) == 302
    with caplog.at_level(logging.WARNING):
        envelope.sign_in()
    assert "signed in to the sealed account envelope-1" in caplog.text
    assert b"sealed account envelope-1" in ana.browser.get("/console/").content
    (used,) = deeds("staff.sealed_used")
    assert used.resource == f"staff:{envelope.staff.id}"
    assert approve(envelope) == 302
    assert len(grants.opened) == 1
    for path in ("", "tenants/", "staff/", "audit/", "jobs/"):
        assert envelope.browser.get(f"/console/{path}").status_code == 403


def test_an_envelope_is_no_second_person_for_anything_else(
    person: Callable[..., Person], acme: Tenant, clock: Clock
) -> None:
    ana, bea, envelope = person("ana").sign_in(), person("bea"), person("envelope-1", Role.SEALED)
    assert bea.staff.is_active
    form = {"reason": "r", "phrase": "Acme"}
    ana.browser.post(f"/console/tenants/{acme.id}/delete/", form)
    envelope.sign_in()
    assert approve(envelope) == 409
    assert Pending.objects.get().state == "pending"
    assert Pending.objects.get().asked_at <= clock.now


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.SEALED])
def test_who_reads_no_tenants_is_given_none_in_an_emergency(
    person: Callable[..., Person], acme: Tenant, clock: Clock, grants: Grants, role: Role
) -> None:
    ana, bea, dan = person("ana").sign_in(), person("bea"), person("dan", role)
    assert ask(ana, acme, dan) == 400  # not offered
    asked: dict[str, Any] = {"tenant": acme.id, "staff": dan.staff.id, "minutes": 30, "ticket": "T"}
    with pytest.raises(UnfitTerms, match="emergency access is for"):
        break_glass.ask(actor=SHELL, reason="r", now=clock.now, **asked)
    assert (bea.staff.is_active, grants.opened) == (True, [])


@pytest.mark.parametrize(
    "terms", [{"minutes": 0}, {"minutes": 31}, {"ticket": ""}, {"tenant": UUID(int=9)}]
)
def test_terms_that_are_not_given_are_refused(
    person: Callable[..., Person],
    acme: Tenant,
    clock: Clock,
    grants: Grants,
    terms: dict[str, object],
) -> None:
    person("bea")
    asked: dict[str, Any] = {
        "tenant": acme.id,
        "staff": person("ana").staff.id,
        "minutes": 30,
        "ticket": "T",
    }
    with pytest.raises(UnfitTerms):
        break_glass.ask(actor=SHELL, reason="r", now=clock.now, **{**asked, **terms})
    assert grants.opened == []
    assert not Pending.objects.exists()


def test_it_is_asked_for_within_the_hour_and_opened_once(
    person: Callable[..., Person], acme: Tenant, clock: Clock, grants: Grants
) -> None:
    ana, bea = person("ana"), person("bea").sign_in()
    asked: dict[str, Any] = {"tenant": acme.id, "staff": ana.staff.id, "minutes": 30, "ticket": "T"}
    first = break_glass.ask(actor=SHELL, reason="r", now=clock.now, **asked)
    assert first.expires_at - first.asked_at == timedelta(hours=1)
    assert approve(bea) == 302
    done = Pending.objects.get()
    again = break_glass.carry_out(done, clock.now)
    assert again["grant"] == str(grants.opened[0].id)
    assert (len(grants.opened), BreakGlass.objects.count()) == (1, 1)


def test_where_nobody_opens_grants_nothing_is_asked_for(
    person: Callable[..., Person], acme: Tenant, clock: Clock
) -> None:
    with granting():
        break_glass._doors.clear()
        asked: dict[str, Any] = {
            "tenant": acme.id,
            "staff": person("ana").staff.id,
            "minutes": 30,
            "ticket": "T",
        }
        with pytest.raises(UnfitTerms, match="opens no grants"):
            break_glass.ask(actor=SHELL, reason="r", now=clock.now, **asked)
    assert not Pending.objects.exists()


@pytest.mark.parametrize(("minutes", "approved_by"), [(31, "staff:b"), (30, ""), (30, "shell:a")])
def test_the_database_itself_takes_no_long_emergency_and_none_of_one_person(
    clock: Clock, minutes: int, approved_by: str
) -> None:
    with pytest.raises(IntegrityError):
        BreakGlass.objects.create(
            id=uuid4(), grant=uuid4(), staff=uuid4(), asked_by="shell:a", opened_at=clock.now,
            approved_by=approved_by,
            expires_at=clock.now + timedelta(minutes=minutes),
        )  # fmt: skip
