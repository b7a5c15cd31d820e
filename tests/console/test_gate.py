"""Nothing of the console answers unless everything is in order: every route, every way in."""

from collections.abc import Callable
from itertools import product
from types import ModuleType

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import include, path, reverse

from console import sessions, urls_cloud, urls_engine
from console.models import Role, Staff
from console.pages import page, rules_of
from crypto.ids import uuid7
from tenants.models import Tenant
from tests.console.people import Clock, Person, deeds

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])

ROUTES = sorted(str(pattern.name) for pattern in urls_cloud.urlpatterns)
BEHIND = [name for name in ROUTES if name != "login"]
SECRET = "Acme Burrow Ltd"
WORKING = {Role.OWNER, Role.OPERATOR, Role.ANALYST}
MAY_GET = {
    "overview": WORKING,
    "tenants": WORKING,
    "feeds": WORKING,
    "audit": {Role.OWNER, Role.AUDITOR},
    "authenticator": set(Role),
    "logout": set(),
}


@pytest.fixture
def tenant(clock: Clock) -> Tenant:
    return Tenant.objects.create(id=uuid7(clock.now), name=SECRET, created_at=clock.now)


def browser_with(**entries: object) -> Client:
    """Return a browser whose session somebody wrote into the database by hand."""
    store = SessionStore()
    store.update(entries)
    store.save()
    browser = Client()
    browser.cookies[settings.SESSION_COOKIE_NAME] = str(store.session_key)
    return browser


def signed_in_entries(staff: Staff) -> dict[str, object]:
    return {
        SESSION_KEY: str(staff.pk),
        BACKEND_SESSION_KEY: sessions.BACKEND,
        HASH_SESSION_KEY: staff.get_session_auth_hash(),
    }


def anonymous(_jo: Person, _other: Person) -> Client:
    return Client()


def password_only(jo: Person, _other: Person) -> Client:
    return browser_with(**signed_in_entries(jo.staff))


def password_and_times(jo: Person, _other: Person) -> Client:
    now = int(jo.clock.now.timestamp())
    times = {sessions.BEGUN: now, sessions.USED: now, sessions.PROVED: now}
    return browser_with(**signed_in_entries(jo.staff), **times)


def device_of_another(jo: Person, other: Person) -> Client:
    browser = password_and_times(jo, other)
    session = browser.session
    session["otp_device_id"] = other.device.persistent_id
    session.save()
    return browser


def device_without_times(jo: Person, _other: Person) -> Client:
    return browser_with(**signed_in_entries(jo.staff), otp_device_id=jo.device.persistent_id)


def idle(jo: Person, _other: Person) -> Client:
    jo.sign_in().clock.advance(minutes=15)
    return jo.browser


def disabled(jo: Person, _other: Person) -> Client:
    jo.sign_in()
    Staff.objects.filter(pk=jo.staff.pk).update(is_active=False)
    return jo.browser


def with_another_role(jo: Person, _other: Person) -> Client:
    jo.sign_in()
    Staff.objects.filter(pk=jo.staff.pk).update(role=Role.OPERATOR)
    return jo.browser


def device_taken_away(jo: Person, _other: Person) -> Client:
    jo.sign_in()
    jo.device.delete()
    return jo.browser


def api_key(_jo: Person, _other: Person) -> Client:
    return Client(headers={"authorization": f"Bearer twy_{'a' * 12}_{'b' * 49}"})


WAYS = [
    anonymous,
    password_only,
    password_and_times,
    device_of_another,
    device_without_times,
    idle,
    disabled,
    with_another_role,
    device_taken_away,
    api_key,
]


def test_every_route_of_both_consoles_is_walked() -> None:
    engine = {pattern.name for pattern in urls_engine.urlpatterns}
    assert engine == set(ROUTES) - {"feeds"}
    assert set(MAY_GET) == set(BEHIND)


def test_every_view_declares_who_may_use_it_and_only_the_sign_in_is_public() -> None:
    declared = {pattern.name: rules_of(pattern.callback) for pattern in urls_cloud.urlpatterns}
    assert [name for name, rules in declared.items() if rules is None] == []
    assert [name for name, rules in declared.items() if rules and rules.public] == ["login"]


@pytest.mark.parametrize("way", WAYS)
def test_no_route_answers_without_a_live_session_that_a_second_factor_proved(
    way: Callable[[Person, Person], Client], person: Callable[..., Person], tenant: Tenant
) -> None:
    other = person("other")
    methods = ("get", "head", "post", "put", "delete", "options")
    for number, (name, method) in enumerate(product(BEHIND, methods)):
        browser = way(person(f"jo{number}"), other)
        answer = getattr(browser, method)(reverse(f"console:{name}"))
        if method in {"get", "head"}:
            assert answer.status_code == 302
            assert answer["Location"].startswith("/console/login/")
            assert answer.content == b""
        else:
            assert answer.status_code == 403
            assert tenant.name.encode() not in answer.content
            assert b"Sign out" not in answer.content


def test_a_path_without_a_page_is_behind_the_gate_too(jo: Person) -> None:
    assert Client().get("/console/none/").status_code == 302
    assert Client().get("/console").status_code == 302
    assert jo.sign_in().browser.get("/console/none/").status_code == 404


