"""What takes two people, on the console: asking, approving with a fresh factor, cancelling."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from audit.actors import Actor
from console.colleagues import change_role
from console.invites import enrol, invite, set_password
from console.models import Invite, RecoverySheet, Role, SignIn, Staff, TOTPDevice
from console.recovery import make_codes
from console.second import ask_mfa_reset, circle, reset_mfa
from crypto import otp
from tenants import approvals
from tenants.actions import create_tenant
from tenants.models import Pending, Tenant
from tests.console.people import SHELL, Clock, Invited, Person, deeds

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])

PASSWORD = "burrow-lantern-quiet-42"
WHY = {"reason": "contract ended"}


@pytest.fixture
def acme(clock: Clock) -> Tenant:
    return create_tenant(name="Acme", actor=SHELL, reason="test", now=clock.now).tenant


def ask_deletion(who: Person, tenant: Tenant, **changed: str) -> Any:
    form = {**WHY, "phrase": tenant.name, **changed}
    return who.browser.post(f"/console/tenants/{tenant.id}/delete/", form)


def approve(who: Person, pending: UUID) -> Any:
    form = {**WHY, "phrase": "approve"}
    return who.browser.post(f"/console/approvals/{pending}/approve/", form)


def page(who: Person) -> str:
    return str(who.browser.get("/console/approvals/").content.decode())


def test_a_deletion_is_asked_for_by_one_owner_and_approved_by_another(
    person: Callable[..., Person], acme: Tenant, clock: Clock
) -> None:
    ana, bea = person("ana").sign_in(), person("bea").sign_in()
    assert ask_deletion(ana, acme, phrase="acme").status_code == 400
    assert ask_deletion(ana, acme, reason="").status_code == 400
    assert not Pending.objects.exists()
    assert ask_deletion(ana, acme)["Location"] == "/console/approvals/"
    pending = Pending.objects.get()
    assert "1 deed</a> waits for approval" in page(bea)
    assert f"/console/approvals/{pending.id}/approve/" in page(bea)
    assert f"/console/approvals/{pending.id}/approve/" not in page(ana)
    refused = approve(ana, pending.id)
    assert (refused.status_code, b"no second person" in refused.content) == (409, True)
    assert Tenant.objects.get(id=acme.id).name == "Acme"
    assert approve(bea, pending.id).status_code == 302
    assert approvals.carry_out_due(now=clock.now) == 1
    assert Tenant.objects.get(id=acme.id).state == "deleted"
    assert approve(bea, pending.id).status_code == 404
    (done,) = deeds("approval.carried_out")
    assert done.tenant == acme.id
    assert len(str(done.detail["digest_wrap"])) == 64
    (ended,) = deeds("tenant.deleted")
    assert (ended.actor_id, str(pending.id) in ended.reason) == (str(ana.staff.id), True)
    assert "done" in page(ana)


def test_an_approval_asks_for_a_second_factor_of_the_last_five_minutes(
    person: Callable[..., Person], acme: Tenant, clock: Clock
) -> None:
    ana, bea = person("ana").sign_in(), person("bea").sign_in()
    ask_deletion(ana, acme)
    pending = Pending.objects.get()
    clock.advance(minutes=5)
    answer = approve(bea, pending.id)
    assert answer["Location"].startswith("/console/verify/?next=%2Fconsole%2Fapprovals")
    assert Pending.objects.get().state == "pending"


def test_a_sole_owner_waits_a_day_and_any_owner_may_cancel(
    person: Callable[..., Person], acme: Tenant, clock: Clock
) -> None:
    ana = person("ana").sign_in()
    ask_deletion(ana, acme)
    pending = Pending.objects.get()
    assert "waits for its time" in page(ana)
    cancelled = ana.browser.post(f"/console/approvals/{pending.id}/cancel/", {"reason": "wrong"})
    assert cancelled.status_code == 302
    clock.advance(hours=24)
    assert approvals.carry_out_due(now=clock.now) == 0
    assert Tenant.objects.get(id=acme.id).state == "active"


def test_a_second_account_that_an_owner_makes_for_themselves_is_no_second_person_for_a_day(
    person: Callable[..., Person], clock: Clock
) -> None:
    ana, ann = person("ana"), person("ann", Role.ANALYST)
    actor = Actor(kind="staff", id=str(ana.staff.id))
    made = invite(username="bob", role=Role.OWNER, actor=actor, reason="me", now=clock.now)
    token = made.link.rstrip("/").rpartition("/")[2]
    waiting = set_password(token=token, password=PASSWORD, now=clock.now)
    assert waiting is not None
    code = otp.totp(waiting.device.seed(), at=clock.now)
    assert enrol(token=token, code=code, now=clock.now)
    change_role(person=ann.staff.id, role=Role.OWNER, actor=actor, reason="me", now=clock.now)
    now = circle(clock.now)
    bob = str(Staff.objects.get(username="bob").id)
    assert now.counting == {str(ana.staff.id)}
    assert now.owners == {str(ana.staff.id), str(ann.staff.id), bob}
    clock.advance(hours=24)
    assert circle(clock.now).counting == now.owners


def test_an_owner_approves_nothing_that_a_second_account_of_their_own_asked_for(
    person: Callable[..., Person], acme: Tenant, clock: Clock
) -> None:
    ana, bea = person("ana").sign_in(), person("bea")
    two = Invited("two", Role.OWNER, by=ana, clock=clock)
    clock.advance(seconds=30)
    assert ask_deletion(two.sign_in(), acme).status_code == 302
    pending = Pending.objects.get()
    assert pending.effective_at is None
    assert f"/console/approvals/{pending.id}/approve/" not in page(ana)
    refused = approve(ana, pending.id)
    assert (refused.status_code, b"less than a day" in refused.content) == (409, True)
    assert approvals.carry_out_due(now=clock.now) == 0
    clock.advance(hours=23, minutes=59, seconds=30)
    assert two.staff.vouches_from == clock.now
    assert approve(bea.sign_in(), pending.id).status_code == 302


@pytest.mark.parametrize("change", ["is_active", "enrolled_at"])
def test_a_disabled_or_unenrolled_owner_is_nobody(
    person: Callable[..., Person], change: str, clock: Clock
) -> None:
    ana, bea = person("ana"), person("bea")
    Staff.objects.filter(pk=bea.staff.pk).update(
        **{change: False if change == "is_active" else None}
    )
    assert circle(clock.now).owners == {str(ana.staff.id)}


@pytest.mark.parametrize("step", ["disable", "role"])
def test_what_somebody_asked_for_is_cancelled_when_their_access_ends(
    person: Callable[..., Person], acme: Tenant, step: str, clock: Clock
) -> None:
    ana, bea = person("ana").sign_in(), person("bea").sign_in()
    ask_deletion(ana, acme)
    form = {"reason": "left", "phrase": "ana", "role": "analyst"}
    path = f"/console/staff/{ana.staff.id}/{step}/"
    assert bea.browser.post(path, form).status_code == 302
    row = Pending.objects.get()
    assert (row.state, row.ended_why) == ("cancelled", "left")
    assert approvals.carry_out_due(now=clock.now) == 0
    assert len(deeds("approval.cancelled")) == 1


def link_of(who: Person, of: Person) -> str:
    answer = who.browser.post(f"/console/staff/{of.staff.id}/link/", WHY)
    assert answer.status_code == 200, answer.content
    return str(answer.context["secret"])


def test_a_reset_by_two_owners_ends_every_factor_and_session_and_the_person_chooses_anew(
    person: Callable[..., Person], clock: Clock
) -> None:
    ana, bea, cy = person("ana").sign_in(), person("bea").sign_in(), person("cy", Role.ANALYST)
    cy.sign_in()
    make_codes(staff=cy.staff, actor=SHELL, now=clock.now)
    path = f"/console/staff/{cy.staff.id}/mfa-reset/"
    assert ana.browser.post(path, {**WHY, "phrase": "cy"}).status_code == 302
    assert cy.browser.get("/console/").status_code == 200
    assert ana.browser.post(f"/console/staff/{cy.staff.id}/link/", WHY).status_code == 409
    assert approve(bea, Pending.objects.get().id).status_code == 302
    assert cy.browser.get("/console/").status_code == 302
    assert not TOTPDevice.objects.filter(user=cy.staff).exists()
    assert not RecoverySheet.objects.filter(user=cy.staff).exists()
    assert not SignIn.objects.filter(staff=cy.staff, ended_at=None).exists()
    assert not Invite.objects.exists()
    assert not cy.staff.check_password(cy.new.password)
    (reset,) = deeds("staff.mfa_reset")
    assert reset.detail["devices"] == 2
    assert (reset.detail["asked_by"], reset.detail["approved_by"]) == (
        f"staff:{ana.staff.id}",
        f"staff:{bea.staff.id}",
    )
    path = link_of(ana, cy).partition("//")[2].partition("/")[2]
    browser, mine = Client(), {"step": "password", "password": PASSWORD, "again": PASSWORD}
    assert browser.post(f"/{path}", mine).status_code == 200
    device = TOTPDevice.objects.get(user=cy.staff)
    code = otp.totp(device.seed(), at=clock.now)
    assert browser.post(f"/{path}", {"code": code}).status_code == 200
    clock.advance(seconds=30)
    assert cy.submit(password=PASSWORD).status_code == 302
    assert cy.staff.role == Role.ANALYST
    assert cy.browser.get("/console/").status_code == 200


def test_nobody_resets_their_own_factors_and_two_owners_alone_wait_a_day(
    person: Callable[..., Person], clock: Clock
) -> None:
    ana, bea = person("ana").sign_in(), person("bea").sign_in()
    own = ana.browser.post(f"/console/staff/{ana.staff.id}/mfa-reset/", {**WHY, "phrase": "ana"})
    assert own.status_code == 409
    ana.browser.post(f"/console/staff/{bea.staff.id}/mfa-reset/", {**WHY, "phrase": "bea"})
    pending = Pending.objects.get()
    refused = approve(bea, pending.id)
    assert (refused.status_code, bea.browser.get("/console/").status_code) == (409, 200)
    clock.advance(hours=24)
    assert approvals.carry_out_due(now=clock.now) == 1
    assert bea.staff.enrolled_at is None
    assert circle(clock.now).owners == {str(ana.staff.id)}


def test_a_reset_is_done_again_after_a_worker_died_and_then_finds_nothing_left(
    person: Callable[..., Person], clock: Clock
) -> None:
    ana, cy = person("ana"), person("cy")
    actor = Actor(kind="staff", id=str(ana.staff.id))
    pending = ask_mfa_reset(person=cy.staff.id, actor=actor, reason="lost", now=clock.now)
    assert reset_mfa(pending, clock.now)["devices"] == 1
    assert reset_mfa(pending, clock.now) == {"devices": 0, "sessions": 0}
