"""Passkeys: added behind a fresh proof, used after the password, removed with what they opened."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, given, settings as hypothesis_settings, strategies as st

from audit.actors import Actor
from console import ceremonies, passkeys
from console.invites import LIFE, disable_unenrolled
from console.models import (
    LoginWindow,
    Passkey,
    PasskeyChallenge,
    RecoverySheet,
    SignIn,
    Staff,
    TOTPDevice,
)
from console.second import ask_mfa_reset
from tenants import approvals
from tests.console.authenticator import Authenticator, send
from tests.console.people import SHELL, Clock, Person, deeds

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


NAMED = {"host": "localhost:8000"}


def laptop() -> Authenticator:
    return Authenticator.at("localhost")


def is_signed_in(browser: Client) -> bool:
    return browser.get("/console/account/").status_code == 200


@pytest.fixture
def keyed(jo: Person, clock: Clock) -> tuple[Person, Authenticator]:
    """Somebody with a passkey, signed out, whose next code is not used yet."""
    jo.sign_in()
    mine = laptop()
    mine.enrolled(jo)
    jo.browser = Client()
    clock.advance(seconds=30)
    return jo, mine


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


# -- signing in


def test_password_and_passkey_together_open_the_console(
    keyed: tuple[Person, Authenticator],
) -> None:
    jo, mine = keyed
    answer = jo.by_passkey(mine, following="/console/tenants/")
    assert answer.json()["redirect_url"] == "/console/tenants/"
    assert is_signed_in(jo.browser)
    login = deeds("staff.login")[-1]
    passkey = Passkey.objects.get()
    assert (login.detail["method"], login.detail["device"]) == ("passkey", passkey.persistent_id)
    row = SignIn.objects.get(ended_at=None, device=passkey.persistent_id)
    assert row.staff_id == jo.staff.id
    assert login.detail["network"] == "192.0.2.0/24"
    assert passkey.sign_count == 1
    assert passkey.last_used_at == jo.clock.now


def test_a_passkey_alone_is_no_way_in(keyed: tuple[Person, Authenticator]) -> None:
    jo, mine = keyed
    assert jo.browser.post("/console/login/passkey/begin/").status_code == 403
    assert mine.answers(jo, "/console/login/passkey/").status_code == 403
    assert not is_signed_in(jo.browser)


def test_a_wrong_password_looks_like_a_right_one_until_the_passkey_and_then_like_it(
    keyed: tuple[Person, Authenticator], person: Callable[..., Person]
) -> None:
    jo, mine = keyed
    other = person("other")
    tries = [
        ({"password": "wrong"}, mine),
        ({"username": "nobody"}, mine),
        ({"username": "other", "password": other.new.password}, mine),
        ({}, laptop()),
    ]
    seen = []
    for number, (wrong, authenticator) in enumerate(tries):
        address = f"198.51.{number}.1"
        half = jo.submit(**{"with": "passkey"}, **wrong, address=address)
        options = jo.browser.post("/console/login/passkey/begin/")
        asked = options.json()
        signed = authenticator.signed(asked)
        end = send(jo, "/console/login/passkey/complete/", signed)
        seen.append((half.status_code, sorted(asked), end.status_code, end.content))
        assert asked.get("allowCredentials", []) == []
    assert len({str(each) for each in seen}) == 1
    assert seen[0][2] == 403
    assert not is_signed_in(jo.browser)
    assert [row.detail["why"] for row in deeds("staff.login_failed")] == [
        "password", "password", "passkey", "passkey",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"verifies": False},
        {"origin": "https://console.example.net"},
        {"origin": "http://127.0.0.1:8000"},
        {"rp_id": "example.net"},
    ],
)
def test_an_answer_without_its_owner_or_for_another_site_signs_nobody_in(
    keyed: tuple[Person, Authenticator], change: dict[str, Any]
) -> None:
    jo, mine = keyed
    assert jo.by_passkey(mine.but(**change)).status_code == 403
    assert not is_signed_in(jo.browser)


def test_a_challenge_is_answered_once_and_by_its_own_session(
    keyed: tuple[Person, Authenticator],
) -> None:
    jo, mine = keyed
    end = "/console/login/passkey/complete/"
    jo.submit(**{"with": "passkey"})
    signed = mine.signed(jo.browser.post("/console/login/passkey/begin/").json())
    here, jo.browser = jo.browser, Client()
    jo.submit(**{"with": "passkey"})
    jo.browser.post("/console/login/passkey/begin/")
    assert send(jo, end, signed).status_code == 403  # another session's challenge
    jo.browser = here
    assert send(jo, end, signed).status_code == 200
    assert send(jo, end, signed).status_code == 403
    jo.browser = Client()
    jo.submit(**{"with": "passkey"})
    jo.browser.post("/console/login/passkey/begin/")
    assert send(jo, end, signed).status_code == 403  # a replay against a new challenge
    assert not is_signed_in(jo.browser)


def test_a_newer_challenge_ends_the_one_before_and_five_minutes_end_any(
    keyed: tuple[Person, Authenticator], clock: Clock
) -> None:
    jo, mine = keyed
    begin, end = "/console/login/passkey/begin/", "/console/login/passkey/complete/"
    jo.submit(**{"with": "passkey"})
    first = mine.signed(jo.browser.post(begin).json())
    jo.browser.post(begin)
    assert PasskeyChallenge.objects.count() == 1
    assert send(jo, end, first).status_code == 403
    jo.submit(**{"with": "passkey"})
    clock.advance(minutes=4)
    late = mine.signed(jo.browser.post(begin).json())
    clock.advance(minutes=1)
    assert send(jo, end, late).status_code == 403  # the password's five minutes are over
    jo.sign_in()
    stale = mine.signed(jo.browser.post("/console/verify/passkey/begin/").json())
    clock.advance(minutes=5)
    assert send(jo, "/console/verify/passkey/complete/", stale).status_code == 403


def test_an_answer_counts_for_what_its_challenge_was_for(
    keyed: tuple[Person, Authenticator],
) -> None:
    jo, mine = keyed
    jo.sign_in()
    signed = mine.signed(jo.browser.post("/console/verify/passkey/begin/").json())
    session = jo.browser.session
    waiting = session[ceremonies.WAITING]
    jo.browser = Client()
    jo.submit(**{"with": "passkey"})
    other = jo.browser.session
    other[ceremonies.WAITING] = waiting
    other.save()
    assert send(jo, "/console/login/passkey/complete/", signed).status_code == 403


def test_of_parallel_answers_to_one_challenge_exactly_one_counts(
    keyed: tuple[Person, Authenticator],
) -> None:
    jo, mine = keyed
    jo.submit(**{"with": "passkey"})
    signed = mine.signed(jo.browser.post("/console/login/passkey/begin/").json())
    cookies, together = jo.browser.cookies, threading.Barrier(8)

    def answer(_number: int) -> int:
        browser = Client()
        browser.cookies.update(cookies)
        together.wait()
        try:
            return browser.post(
                "/console/login/passkey/complete/",
                json.dumps(signed),
                content_type="application/json",
            ).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(answer, range(8)))
    assert answers[0] == 200
    # 400 where the session that both came with had ended before the loser was answered
    assert set(answers[1:]) <= {400, 403}
    assert len(deeds("staff.login")) == 2


def test_a_counter_that_does_not_rise_is_a_copy_and_opens_nothing(
    keyed: tuple[Person, Authenticator], clock: Clock
) -> None:
    jo, mine = keyed
    copy = mine.but()
    for _ in range(3):
        assert jo.by_passkey(mine).status_code == 200
        jo.browser = Client()
    assert jo.by_passkey(copy).status_code == 403  # it says 1, and 3 was seen
    assert Passkey.objects.get().sign_count == 3
    synced = laptop().but(counts=False)  # one that never counts stays at nought
    clock.advance(minutes=6)
    synced.enrolled(jo.sign_in())
    for _ in range(2):
        jo.browser = Client()
        assert jo.by_passkey(synced).status_code == 200


def test_another_password_between_the_two_halves_ends_the_first(
    keyed: tuple[Person, Authenticator],
) -> None:
    jo, mine = keyed
    jo.submit(**{"with": "passkey"})
    Staff.objects.update(password="another")
    assert mine.answers(jo, "/console/login/passkey/").status_code == 403


def test_passkeys_are_tried_as_often_as_codes_and_the_alarm_is_logged_at_once(
    keyed: tuple[Person, Authenticator],
) -> None:
    jo, mine = keyed
    signed_in, jo.browser = jo.sign_in().browser, Client()
    answers = []
    for number in range(7):
        jo.submit(**{"with": "passkey"}, address=f"198.51.{number}.7")
        answer = laptop().answers(jo, "/console/login/passkey/")
        answers.append((answer.status_code, answer.content))
        assert len(deeds("staff.factor_limit")) == (number >= 5)
    (alarm,) = deeds("staff.factor_limit")
    assert (alarm.resource, alarm.detail["device"]) == (f"staff:{jo.staff.id}", "passkey")
    jo.submit(**{"with": "passkey"}, address="203.0.113.1")
    late = mine.answers(jo, "/console/login/passkey/")  # the right one, and looked at by nobody
    answers.append((late.status_code, late.content))
    assert Passkey.objects.get(user=jo.staff).last_used_at is None
    jo.submit(**{"with": "passkey"}, password="wrong", address="203.0.113.2")
    wrong = mine.answers(jo, "/console/login/passkey/")
    assert set(answers) == {(403, wrong.content)}
    assert wrong.status_code == 403
    jo.browser = signed_in
    late = jo.step_up_by(mine)
    assert (late.status_code, int(late["Retry-After"])) == (429, 300)


def test_a_passkey_needs_the_forms_token(keyed: tuple[Person, Authenticator]) -> None:
    jo, _mine = keyed
    jo.browser = Client(enforce_csrf_checks=True)
    for path in ("login/passkey/begin/", "login/passkey/complete/"):
        assert jo.browser.post(f"/console/{path}").status_code == 403


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=40) | st.just("AAAA"),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=9), each),
    max_leaves=5,
)
PARTS = ("id", "rawId", "type", "response", "clientExtensionResults")
INNER = ("clientDataJSON", "authenticatorData", "signature", "userHandle")


@hypothesis_settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    network=st.integers(0, 2**16 - 1),
    part=st.sampled_from((*PARTS, *INNER, "all")),
    put=ANYTHING,
)
def test_no_answer_whatever_it_holds_is_more_than_wrong(
    keyed: tuple[Person, Authenticator], network: int, part: str, put: Any
) -> None:
    jo, mine = keyed
    LoginWindow.objects.all().delete()
    jo.browser = Client()
    jo.submit(**{"with": "passkey"}, address=f"198.{network >> 8}.{network & 255}.9")
    sent: Any = mine.signed(jo.browser.post("/console/login/passkey/begin/").json())
    if part == "all":
        sent = put
    else:
        (sent if part in PARTS else sent["response"])[part] = put
    answer = send(jo, "/console/login/passkey/complete/", sent)
    harmless = part in {"clientExtensionResults", "userHandle"}  # nothing depends on either
    assert answer.status_code == 403 or harmless


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
