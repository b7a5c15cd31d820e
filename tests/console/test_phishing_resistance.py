"""Where a deployment asks for passkeys, a code adds one or is followed by one, and does no more."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from console import recovery
from console.models import Passkey, TOTPDevice
from crypto import otp
from tests.console.authenticator import Authenticator
from tests.console.people import SHELL, Clock, Person

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


def laptop() -> Authenticator:
    return Authenticator.at("localhost")


@pytest.fixture
def keyed(jo: Person, clock: Clock) -> tuple[Person, Authenticator]:
    """Somebody with a passkey, signed out, whose next code is not used yet."""
    jo.sign_in()
    mine = laptop()
    mine.enrolled(jo)
    jo.browser = Client()
    clock.advance(seconds=30)
    return jo, mine


def test_where_phishing_resistance_is_asked_a_code_gets_a_passkey_and_nothing_else(
    jo: Person, settings: Any, clock: Clock
) -> None:
    settings.STAFF_MFA = "phishing_resistant"
    assert jo.submit()["Location"] == "/console/"
    add = "/console/account/passkeys/new/"
    for path in ("", "tenants/", "account/", "account/password/", "audit/", "staff/invite/"):
        assert jo.browser.get(f"/console/{path}")["Location"] == add
    assert jo.browser.get(add).status_code == 200
    assert b"/console/tenants/" not in jo.browser.get(add).content
    mine = laptop()
    mine.enrolled(jo)
    assert jo.browser.get("/console/")["Location"] == "/console/verify/"
    assert jo.step_up_by(mine).status_code == 200
    assert jo.browser.get("/console/").status_code == 200
    clock.advance(minutes=6)
    refused = jo.browser.post("/console/verify/", {"code": jo.code()})
    assert refused.status_code == 403  # a code does not stand in for the passkey
    assert jo.browser.get("/console/account/recovery/").status_code == 302
    clock.advance(seconds=30)
    jo.browser = Client()
    assert jo.submit().status_code == 302
    assert jo.browser.get("/console/")["Location"] == "/console/verify/"
    assert laptop().adds(jo).status_code == 200  # whoever lost the first adds another


def test_where_phishing_resistance_is_asked_a_code_replaces_no_authenticator_nor_ends_a_session(
    keyed: tuple[Person, Authenticator], settings: Any, clock: Clock
) -> None:
    settings.STAFF_MFA = "phishing_resistant"
    jo, mine = keyed
    assert jo.by_passkey(mine).status_code == 200
    theirs, jo.browser = jo.browser, Client()
    clock.advance(seconds=30)
    jo.sign_in()
    clock.advance(seconds=30)
    before = jo.device
    prove = {"step": "prove", "password": jo.new.password, "code": jo.code()}
    where = "/console/authenticator/"
    assert jo.browser.get(where)["Location"] == "/console/verify/"
    answer = jo.browser.post(where, prove)
    assert (answer.status_code, answer.get("Location")) == (302, "/console/verify/")
    assert list(TOTPDevice.objects.filter(user=jo.staff)) == [before]
    assert theirs.get("/console/").status_code == 200
    jo.browser = theirs  # who proved the passkey replaces it, and stays who they are
    _replace_authenticator(jo)
    assert jo.device != before
    assert jo.browser.get("/console/").status_code == 200
    held = Passkey.objects.get(user=jo.staff).persistent_id
    assert jo.browser.session["otp_device_id"] == held


@pytest.mark.parametrize("recovered", [False, True])
def test_whoever_must_replace_the_authenticator_adds_a_passkey_first_where_one_is_asked_for(
    person: Callable[..., Person], settings: Any, clock: Clock, *, recovered: bool
) -> None:
    settings.STAFF_MFA = "phishing_resistant"
    jo = person("jo", must_replace=not recovered)
    code = recovery.make_codes(staff=jo.staff, actor=SHELL, now=clock.now)[0]
    assert jo.submit(**({"code": code} if recovered else {})).status_code == 302
    assert jo.staff.must_replace_mfa
    before, add = jo.device, "/console/account/passkeys/new/"
    for path in ("", "authenticator/", "account/", "tenants/"):
        assert jo.browser.get(f"/console/{path}")["Location"] == add
    mine = laptop()
    mine.enrolled(jo)
    assert jo.browser.get("/console/")["Location"] == "/console/verify/"
    assert jo.step_up_by(mine).status_code == 200
    for path in ("", "tenants/", add.removeprefix("/console/")):
        assert jo.browser.get(f"/console/{path}")["Location"] == "/console/authenticator/"
    _replace_authenticator(jo)
    assert (jo.device != before, jo.staff.must_replace_mfa) == (True, False)
    assert jo.browser.get("/console/").status_code == 200


def _replace_authenticator(jo: Person) -> None:
    """Put a new authenticator in the place of the old, in a session that a passkey just proved."""
    prove = {"step": "prove", "password": jo.new.password}
    assert jo.browser.post("/console/authenticator/", prove).status_code == 200
    waiting = TOTPDevice.objects.get(user=jo.staff, confirmed=False)
    code = otp.totp(waiting.seed(), at=jo.clock.now)
    confirm = {"step": "confirm", "code": code}
    assert jo.browser.post("/console/authenticator/", confirm).status_code == 200
