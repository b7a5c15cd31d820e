"""Nothing of the console answers unless everything is in order: every route, every way in."""

import re
from collections.abc import Callable
from datetime import timedelta
from itertools import product
from types import ModuleType
from uuid import UUID

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import include, path, reverse

from audit.models import Tally
from audit.scope import all_tenants_audit
from console import urls_cloud, urls_engine
from console.models import Role
from console.pages import page, rules_of
from console.permissions import Permission
from crypto.ids import uuid7
from feeds.models import Feed
from tenants import break_glass
from tenants.actions.approved import DELETION
from tenants.approvals import LASTS
from tenants.models import BreakGlass, KeyIndex, Pending, Tenant, Work
from tests.console.alerts import a_grant, an_alert
from tests.console.authenticator import Authenticator
from tests.console.people import START, Clock, Person, deeds
from tests.console.routes import BEHIND, FRESH, MAY_GET, NOBODY, OPEN, ROUTES, where
from tests.console.ways import WAYS

pytestmark = pytest.mark.django_db(
    transaction=True, databases=["default", "keys", "wisdom", "staff"]
)

SECRET = "Acme Burrow Ltd"
WITHOUT_A_FRAME = {"audit_export", "tenants_export", "live", "queues"}
"""Files, and parts that a page asks for: they have no navigation."""
OTHER_METHODS = ("head", "put", "delete", "options")
IN_THE_BAR = {
    "overview", "tenants", "grants", "feeds", "jobs", "keys", "staff", "approvals", "audit",
    "system",
}  # fmt: skip


@pytest.fixture
def tenant(clock: Clock) -> Tenant:
    return Tenant.objects.create(id=uuid7(clock.now), name=SECRET, created_at=clock.now)


def waiting_deed(tenant: Tenant) -> UUID:
    return Pending.objects.create(
        id=uuid7(START), kind=DELETION, subject=str(tenant.id), asked_by="shell:root", reason="r",
        asked_at=START, expires_at=START + LASTS,
    ).id  # fmt: skip


def open_emergency(tenant: Tenant, person: Person) -> UUID:
    asked = Pending.objects.create(
        id=uuid7(START), kind=break_glass.KIND, subject=str(tenant.id), asked_by="shell:root",
        parameters={"staff": str(person.staff.id), "minutes": "30", "ticket": "T-1"}, reason="r",
        asked_at=START, expires_at=START + LASTS, state="done", approved_by=f"staff:{NOBODY}",
    )  # fmt: skip
    return BreakGlass.objects.create(
        id=asked.id, grant=uuid7(START), staff=person.staff.id, asked_by="shell:root",
        approved_by=f"staff:{NOBODY}", opened_at=START, expires_at=START + timedelta(minutes=30),
    ).id  # fmt: skip


def test_every_route_of_both_consoles_is_walked() -> None:
    engine = {pattern.name for pattern in urls_engine.urlpatterns}
    assert engine == {name for name in ROUTES if not name.startswith("feed")}
    assert set(MAY_GET) == set(BEHIND)


def test_every_view_declares_who_may_use_it_and_only_those_of_signing_in_are_public() -> None:
    declared = {pattern.name: rules_of(pattern.callback) for pattern in urls_cloud.urlpatterns}
    assert [name for name, rules in declared.items() if rules is None] == []
    assert sorted(str(n) for n, rules in declared.items() if rules and rules.public) == OPEN
    assert {name for name, rules in declared.items() if rules and rules.fresh} == FRESH


