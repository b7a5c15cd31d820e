"""Password and second factor, together or not at all."""

import re
from collections.abc import Callable

import pytest
from django.conf import settings
from django.contrib.auth.hashers import BasePasswordHasher, get_hasher
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client, override_settings

from config.settings import base
from console import throttle
from console.hashed_sessions import stored_key
from tests.console.people import Clock, Person, deeds

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


def is_signed_in(browser: Client) -> bool:
    return browser.get("/console/audit/").status_code == 200


def without_token(response: HttpResponse) -> bytes:
    return re.sub(rb'name="csrfmiddlewaretoken" value="\w+"', b"", response.content)


def test_name_password_and_code_together_open_the_console(jo: Person) -> None:
    response = jo.submit()
    assert (response.status_code, response["Location"]) == (302, "/console/")
    assert is_signed_in(jo.browser)
    (login,) = deeds("staff.login")
    assert login.actor_id == str(jo.staff.id)
    assert login.detail["device"] == jo.device.persistent_id


@pytest.mark.parametrize(
    "wrong", [{"code": "000000"}, {"code": ""}, {"password": "wrong"}, {"username": "nobody"}]
)
def test_anything_wrong_grants_nothing_and_looks_the_same(
    jo: Person, wrong: dict[str, str]
) -> None:
    pages = [jo.submit(**wrong, address="198.51.100.1"), jo.submit(password="x" * 300)]
    assert {page.status_code for page in pages} == {403}
    assert without_token(pages[0]) == without_token(pages[1])
    assert not Session.objects.exists()
    assert not is_signed_in(jo.browser)


