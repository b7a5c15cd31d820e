"""One code sent by fifty requests at once opens one session (MFA-2)."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.test import Client

from audit.actors import Actor
from console import recovery
from console.models import LoginWindow, SignIn, TOTPDevice
from tests.console.people import Clock, Person
from tests.console.sizes import size

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
PARALLEL = 50
REPEATS = size("repeats", 2)


def opened_by(jo: Person, code: str) -> int:
    """Send a code fifty times at once, each from a network of its own; return how many opened."""
    together = threading.Barrier(PARALLEL)

    def submit(number: int) -> int:
        form = {"username": "jo", "password": jo.new.password, "code": code}
        together.wait()
        try:
            answer = Client().post("/console/login/", form, REMOTE_ADDR=f"198.51.{number}.1")
            return answer.status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(PARALLEL) as pool:
        answers = list(pool.map(submit, range(PARALLEL)))
    assert set(answers) <= {302, 403, 429}
    return answers.count(302)


def start_afresh(clock: Clock) -> None:
    """Forget what was tried: of a code that is refused unseen, nothing would be learnt."""
    clock.advance(minutes=5)
    LoginWindow.objects.all().delete()
    TOTPDevice.objects.update(throttling_failure_count=0)
    SignIn.objects.all().delete()


def test_one_code_of_the_authenticator_opens_one_session(
    jo: Person, clock: Clock, record_property: Callable[[str, object], None]
) -> None:
    opened = []
    for _repeat in range(REPEATS):
        start_afresh(clock)
        opened.append(opened_by(jo, jo.code()))
        assert SignIn.objects.count() == 1
    record_property("MFA-2", f"TOTP: {opened} sessions of {PARALLEL} requests each")
    assert opened == [1] * REPEATS


def test_one_recovery_code_opens_one_session(
    jo: Person, clock: Clock, record_property: Callable[[str, object], None]
) -> None:
    actor = Actor(kind="staff", id=str(jo.staff.id))
    opened, codes = [], list[str]()
    for repeat in range(REPEATS):
        start_afresh(clock)
        if repeat % recovery.CODES == 0:
            codes = recovery.make_codes(staff=jo.staff, actor=actor, now=clock.now)
        opened.append(opened_by(jo, codes[repeat % recovery.CODES]))
        assert SignIn.objects.count() == 1
    record_property("MFA-2", f"recovery: {opened} sessions of {PARALLEL} requests each")
    assert opened == [1] * REPEATS