@pytest.mark.parametrize("way", WAYS)
def test_no_route_answers_without_a_live_session_that_a_second_factor_proved(
    way: Callable[[Person, Person], Client], person: Callable[..., Person], tenant: Tenant
) -> None:
    other = person("other")
    asked = [*product(BEHIND, ("get", "post")), *product(["tenant", "audit"], OTHER_METHODS)]
    for number, (name, method) in enumerate(asked):
        browser = way(person(f"jo{number}"), other)
        answer = getattr(browser, method)(where(name, tenant=tenant.id))
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
    role: Role, person: Callable[..., Person], tenant: Tenant, sequenced: Callable[[], None]
) -> None:
    other, somebody = person("other"), person("somebody", role).sign_in()
    key = KeyIndex.objects.create(
        id="live00000000", tenant=tenant, pepper=1, mac=bytes(32), scopes=[], created_at=START
    )
    alert, grant = an_alert(tenant.id), a_grant(tenant.id, somebody.staff.id).id
    deed, emergency = waiting_deed(tenant), open_emergency(tenant, other)
    passkey = Authenticator.at("localhost").enrolled(somebody).passkey
    work = Work.objects.create(
        id=uuid7(START), tenant_id=tenant.id, queue="ingest", state="dead", due_at=START,
        created_at=START,
    )  # fmt: skip
    feed = Feed.objects.create(
        id=uuid7(START), name="a-list", source="plain_list", url="https://feeds.example.org/list",
        enabled=True, every=timedelta(hours=1), next_at=START, created_at=START,
    )  # fmt: skip
    sequenced()
    for name, roles in MAY_GET.items():
        path = where(
            name, tenant=tenant.id, key=key.id, person=other.staff.id, grant=grant, alert=alert,
            pending=deed, emergency=emergency, passkey=passkey.pk, work=work.id, feed=feed.name,
        )  # fmt: skip
        answer = somebody.browser.get(path)
        expected = 200 if role in roles else 403 if roles else 405
        assert answer.status_code == expected, name
        if role in roles and name not in WITHOUT_A_FRAME:
            links = answer.context["links"]
            shown = {link.path for link in links}
            allowed = {n for n in IN_THE_BAR if role in MAY_GET[n]}
            assert shown == {reverse(f"console:{n}") for n in allowed}


def test_an_auditor_lands_on_the_log_and_a_refusal_is_on_it(person: Callable[..., Person]) -> None:
    auditor = person("auditor", Role.AUDITOR)
    assert auditor.submit()["Location"] == "/console/audit/"
    assert auditor.browser.get("/console/tenants/").status_code == 403
    (denied,) = deeds("auth.denied")
    assert (denied.actor_id, denied.resource) == (str(auditor.staff.id), "page:console:tenants")


def undeclared(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(SECRET)


@page(permission=Permission.OWN_ACCOUNT, event=None)
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
    for name in sorted(IN_THE_BAR | {"login", "authenticator", "search", "account"}):
        answer = jo.browser.get(reverse(f"console:{name}"))
        policy = answer["Content-Security-Policy"]
        assert answer["Cache-Control"] == "no-store"
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer["Referrer-Policy"] == "same-origin"  # no-referrer breaks every form
        assert answer["X-Frame-Options"] == "DENY"
        assert b"style=" not in answer.content
        assert b"<style" not in answer.content
        scripts = re.findall(r"<script([^>]*)>(.*?)</script>", answer.content.decode(), re.DOTALL)
        assert len(scripts) == (0 if name == "login" else 2), name
        for attributes, content in scripts:
            nonce = re.search(r'nonce="([^"]{22,})"', attributes)
            assert nonce is not None, name
            assert f"'nonce-{nonce[1]}'" in policy
            assert 'src="/static/' in attributes
            assert content == ""
        assert re.search(r"\son[a-z]+=", answer.content.decode()) is None
        assert "hx-on" not in answer.content.decode()


def test_a_nonce_is_of_one_answer(jo: Person) -> None:
    jo.sign_in()
    seen = {jo.browser.get("/console/")["Content-Security-Policy"] for _ in range(5)}
    assert len(seen) == 5


def test_an_open_page_keeps_no_session_alive_and_is_counted_by_the_minute(
    jo: Person, clock: Clock
) -> None:
    jo.sign_in()
    assert jo.browser.get("/console/").status_code == 200
    reads = len(deeds("staff.read"))
    for _ in range(4):
        clock.advance(minutes=3)
        assert jo.browser.get("/console/live/").status_code == 200
    assert len(deeds("staff.read")) == reads
    with all_tenants_audit("reader", using="default"):
        polls = list(Tally.objects.filter(event="staff.watched").values_list("calls", flat=True))
    assert polls == [1, 1, 1, 1]
    clock.advance(minutes=3)
    ended = jo.browser.get(
        "/console/live/",
        headers={
            "hx-request": "true",
            "hx-current-url": "https://console.example.org/console/tenants/?q=a",
        },
    )
    assert ended.status_code == 200
    assert ended.content == b""
    assert ended["HX-Redirect"] == (
        "/console/login/?next=%2Fconsole%2Ftenants%2F%3Fq%3Da&ended=idle"
    )