def test_an_unknown_name_costs_the_same_hashing_as_a_known_one(
    jo: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasher = type(get_hasher())
    hashed: list[str] = []
    original = hasher.encode

    def counted(self: BasePasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return original(self, password, salt)

    monkeypatch.setattr(hasher, "encode", counted)
    jo.submit(password="one-guess", address="198.51.100.1")
    known = len(hashed)
    jo.submit(username="nobody", password="one-guess", address="198.51.100.2")
    assert known == 1
    assert len(hashed) == 2


def test_a_code_opens_one_session_only(jo: Person) -> None:
    code = jo.code()
    assert jo.submit(code=code).status_code == 302
    jo.browser = Client()
    assert jo.submit(code=code).status_code == 403
    assert not is_signed_in(jo.browser)


def test_the_code_before_and_the_code_after_are_refused(jo: Person, clock: Clock) -> None:
    assert jo.submit(code=jo.code(seconds=-30)).status_code == 403
    clock.advance(seconds=5)
    assert jo.submit(code=jo.code(seconds=30)).status_code == 403
    clock.advance(seconds=5)
    assert jo.submit().status_code == 302


def test_blanks_in_a_code_and_capitals_in_a_name_are_forgiven(jo: Person) -> None:
    code = jo.code()
    response = jo.submit(username=" Jo ", code=f"{code[:3]} {code[3:]}")
    assert response.status_code == 302


def test_a_disabled_account_cannot_sign_in(jo: Person) -> None:
    type(jo.staff).objects.update(is_active=False)
    assert jo.submit().status_code == 403


@pytest.mark.parametrize("name", ["\x00", "jo\x00", "'; DROP TABLE staff; --", "ж" * 70, ""])
def test_a_hostile_name_is_only_wrong(jo: Person, name: str) -> None:
    assert jo.submit(username=name).status_code == 403


def test_a_refusal_is_logged_without_password_or_unknown_name(jo: Person) -> None:
    jo.submit(username="Somebodys-Password", password="tell-nobody")
    jo.submit(password="tell-nobody-either")
    jo.submit(code="123123")
    unknown, wrong_password, wrong_code = deeds("staff.login_failed")
    assert unknown.resource == ""
    assert unknown.detail["name_tag"] == throttle.name_tag("somebodys-password").hex()
    assert wrong_password.resource == wrong_code.resource == f"staff:{jo.staff.id}"
    assert (wrong_password.detail["why"], wrong_code.detail["why"]) == ("password", "code")
    assert unknown.detail["network"] == "192.0.2.0/24"
    logged = str([(row.detail, row.resource, row.reason) for row in deeds("staff.login_failed")])
    assert "tell-nobody" not in logged
    assert "somebodys" not in logged.lower()


def test_a_network_that_tries_too_often_waits_and_others_do_not(jo: Person, clock: Clock) -> None:
    answers = [jo.submit(password="wrong", address="198.51.100.7") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [403] * 5 + [429]
    assert jo.submit(address="198.51.100.8").status_code == 429  # the right proof, the same network
    assert int(answers[-1]["Retry-After"]) == 300
    assert jo.submit(address="203.0.113.1").status_code == 302
    jo.browser = Client()
    clock.advance(minutes=5, seconds=1)
    assert jo.submit(address="198.51.100.7").status_code == 302


def test_a_refused_network_fills_neither_the_log_nor_the_table(jo: Person) -> None:
    for number in range(30):
        jo.submit(username=f"guess{number}", address="198.51.100.7")
    assert len(deeds("staff.login_failed")) == 11  # ten that were looked at, one refusal
    from console.models import LoginWindow  # noqa: PLC0415 -- only here

    assert LoginWindow.objects.count() == 2 + 3 * 10


def test_a_stranger_without_the_password_cannot_lock_anybody_out(jo: Person) -> None:
    for number in range(60):
        stranger = f"2001:db8:{number:x}::1"
        assert jo.submit(password="wrong", address=stranger).status_code == 403
    assert jo.device.throttling_failure_count == 0
    assert jo.submit().status_code == 302


def test_a_success_gives_its_attempts_back(jo: Person, clock: Clock) -> None:
    for _ in range(25):
        assert jo.submit().status_code == 302
        clock.advance(seconds=30)


def test_signing_in_changes_the_session_key_and_ends_the_session_before(
    jo: Person, clock: Clock
) -> None:
    jo.sign_in()
    before = jo.browser.cookies[settings.SESSION_COOKIE_NAME].value
    clock.advance(seconds=30)
    jo.sign_in()
    after = jo.browser.cookies[settings.SESSION_COOKIE_NAME].value
    assert before != after
    assert set(Session.objects.values_list("session_key", flat=True)) == {stored_key(after)}


def test_signing_out_is_a_post_and_kills_the_session(jo: Person) -> None:
    jo.sign_in()
    cookie = jo.browser.cookies[settings.SESSION_COOKIE_NAME].value
    assert jo.browser.get("/console/logout/").status_code == 405
    assert is_signed_in(jo.browser)
    response = jo.browser.post("/console/logout/")
    assert response["Clear-Site-Data"] == '"cache", "storage"'
    assert (response.status_code, response["Location"]) == (302, "/console/login/?ended=out")
    assert len(deeds("staff.logout")) == 1
    jo.browser.cookies[settings.SESSION_COOKIE_NAME] = cookie
    assert not is_signed_in(jo.browser)


def test_a_form_from_elsewhere_is_refused_with_the_consoles_page(jo: Person) -> None:
    jo.browser = Client(enforce_csrf_checks=True)
    response = jo.submit()
    assert response.status_code == 403
    assert b"The form was too old, or came from elsewhere" in response.content
    assert not is_signed_in(jo.browser)


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("/console/tenants/", "/console/tenants/"),
        ("/console/logout/", "/console/"),
        ("/console/none/", "/console/"),
        ("//example.org/console/", "/console/"),
        ("https://example.org/console/tenants/", "/console/"),
        ("/v1/alerts", "/console/"),
        ("", "/console/"),
    ],
)
def test_signing_in_leads_to_a_page_of_the_console_and_nowhere_else(
    jo: Person, asked: str, given: str
) -> None:
    assert jo.submit(next=asked)["Location"] == given


def test_every_cookie_is_bound_to_host_and_scheme_and_hidden_from_scripts(
    person: Callable[..., Person],
) -> None:
    names = [name for name in dir(base) if name.startswith(("SESSION_COOKIE_", "CSRF_COOKIE_"))]
    with override_settings(**{name: getattr(base, name) for name in names}):
        jo = person()
        jo.browser = Client(headers={"x-forwarded-proto": "https"})
        form = {"username": "jo", "password": jo.new.password, "code": jo.code()}
        page = jo.browser.get("/console/login/", secure=True)
        answer = jo.browser.post("/console/login/", form, secure=True)
    cookies = {**page.cookies, **answer.cookies}
    assert set(cookies) == {"__Host-tawny_staff", "__Host-tawny_csrf"}
    for cookie in cookies.values():
        assert cookie["secure"]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Strict"
        assert cookie["path"] == "/"
        assert cookie["domain"] == ""
