"""The second factor: its seed, its use, its replacement."""

import base64
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django_otp import devices_for_user  # type: ignore[import-untyped] # it ships no types
from django_otp.models import Device  # type: ignore[import-untyped] # it ships no types

from console.actions import start_enrolment
from console.models import LONGEST_WAIT, TOTPDevice
from crypto import otp
from crypto.errors import NotAuthentic
from tests.console.people import Clock, Person, deeds

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


def test_django_otp_finds_the_device_of_its_owner(jo: Person) -> None:
    assert list(devices_for_user(jo.staff)) == [jo.device]
    assert Device.from_persistent_id(jo.device.persistent_id) == jo.device


def test_of_fifty_equal_codes_at_once_exactly_one_counts(jo: Person) -> None:
    code = jo.code()
    loaded = [TOTPDevice.objects.get(pk=jo.device.pk) for _ in range(50)]
    together = threading.Barrier(10)

    def verify(five: list[TOTPDevice]) -> list[bool]:
        together.wait()
        try:
            return [device.verify_token(code) for device in five]
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        answers = pool.map(verify, [loaded[start::10] for start in range(10)])
        assert sum(sum(each) for each in answers) == 1


def test_a_second_request_waits_while_the_first_is_between_reading_and_writing(
    jo: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, opened = jo.code(), TOTPDevice.seed
    between = threading.Barrier(2, timeout=0.5)

    def seed_once_both_have_read(device: TOTPDevice) -> bytes:
        with suppress(threading.BrokenBarrierError):  # the other one waits for the row's lock
            between.wait()
        return opened(device)

    monkeypatch.setattr(TOTPDevice, "seed", seed_once_both_have_read)

    def verify(device: TOTPDevice) -> bool:
        try:
            return device.verify_token(code)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(verify, [jo.device, jo.device])) == [False, True]


def test_a_device_loaded_before_its_code_was_used_does_not_take_it_again(jo: Person) -> None:
    code, early, late = jo.code(), jo.device, jo.device
    assert early.verify_token(code)
    assert not late.verify_token(code)


def test_wrong_codes_make_the_next_wait_twice_as_long_but_never_past_half_an_hour(
    jo: Person, clock: Clock
) -> None:
    device, waits = jo.device, []
    for _ in range(14):
        assert not device.accept("000000", now=clock.now)
        until = device.waits_until()
        assert until is not None
        waits.append(until - clock.now)
        clock.advance(seconds=(until - clock.now).total_seconds())
    assert [wait.total_seconds() for wait in waits[:11]] == [2**n for n in range(11)]
    assert set(waits[11:]) == {LONGEST_WAIT} == {timedelta(minutes=30)}
    assert device.accept(jo.code(), now=clock.now)
    assert device.throttling_failure_count == 0


def test_while_it_waits_even_the_right_code_is_refused(jo: Person, clock: Clock) -> None:
    device = jo.device
    assert device.verify_is_allowed() == (True, None)
    device.accept("000000", now=clock.now)
    allowed, why = device.verify_is_allowed()
    assert not allowed
    assert why is not None
    assert why["locked_until"] == clock.now + timedelta(seconds=1)
    assert not device.accept(jo.code(), now=clock.now)
    assert device.throttling_failure_count == 1
    clock.advance(seconds=1)
    assert device.verify_is_allowed() == (True, None)
    assert device.accept(jo.code(), now=clock.now)


def test_no_form_of_the_seed_is_in_the_database(jo: Person) -> None:
    seed = jo.device.seed()
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(staff_totp)::text FROM staff_totp")
        row = cursor.fetchone()[0].lower()
        cursor.execute("SELECT sealed_seed FROM staff_totp")
        stored = bytes(cursor.fetchone()[0])
    assert len(seed) == 20
    assert seed not in stored
    for form in (seed.hex(), base64.b32encode(seed).decode(), base64.b64encode(seed).decode()):
        assert form.lower() not in row


