"""Signing in by password and passkey: both, once each, for this site, or nothing is opened."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, given, settings as hypothesis_settings, strategies as st

from console import ceremonies
from console.models import (
    LoginWindow,
    Passkey,
    PasskeyChallenge,
    SignIn,
    Staff,
)
from tests.console.authenticator import Authenticator, laptop, send
from tests.console.people import Clock, Person, deeds, is_signed_in

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


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
