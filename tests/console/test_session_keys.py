"""A session's key changes with what it proves, and no cookie is sent without its flags (MFA-5)."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client, override_settings

from config.settings import base
from console import colleagues
from console.models import Role, SignIn
from tests.console.authenticator import Authenticator
from tests.console.people import SHELL, Clock, Person
from tests.console.routes import ROUTES, where

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


def key_of(jo: Person) -> str:
    return str(jo.browser.cookies[settings.SESSION_COOKIE_NAME].value)


def opens(key: str) -> bool:
    browser = Client()
    browser.cookies[settings.SESSION_COOKIE_NAME] = key
    return browser.get("/console/account/").status_code == 200


def test_the_key_changes_at_each_sign_in_and_step_up_and_the_one_before_is_refused(
    jo: Person, clock: Clock
) -> None:
    keys: list[str] = []

    def changed() -> None:
        keys.append(key_of(jo))
        assert opens(keys[-1])
        assert not any(opens(each) for each in keys[:-1])
        clock.advance(seconds=30)

    jo.submit(**{"with": "passkey"})
    keys.append(key_of(jo))  # the key of a sign-in half way
    jo.sign_in()
    changed()
    mine = Authenticator.at("localhost")
    mine.enrolled(jo)
    jo.browser.post("/console/verify/", {"code": jo.code()})
    changed()
    jo.step_up_by(mine)
    changed()
    new = "another-lantern-42-quiet"
    form = {"password": jo.new.password, "code": "", "new": new, "again": new}
    assert jo.browser.post("/console/account/password/", form).status_code == 302
    changed()
    jo.submit(**{"with": "passkey"}, password=new)
    keys.append(key_of(jo))
    assert mine.answers(jo, "/console/login/passkey/").status_code == 200
    changed()
    assert len(set(keys)) == len(keys) == 7


def test_another_role_ends_the_session_and_the_next_has_another_key(
    jo: Person, person: Callable[..., Person], clock: Clock
) -> None:
    person("boss")
    before = key_of(jo.sign_in())
    colleagues.change_role(
        person=jo.staff.id, role=Role.ANALYST, actor=SHELL, reason="a test", now=clock.now
    )
    assert not opens(before)
    assert not SignIn.objects.filter(staff=jo.staff, ended_at=None).exists()
    clock.advance(seconds=30)
    after = key_of(jo.sign_in())
    assert after != before
    assert opens(after)
    assert not opens(before)


def test_every_cookie_of_every_route_has_its_flags(
    jo: Person, clock: Clock, record_property: Callable[[str, object], None]
) -> None:
    names = [name for name in dir(base) if name.startswith(("SESSION_COOKIE_", "CSRF_COOKIE_"))]
    seen = 0
    with override_settings(**{name: getattr(base, name) for name in names}):
        for name in ROUTES:
            for method in ("get", "post"):
                clock.advance(seconds=30)
                browser = Client(headers={"x-forwarded-proto": "https"})
                form = {"username": "jo", "password": jo.new.password, "code": jo.code()}
                if name != "login":
                    signed_in = browser.post("/console/login/", form, secure=True)
                    assert signed_in.status_code == 302
                form = form if name == "login" else {"theme": "dark", "code": jo.code(seconds=30)}
                answer = getattr(browser, method)(where(name), form, secure=True)
                for cookie in answer.cookies.values():
                    assert cookie.key in {"__Host-tawny_staff", "__Host-tawny_csrf"}, name
                    flags = (cookie["secure"], cookie["httponly"], cookie["samesite"])
                    gone = cookie["max-age"] == 0  # one that takes the cookie away
                    assert gone or flags == (True, True, "Strict"), (name, method)
                    assert (cookie["path"], cookie["domain"]) == ("/", ""), name
                    seen += 1
    record_property("MFA-5", f"{seen} cookies of {len(ROUTES)} routes, each with its flags")
    assert seen >= 10
