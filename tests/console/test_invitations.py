"""Invitations, and what owners do to other accounts."""

import io
import json
from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.test import Client

from console import colleagues, invites
from console.errors import LastOwner, NameTaken
from console.models import Invite, Role, SignIn, Staff, TOTPDevice
from console.tasks import tidy
from crypto import otp
from tests.console.people import SHELL, Clock, Person, deeds

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
PASSWORD = "burrow-lantern-quiet-42"


def invited(clock: Clock, username: str = "ana") -> str:
    made = invites.invite(
        username=username, role=Role.ANALYST, actor=SHELL, reason="a test", now=clock.now
    )
    return "/console/invite/" + made.link.partition("/console/invite/")[2]


def set_password(browser: Client, path: str, password: str = PASSWORD) -> bytes:
    form = {"step": "password", "password": password, "again": password}
    return browser.post(path, form).content


def code_of(username: str, clock: Clock) -> str:
    device = TOTPDevice.objects.get(user__username=username)
    return otp.totp(device.seed(), at=clock.now)


def test_an_invited_person_sets_a_password_enrols_and_then_signs_in_afresh(clock: Clock) -> None:
    browser, path = Client(), invited(clock)
    assert b"Welcome, ana" in browser.get(path).content
    assert b"data:image" in set_password(browser, path)
    done = browser.post(path, {"step": "confirm", "code": code_of("ana", clock)})
    assert done.content.count(b"<li><code>") == 10
    assert browser.get("/console/")["Location"].startswith("/console/login/")  # no session yet
    clock.advance(seconds=30)
    form = {"username": "ana", "password": PASSWORD, "code": code_of("ana", clock)}
    assert browser.post("/console/login/", form).status_code == 302
    assert browser.get("/console/").status_code == 200
    assert Client().get(path).status_code == 404
    assert len(deeds("staff.invited")) == len(deeds("staff.enrolled")) == 1


def test_no_form_of_the_token_is_stored(clock: Clock) -> None:
    token = invited(clock).split("/")[-2]
    kept = bytes(Invite.objects.get().mac)
    assert len(kept) == 32
    assert token.encode() not in kept


@pytest.mark.parametrize("password", ["short", "password1234", "x" * 201])
def test_a_short_or_common_password_is_refused(clock: Clock, password: str) -> None:
    page = set_password(Client(), invited(clock), password)
    assert b"data:image" not in page
    assert Staff.objects.get().password == invites.UNUSABLE


def test_an_invitation_lasts_a_day_and_who_has_no_device_then_is_disabled(clock: Clock) -> None:
    path = invited(clock)
    clock.advance(hours=23, minutes=59)
    tidy()
    assert Client().get(path).status_code == 200
    clock.advance(minutes=1)
    assert Client().get(path).status_code == 404
    tidy()
    assert not Staff.objects.get().is_active
    assert [row.reason for row in deeds("staff.disabled")] == ["no authenticator after a day"]
    assert Client().get(invited(clock)).status_code == 200  # invited anew, as nobody enrolled


def test_a_wrong_code_shows_the_same_seed_and_enrols_nobody(clock: Clock) -> None:
    browser, path = Client(), invited(clock)
    set_password(browser, path)
    answer = browser.post(path, {"step": "confirm", "code": "000000"})
    assert answer.status_code == 403
    assert Staff.objects.get().enrolled_at is None


def test_a_new_invitation_ends_the_one_before_and_none_reaches_who_enrolled(
    jo: Person, clock: Clock
) -> None:
    first = invited(clock)
    second = invited(clock)
    assert Client().get(first).status_code == 404
    assert Client().get(second).status_code == 200
    with pytest.raises(NameTaken):
        invited(clock, jo.new.staff.username)
    colleague = Staff.objects.get(username="ana")
    assert not TOTPDevice.objects.filter(user=colleague).exists()


def test_the_command_prints_the_link(clock: Clock) -> None:
    out = io.StringIO()
    call_command("staff", "create", "ana", "--role", "auditor", "--invite", "--json", stdout=out)
    told = json.loads(out.getvalue().splitlines()[-1])
    assert set(told) == {"username", "invite", "expires_at"}
    path = "/console/invite/" + told["invite"].partition("/console/invite/")[2]
    assert Client().get(path).status_code == 200
    assert clock.now.isoformat()[:10] in deeds("staff.invited")[0].occurred_at.isoformat()


def test_an_owner_invites_on_the_page_and_sees_the_link_once(jo: Person) -> None:
    jo.sign_in()
    form = {"username": "ana", "role": "operator", "reason": "a test"}
    page = jo.browser.post("/console/staff/invite/", form)
    assert page.status_code == 200
    assert b"/console/invite/" in page.content
    assert b"invited" in jo.browser.get("/console/staff/").content
    assert jo.browser.post("/console/staff/invite/", {**form, "username": "jo"}).status_code == 409


def test_another_role_or_an_end_kills_sessions_at_once(
    jo: Person, person: Callable[..., Person]
) -> None:
    jo.sign_in()
    ana = person("ana", Role.OPERATOR).sign_in()
    form = {"role": "analyst", "phrase": "ana", "reason": "a test"}
    path = f"/console/staff/{ana.staff.id}/"
    assert jo.browser.post(f"{path}role/", form).status_code == 302
    assert ana.browser.get("/console/").status_code == 302
    assert SignIn.objects.filter(staff=ana.staff, ended_at=None).count() == 0
    (changed,) = deeds("staff.role_changed")
    assert changed.detail == {"before": "operator", "after": "analyst"}
    ana.clock.advance(seconds=30)
    ana.sign_in()
    assert jo.browser.post(f"{path}disable/", form).status_code == 302
    assert ana.browser.get("/console/").status_code == 302
    assert ana.submit().status_code == 403


def test_the_last_owner_stays(jo: Person, person: Callable[..., Person], clock: Clock) -> None:
    jo.sign_in()
    form = {"role": "analyst", "phrase": "jo", "reason": "a test"}
    for deed in ("role", "disable"):
        answer = jo.browser.post(f"/console/staff/{jo.staff.id}/{deed}/", form)
        assert answer.status_code == 409
    invites.invite(username="new", role=Role.OWNER, actor=SHELL, reason="a test", now=clock.now)
    with pytest.raises(LastOwner):  # an invited owner is none yet
        colleagues.disable(person=jo.staff.id, actor=SHELL, reason="a test", now=clock.now)
    person("other", Role.OWNER)
    colleagues.disable(person=jo.staff.id, actor=SHELL, reason="a test", now=clock.now)
    assert not jo.staff.is_active