def test_a_seed_moved_to_another_device_does_not_open(person: Callable[..., Person]) -> None:
    jo, other = person("jo"), person("other")
    TOTPDevice.objects.filter(pk=jo.device.pk).update(sealed_seed=other.device.sealed_seed)
    with pytest.raises(NotAuthentic):
        jo.device.seed()


def test_only_the_serving_role_and_the_backup_may_read_what_opens_accounts() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT name, role, has_table_privilege(role, name, 'SELECT')
              FROM unnest(ARRAY['staff', 'staff_totp', 'staff_login_window', 'django_session'])
                   AS name,
                   unnest(ARRAY['tawny_app', 'tawny_staff', 'tawny_backup']) AS role
            """
        )
        assert {(role, may) for _, role, may in cursor.fetchall()} == {
            ("tawny_app", True),
            ("tawny_staff", False),
            ("tawny_backup", True),
        }


# -- replacing it


def prove(jo: Person, **changed: str) -> bytes:
    form = {"step": "prove", "password": jo.new.password, "code": jo.code(), **changed}
    return jo.browser.post("/console/authenticator/", form).content


def waiting_code(jo: Person) -> str:
    waiting = TOTPDevice.objects.get(user=jo.staff, confirmed=False)
    return otp.totp(waiting.seed(), at=jo.clock.now)


def confirm(jo: Person, code: str) -> int:
    form = {"step": "confirm", "code": code}
    return jo.browser.post("/console/authenticator/", form).status_code


def test_a_new_authenticator_takes_the_place_of_the_old_and_ends_its_other_sessions(
    jo: Person, clock: Clock
) -> None:
    elsewhere = jo.sign_in().browser
    jo.browser = Client()
    clock.advance(seconds=30)
    jo.sign_in()
    clock.advance(seconds=30)
    old, key = jo.device, jo.browser.session.session_key
    page = prove(jo)
    assert b"data:image/svg+xml" in page
    assert confirm(jo, waiting_code(jo)) == 200
    assert jo.device != old
    assert not TOTPDevice.objects.filter(pk=old.pk).exists()
    assert jo.browser.session.session_key != key
    assert jo.browser.get("/console/").status_code == 200
    assert elsewhere.get("/console/").status_code == 302
    assert len(deeds("staff.mfa_replaced")) == 1


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"code": "000000"}])
def test_replacing_needs_password_and_code_anew(
    jo: Person, clock: Clock, wrong: dict[str, str]
) -> None:
    jo.sign_in()
    clock.advance(seconds=30)
    assert b"data:image" not in prove(jo, **wrong)
    assert TOTPDevice.objects.count() == 1


def test_a_wrong_code_of_the_new_authenticator_changes_nothing(jo: Person, clock: Clock) -> None:
    jo.sign_in()
    clock.advance(seconds=30)
    old = jo.device
    prove(jo)
    assert confirm(jo, "000000") == 403
    assert jo.device == old
    clock.advance(seconds=1)
    assert confirm(jo, waiting_code(jo)) == 200


def test_a_session_sees_no_enrolment_that_another_began(jo: Person, clock: Clock) -> None:
    jo.sign_in()
    clock.advance(seconds=30)
    start_enrolment(staff=jo.staff, password=jo.new.password, code=jo.code(), now=clock.now)
    form = {"step": "confirm", "code": "000000"}
    answer = jo.browser.post("/console/authenticator/", form)
    assert answer.status_code == 403
    assert b"data:image" not in answer.content
    assert confirm(jo, waiting_code(jo)) == 403


def test_whoever_must_replace_it_reaches_nothing_else_until_then(
    person: Callable[..., Person], clock: Clock
) -> None:
    jo = person("jo", must_replace=True)
    jo.sign_in()
    for where in ("/console/", "/console/tenants/", "/console/audit/", "/console/feeds/"):
        answer = jo.browser.get(where)
        assert (answer.status_code, answer["Location"]) == (302, "/console/authenticator/")
    clock.advance(seconds=30)
    prove(jo)
    assert confirm(jo, waiting_code(jo)) == 200
    assert jo.browser.get("/console/").status_code == 200