def test_a_session_lives_while_it_is_used_and_no_longer_than_twelve_hours(
    jo: Person, clock: Clock
) -> None:
    jo.sign_in()
    for _ in range(12 * 60 // 14):
        clock.advance(minutes=14)
        assert jo.browser.get("/console/").status_code == 200
    clock.advance(minutes=6)
    answer = jo.browser.get("/console/")
    assert answer["Location"].endswith("ended=old")
    assert jo.browser.get("/console/").status_code == 302


def test_a_session_ends_after_fifteen_minutes_without_use(jo: Person, clock: Clock) -> None:
    jo.sign_in()
    clock.advance(minutes=14, seconds=59)
    assert jo.browser.get("/console/").status_code == 200
    clock.advance(minutes=15)
    answer = jo.browser.get("/console/tenants/")
    assert answer["Location"] == "/console/login/?next=%2Fconsole%2Ftenants%2F&ended=idle"
    clock.advance(minutes=-15)  # the clock set back brings nothing back
    assert jo.browser.get("/console/").status_code == 302


@pytest.mark.parametrize("role", list(Role))
def test_each_role_gets_its_pages_and_is_refused_the_others(
    role: Role, person: Callable[..., Person]
) -> None:
    somebody = person("somebody", role).sign_in()
    for name, roles in MAY_GET.items():
        answer = somebody.browser.get(reverse(f"console:{name}"))
        expected = 200 if role in roles else 405 if name == "logout" else 403
        assert answer.status_code == expected, name
        if role in roles:
            links = answer.context["links"]
            shown = {link.path for link in links}
            allowed = {n for n in MAY_GET if role in MAY_GET[n]} - {"authenticator"}
            assert shown == {reverse(f"console:{n}") for n in allowed}


def test_an_auditor_lands_on_the_log_and_a_refusal_is_on_it(person: Callable[..., Person]) -> None:
    auditor = person("auditor", Role.AUDITOR)
    assert auditor.submit()["Location"] == "/console/audit/"
    assert auditor.browser.get("/console/tenants/").status_code == 403
    (denied,) = deeds("auth.denied")
    assert (denied.actor_id, denied.resource) == (str(auditor.staff.id), "page:console:tenants")


def undeclared(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(SECRET)


@page(roles=frozenset(Role), event=None)
def declared(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(SECRET)


def urlconf_with(prefix: str, view: Callable[..., HttpResponse]) -> ModuleType:
    module = ModuleType("urlconf_of_a_test")
    routes = [*urls_cloud.urlpatterns, path("forgotten/", view, name="forgotten")]
    vars(module)["urlpatterns"] = [path(prefix, include((routes, "console")))]
    return module


def test_a_view_that_declares_no_roles_is_refused_to_everybody(jo: Person) -> None:
    jo.sign_in()
    with override_settings(ROOT_URLCONF=urlconf_with("console/", undeclared)):
        answer = jo.browser.get("/console/forgotten/")
    assert answer.status_code == 403
    assert SECRET.encode() not in answer.content


def test_a_console_mounted_elsewhere_is_closed_rather_than_open(jo: Person) -> None:
    jo.sign_in()
    with override_settings(ROOT_URLCONF=urlconf_with("elsewhere/", declared)):
        answer = jo.browser.get("/elsewhere/forgotten/")
    assert answer.status_code == 403
    assert SECRET.encode() not in answer.content


def test_a_console_mounted_in_the_api_is_closed_too(jo: Person) -> None:
    jo.sign_in()
    jo.browser.raise_request_exception = False
    with override_settings(ROOT_URLCONF=urlconf_with("v1/", declared)):
        answer = jo.browser.get("/v1/forgotten/")
    assert answer.status_code in {403, 500}
    assert SECRET.encode() not in answer.content


def test_a_page_is_in_the_audit_log_before_it_is_seen(jo: Person) -> None:
    jo.sign_in()
    for name in ("overview", "tenants", "feeds"):
        jo.browser.get(reverse(f"console:{name}"))
    jo.browser.get("/console/audit/")
    reads = deeds("staff.read")
    assert [row.resource for row in reads] == [
        "page:console:overview",
        "page:console:tenants",
        "page:console:feeds",
    ]
    assert {row.actor_id for row in reads} == {str(jo.staff.id)}
    assert [row.resource for row in deeds("audit.read")] == ["page:console:audit"]


def test_no_page_is_kept_by_a_browser_or_runs_what_is_not_ours(jo: Person) -> None:
    jo.sign_in()
    for name in ("login", "overview", "tenants", "feeds", "audit", "authenticator"):
        answer = jo.browser.get(reverse(f"console:{name}"))
        assert answer["Cache-Control"] == "no-store"
        assert "default-src 'none'" in answer["Content-Security-Policy"]
        assert "unsafe" not in answer["Content-Security-Policy"]
        assert answer["Referrer-Policy"] == "same-origin"  # no-referrer breaks every form
        assert answer["X-Frame-Options"] == "DENY"
        assert b"<script" not in answer.content
        assert b"style=" not in answer.content
