"""Passkeys: added behind a fresh proof, a fresh proof themselves, removed with what they opened."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from audit.actors import Actor
from console import passkeys
from console.invites import LIFE, disable_unenrolled
from console.models import (
    Passkey,
    RecoverySheet,
    SignIn,
    TOTPDevice,
)
from console.second import ask_mfa_reset
from tenants import approvals
from tests.console.authenticator import Authenticator, laptop, send
from tests.console.people import SHELL, Clock, Person, deeds, is_signed_in

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


NAMED = {"host": "localhost:8000"}


# -- adding


def test_a_passkey_is_added_named_shown_audited_and_noticed_on_every_page(
    jo: Person, clock: Clock
) -> None:
    elsewhere = jo.sign_in().browser
    jo.browser = Client()
    clock.advance(seconds=30)
    held = laptop().enrolled(jo.sign_in(), name="Jo's phone")
    (row,) = deeds("staff.passkey_added")
    assert (row.resource, row.actor_id) == (f"staff:{jo.staff.id}", str(jo.staff.id))
    assert row.detail["device"] == held.passkey.persistent_id
    page = elsewhere.get("/console/account/").content.decode()
    assert "Jo&#x27;s phone" in page
    assert "Your passkeys changed at" in page
    assert b"Your passkeys changed at" in elsewhere.get("/console/tenants/").content
    seen = "/console/account/passkeys/seen/"
    clock.advance(minutes=5)
    assert elsewhere.post(seen)["Location"].startswith("/console/verify/")
    assert b"Your passkeys changed at" in elsewhere.get("/console/").content
    assert not deeds("staff.notice_seen")
    elsewhere.post("/console/verify/", {"code": jo.code()})
    for _ in range(2):
        assert elsewhere.post(seen)["Location"] == "/console/account/"
    assert b"Your passkeys changed at" not in elsewhere.get("/console/").content
    (told,) = deeds("staff.notice_seen")
    assert (told.actor_id, told.resource) == (str(jo.staff.id), f"staff:{jo.staff.id}")
    assert told.detail == {"notice": "passkeys"}


def test_what_a_browser_is_asked_for_is_a_verified_discoverable_passkey_without_attestation(
    jo: Person,
) -> None:
    jo.sign_in()
    jo.browser.post("/console/account/passkeys/new/", {"name": "laptop"})
    options = jo.browser.post("/console/account/passkeys/new/begin/").json()
    chosen = options["authenticatorSelection"]
    assert (chosen["userVerification"], chosen["residentKey"]) == ("required", "required")
    assert options["attestation"] == "none"
    assert options["rp"]["id"] == "localhost"
    assert len(options["challenge"]) >= 86  # 512 bits


def test_adding_needs_a_fresh_proof_at_each_step(jo: Person, clock: Clock) -> None:
    jo.sign_in()
    jo.browser.post("/console/account/passkeys/new/", {"name": "laptop"})
    options = jo.browser.post("/console/account/passkeys/new/begin/").json()
    clock.advance(minutes=5)
    page = jo.browser.get("/console/account/passkeys/new/")
    assert page["Location"].startswith("/console/verify/?next=")
    assert jo.browser.post("/console/account/passkeys/new/begin/").status_code == 403
    made = laptop().made(options)
    answer = send(jo, "/console/account/passkeys/new/complete/", made)
    assert answer.status_code == 403
    assert "proved anew" in answer.json()["detail"]
    assert not Passkey.objects.exists()


@pytest.mark.parametrize("name", ["", "  ", "a\x00b", "x" * 65])
def test_a_passkey_without_a_fit_name_is_not_made(jo: Person, name: str) -> None:
    jo.sign_in()
    assert laptop().adds(jo, name=name).status_code == 400
    assert jo.browser.post("/console/account/passkeys/new/begin/").status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        {"verifies": False},
        {"origin": "https://tawny.example.net"},
        {"origin": "http://127.0.0.1:8000"},
        {"rp_id": "example.net"},
    ],
)
def test_a_passkey_of_another_site_or_without_its_owner_is_not_added(
    jo: Person, change: dict[str, Any]
) -> None:
    jo.sign_in()
    assert laptop().but(**change).adds(jo).status_code == 403
    assert not Passkey.objects.exists()
    assert not deeds("staff.passkey_added")


def test_the_same_passkey_is_not_added_twice_nor_by_another_person(
    jo: Person, person: Callable[..., Person]
) -> None:
    mine, other = laptop(), person("other").sign_in()
    mine.enrolled(jo.sign_in())
    assert mine.adds(jo).status_code == 403
    assert mine.adds(other).status_code == 403
    assert Passkey.objects.count() == 1


def test_an_answer_to_an_earlier_registration_is_refused(jo: Person) -> None:
    jo.sign_in()
    begin, end = ("/console/account/passkeys/new/" + each for each in ("begin/", "complete/"))
    jo.browser.post("/console/account/passkeys/new/", {"name": "laptop"})
    made = laptop().made(jo.browser.post(begin).json())
    assert send(jo, end, made).status_code == 200
    assert send(jo, end, made).status_code == 403
    jo.browser.post("/console/account/passkeys/new/", {"name": "again"})
    jo.browser.post(begin)
    assert send(jo, end, made).status_code == 403
    assert Passkey.objects.count() == 1


def test_a_person_has_at_most_ten_passkeys(jo: Person) -> None:
    jo.sign_in()
    for number in range(passkeys.MOST):
        laptop().enrolled(jo, name=f"key {number}")
    full = jo.browser.get("/console/account/passkeys/new/", headers=NAMED)
    assert b"as many as one may" in full.content
    last = Passkey.objects.latest("created_at")
    passkeys.remove(jo.staff, last.pk, actor=SHELL, reason="a test", now=jo.clock.now)
    jo.browser.post("/console/account/passkeys/new/", {"name": "the tenth"})
    tenth = laptop().made(jo.browser.post("/console/account/passkeys/new/begin/").json())
    Passkey.objects.create(id=1, user=jo.staff, name="faster", credential_id=b"x", public_key=b"x")
    refused = send(jo, "/console/account/passkeys/new/complete/", tenth)
    assert refused.status_code == 403
    assert "at most 10" in refused.json()["detail"]
    assert Passkey.objects.count() == passkeys.MOST


# -- the fresh proof


def test_a_passkey_steps_up_and_holds_the_session_from_then_on(
    keyed: tuple[Person, Authenticator], clock: Clock
) -> None:
    jo, mine = keyed
    jo.sign_in()
    clock.advance(minutes=6)
    path = "/console/account/recovery/"
    assert jo.browser.get(path).status_code == 302
    page = jo.browser.get(f"/console/verify/?next={path}", headers=NAMED)
    assert b"Use a passkey" in page.content
    before = jo.browser.session.session_key
    assert jo.step_up_by(mine, following=path).json()["redirect_url"] == path
    assert jo.browser.session.session_key != before
    assert jo.browser.get(path).status_code == 200
    row = deeds("staff.stepped_up")[-1]
    held = Passkey.objects.get().persistent_id
    assert (row.detail["method"], row.detail["device"]) == ("passkey", held)
    assert SignIn.objects.filter(device=held, ended_at=None).count() == 1


def test_a_passkey_of_somebody_else_steps_nobody_up(
    keyed: tuple[Person, Authenticator], person: Callable[..., Person], clock: Clock
) -> None:
    jo, _mine = keyed
    theirs, other = laptop(), person("other").sign_in()
    theirs.enrolled(other)
    jo.sign_in()
    clock.advance(minutes=6)
    assert jo.step_up_by(theirs).status_code == 403
    assert jo.browser.get("/console/account/recovery/").status_code == 302


def test_a_passkey_of_a_moment_ago_stands_in_for_a_lost_authenticator(
    keyed: tuple[Person, Authenticator], clock: Clock
) -> None:
    jo, mine = keyed
    jo.by_passkey(mine)
    old, new = jo.device.pk, "another-lantern-42-quiet"
    form = {"password": jo.new.password, "code": "", "new": new, "again": new}
    wrong = {**form, "password": "wrong"}
    assert jo.browser.post("/console/account/password/", wrong).status_code == 403
    assert jo.browser.post("/console/account/password/", form).status_code == 302
    proof = {"step": "prove", "password": new}
    assert b"data:image" in jo.browser.post("/console/authenticator/", proof).content
    clock.advance(minutes=6)
    assert b"data:image" not in jo.browser.post("/console/authenticator/", proof).content
    assert jo.device.pk == old


def test_a_stolen_session_guesses_no_password_beside_a_passkey(
    keyed: tuple[Person, Authenticator],
) -> None:
    jo, mine = keyed
    jo.by_passkey(mine)
    new = "another-lantern-42-quiet"
    form = {"password": "wrong", "code": "", "new": new, "again": new}
    for _ in range(5):
        assert jo.browser.post("/console/account/password/", form).status_code == 403
    right = {**form, "password": jo.new.password}
    assert jo.browser.post("/console/account/password/", right).status_code == 403


# -- removing


def test_a_removed_passkey_ends_what_it_opened_and_nothing_else(
    keyed: tuple[Person, Authenticator], clock: Clock
) -> None:
    jo, mine = keyed
    jo.by_passkey(mine)
    by_passkey, jo.browser = jo.browser, Client()
    clock.advance(seconds=30)
    passkey = Passkey.objects.get()
    path = f"/console/account/passkeys/{passkey.pk}/remove/"
    jo.sign_in()
    assert jo.browser.post(path, {"reason": ""}).status_code == 400
    assert jo.browser.post(path, {"reason": "lost"}).status_code == 302
    assert by_passkey.get("/console/").status_code == 302
    assert not SignIn.objects.filter(device=passkey.persistent_id, ended_at=None).exists()
    assert is_signed_in(jo.browser)
    (row,) = deeds("staff.passkey_removed")
    assert (row.reason, row.detail["device"]) == ("lost", passkey.persistent_id)
    jo.browser = Client()
    assert jo.by_passkey(mine).status_code == 403


def test_nobody_removes_a_passkey_of_another_or_on_a_stale_proof(
    keyed: tuple[Person, Authenticator], person: Callable[..., Person], clock: Clock
) -> None:
    jo, _mine = keyed
    path = f"/console/account/passkeys/{Passkey.objects.get().pk}/remove/"
    other = person("other").sign_in()
    assert other.browser.post(path, {"reason": "mine now"}).status_code == 404
    jo.sign_in()
    clock.advance(minutes=5)
    assert jo.browser.post(path, {"reason": "late"}).status_code == 302
    assert Passkey.objects.count() == 1


def test_removing_the_last_second_factor_ends_every_session_and_a_day_later_the_account(
    keyed: tuple[Person, Authenticator], clock: Clock
) -> None:
    jo, mine = keyed
    jo.by_passkey(mine)
    passkey = Passkey.objects.get()
    by_code, jo.browser = jo.browser, Client()
    jo.sign_in()
    TOTPDevice.objects.all().delete()
    assert disable_unenrolled(now=clock.now + LIFE) == 0  # the passkey is a second factor
    path = f"/console/account/passkeys/{passkey.pk}/remove/"
    assert by_code.post(path, {"reason": "gone"}).status_code == 302
    for browser in (by_code, jo.browser):
        assert browser.get("/console/").status_code == 302
    assert not SignIn.objects.filter(ended_at=None).exists()
    assert disable_unenrolled(now=clock.now + LIFE) == 1
    assert not jo.staff.is_active


def test_whoever_is_reset_has_no_factor_and_no_session_left(
    keyed: tuple[Person, Authenticator], person: Callable[..., Person]
) -> None:
    jo, mine = keyed
    jo.by_passkey(mine)
    jo.browser.post("/console/account/recovery/")
    ana, bea = (Actor(kind="staff", id=str(person(name).staff.id)) for name in ("ana", "bea"))
    why: dict[str, Any] = {"reason": "lost", "now": jo.clock.now}
    asked = ask_mfa_reset(person=jo.staff.id, actor=ana, **why)
    assert jo.browser.get("/console/").status_code == 200
    assert approvals.approve(pending=asked.id, actor=bea, **why).outcome["devices"] == 3
    assert jo.browser.get("/console/").status_code == 302
    for model in (Passkey, TOTPDevice, RecoverySheet):
        assert not model.objects.filter(user=jo.staff).exists()
    assert jo.by_passkey(mine).status_code == 403


# -- where they work, and for whom they are asked


def test_pages_say_that_a_passkey_needs_a_name_where_there_is_only_an_address(
    jo: Person, settings: Any
) -> None:
    words = b"A passkey belongs to a name, not to an address"
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]
    login = "/console/login/?with=passkey"
    page = jo.browser.get(login, headers={"host": "127.0.0.1:8000"})
    assert words in page.content
    assert b'href="http://localhost:8000/console/"' in page.content
    assert words not in jo.browser.get(login, headers={"host": "localhost:8000"}).content
    jo.sign_in()
    by_address = {"host": "127.0.0.1:8000"}
    page = jo.browser.get("/console/account/passkeys/new/", headers=by_address)
    assert words in page.content


def test_a_person_who_lost_the_passkey_signs_in_by_code_as_before(
    keyed: tuple[Person, Authenticator], clock: Clock
) -> None:
    jo, _lost = keyed
    clock.advance(seconds=30)
    jo.sign_in()
    assert is_signed_in(jo.browser)
