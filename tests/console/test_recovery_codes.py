"""Recovery codes: once each, hashed, and a new authenticator after."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.hashers import identify_hasher
from django.db import connection, transaction
from django.test import Client

from audit.actors import Actor
from config.settings import base
from console import devices, recovery
from console.models import RecoveryCode, RecoverySheet, TOTPDevice
from crypto import otp
from tests.console.people import Clock, Person, deeds

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


def codes_of(jo: Person) -> list[str]:
    actor = Actor(kind="staff", id=str(jo.staff.id))
    return recovery.make_codes(staff=jo.staff, actor=actor, now=jo.clock.now)


def test_ten_codes_of_eighty_bits_are_shown_once_and_kept_hashed(jo: Person) -> None:
    jo.sign_in()
    page = jo.browser.post("/console/account/recovery/").content.decode()
    codes = re.findall(r"<code>([a-z2-7]{2}(?:-[a-z2-7]{4}){4})</code>", page)
    assert len(set(codes)) == 10
    stored = list(RecoveryCode.objects.values_list("selector", "hash"))
    assert {selector for selector, _ in stored} == {code[:2] for code in codes}
    for _, kept in stored:
        assert not identify_hasher(kept).verify("another", kept)
        assert not any(code[3:].replace("-", "") in kept for code in codes)
    assert base.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    assert codes[0] not in jo.browser.get("/console/account/").content.decode()


def test_a_code_opens_one_session_and_forces_a_new_authenticator(jo: Person, clock: Clock) -> None:
    elsewhere = jo.sign_in().browser
    code, *_rest = codes_of(jo)
    jo.browser = Client()
    assert jo.submit(code=f" {code.upper()} ").status_code == 302
    assert jo.browser.get("/console/")["Location"] == "/console/authenticator/"
    assert elsewhere.get("/console/tenants/")["Location"] == "/console/authenticator/"
    assert len(deeds("staff.recovery_used")) == 1
    old = jo.device.pk
    proof = {"step": "prove", "password": jo.new.password}
    assert b"data:image" in jo.browser.post("/console/authenticator/", proof).content
    waiting = TOTPDevice.objects.get(user=jo.staff, confirmed=False)
    clock.advance(seconds=30)
    form = {"step": "confirm", "code": otp.totp(waiting.seed(), at=clock.now)}
    assert jo.browser.post("/console/authenticator/", form).status_code == 200
    assert jo.device.pk != old
    assert b"A recovery code opened a session" in jo.browser.get("/console/").content
    assert elsewhere.get("/console/")["Location"].startswith("/console/login/")
    jo.browser.post("/console/account/recovery/")
    assert b"A recovery code opened a session" not in jo.browser.get("/console/").content
    jo.browser = Client()
    assert jo.submit(code=code).status_code == 403


def test_the_password_is_asked_again_before_the_new_authenticator(jo: Person) -> None:
    code, *_rest = codes_of(jo)
    jo.submit(code=code)
    proof = {"step": "prove", "password": "wrong"}
    assert b"data:image" not in jo.browser.post("/console/authenticator/", proof).content


def test_a_used_wrong_or_strangers_code_opens_nothing(jo: Person, clock: Clock) -> None:
    code, *_rest = codes_of(jo)
    assert jo.submit(code=code).status_code == 302
    jo.browser = Client()
    for wrong in (code, code[:-1] + ("a" if code[-1] != "a" else "b"), "aa-aaaa-aaaa-aaaa-aaaa"):
        assert jo.submit(code=wrong).status_code == 403
    codes_of(jo)
    clock.advance(minutes=6)
    assert jo.submit(code=_rest[0]).status_code == 403  # new codes end the earlier ones


def test_of_parallel_uses_of_one_code_exactly_one_counts(jo: Person) -> None:
    code, *_rest = codes_of(jo)
    together = threading.Barrier(4)

    def use(_number: int) -> bool:
        together.wait()
        try:
            with transaction.atomic():
                return isinstance(devices.prove(jo.staff, code, now=jo.clock.now), RecoverySheet)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(use, range(4))) == 1


def test_of_parallel_uses_of_one_totp_exactly_one_counts_twenty_times_over(
    jo: Person, clock: Clock
) -> None:
    for _repeat in range(20):
        clock.advance(seconds=300)
        code, together = jo.code(), threading.Barrier(4)

        def prove(_number: int, code: str = code, gate: threading.Barrier = together) -> bool:
            gate.wait()
            try:
                with transaction.atomic():
                    return isinstance(devices.prove(jo.staff, code, now=clock.now), TOTPDevice)
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(prove, range(4))) == 1
        TOTPDevice.objects.update(throttling_failure_count=0)
        connection.cursor().execute("DELETE FROM staff_login_window")
