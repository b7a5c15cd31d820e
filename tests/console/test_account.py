"""A person's own sessions, password and theme."""

from collections.abc import Callable

import pytest
from django.test import Client

from console.browsers import UNKNOWN, browser_of
from console.models import SignIn
from tests.console.people import Clock, Person, deeds

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def two_sessions(jo: Person, clock: Clock) -> tuple[Client, Client]:
    elsewhere = jo.sign_in().browser
    jo.browser = Client(headers={"user-agent": FIREFOX})
    clock.advance(seconds=30)
    return elsewhere, jo.sign_in().browser


def test_a_person_sees_own_sessions_and_ends_one(
    jo: Person, clock: Clock, person: Callable[..., Person]
) -> None:
    elsewhere, here = two_sessions(jo, clock)
    other = person("other").sign_in()
    page = here.get("/console/account/")
    assert len(page.context["sessions"]) == 2
    assert b"Firefox on Linux" in page.content
    row = SignIn.objects.filter(staff=jo.staff).exclude(browser="Firefox on Linux").get()
    foreign = SignIn.objects.get(staff=other.staff)
    assert here.post(f"/console/account/sessions/{foreign.id}/end/").status_code == 404
    assert here.post(f"/console/account/sessions/{row.id}/end/").status_code == 302
    assert elsewhere.get("/console/").status_code == 302
    assert here.get("/console/").status_code == 200
    assert other.browser.get("/console/").status_code == 200
    assert len(deeds("staff.session_ended")) == 1


def test_another_password_ends_the_other_sessions_and_not_this_one(
    jo: Person, clock: Clock
) -> None:
    elsewhere, here = two_sessions(jo, clock)
    clock.advance(seconds=30)
    new, key = "another-lantern-42-quiet", here.session.session_key
    form = {"password": jo.new.password, "code": jo.code(), "new": new, "again": new}
    assert here.post("/console/account/password/", form).status_code == 302
    assert here.session.session_key != key
    assert here.get("/console/").status_code == 200
    assert elsewhere.get("/console/").status_code == 302
    clock.advance(seconds=30)
    assert jo.submit().status_code == 403
    clock.advance(seconds=30)
    assert jo.submit(password=new).status_code == 302


@pytest.mark.parametrize(
    "wrong",
    [{"password": "wrong"}, {"code": "000000"}, {"again": "different"}, {"new": "a", "again": "a"}],
)
def test_a_password_is_not_changed_on_half_a_proof(
    jo: Person, clock: Clock, wrong: dict[str, str]
) -> None:
    jo.sign_in()
    clock.advance(seconds=30)
    new, before = "another-lantern-42-quiet", jo.staff.password
    form = {"password": jo.new.password, "code": jo.code(), "new": new, "again": new, **wrong}
    assert jo.browser.post("/console/account/password/", form).status_code == 403
    assert jo.staff.password == before


def test_a_chosen_theme_is_painted_by_the_server(jo: Person) -> None:
    jo.sign_in()
    assert b"data-theme" not in jo.browser.get("/console/").content
    jo.browser.post("/console/account/theme/", {"theme": "dark"})
    assert b'<html lang="en" data-theme="dark">' in jo.browser.get("/console/").content
    assert jo.browser.post("/console/account/theme/", {"theme": "pink"}).status_code == 404


def test_wrong_passwords_from_a_hundred_networks_lock_nobody_out(
    jo: Person,
) -> None:
    for network in range(100):
        for _attempt in range(12):  # the rest of a hundred is refused without a look
            jo.submit(password="wrong", address=f"198.51.{network}.9")
    assert jo.submit().status_code == 302


@pytest.mark.parametrize(
    ("agent", "name"),
    [(FIREFOX, "Firefox on Linux"), ("", UNKNOWN), ("curl/8.5.0", "curl")],
)
def test_a_browser_is_told_by_family_and_system(agent: str, name: str) -> None:
    assert browser_of(agent) == name
