"""A fresh proof of the second factor before what is dangerous, and the page resumed after it."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import override_settings

from console.models import Role, SignIn, TOTPDevice
from crypto.ids import uuid7
from tenants.models import KeyIndex, Tenant
from tests.console.people import START, Clock, Person, deeds

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


@pytest.fixture
def acme(clock: Clock) -> Tenant:
    return Tenant.objects.create(id=uuid7(clock.now), name="Acme", created_at=START)


def step_up(jo: Person, following: str = "") -> str:
    answer = jo.browser.post("/console/verify/", {"code": jo.code(), "next": following})
    assert answer.status_code == 302, answer.content
    return str(answer["Location"])


def test_after_five_minutes_a_dangerous_page_asks_for_a_code_and_is_then_resumed(
    jo: Person, clock: Clock, acme: Tenant
) -> None:
    jo.sign_in()
    path = f"/console/tenants/{acme.id}/keys/new/"
    clock.advance(minutes=4, seconds=59)
    assert jo.browser.get(path).status_code == 200
    clock.advance(seconds=1)
    for answer in (jo.browser.get(path), jo.browser.post(path, {"reason": "r"})):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/console/verify/?next=%2Fconsole%2Ftenants")
    assert KeyIndex.objects.count() == 0
    before = jo.browser.session.session_key
    assert step_up(jo, path) == path
    assert jo.browser.session.session_key != before
    assert jo.browser.get(path).status_code == 200
    assert len(deeds("staff.stepped_up")) == 1


def test_the_query_of_a_page_is_resumed_too(jo: Person, clock: Clock) -> None:
    jo.sign_in()
    clock.advance(minutes=6)
    answer = jo.browser.get("/console/audit/export/?event=staff.login")
    assert answer["Location"].endswith("%3Fevent%3Dstaff.login")
    assert step_up(jo, "/console/audit/export/?event=staff.login").endswith("?event=staff.login")


@pytest.mark.parametrize("asked", ["https://example.org/", "/console/logout/", "/v1/alerts", ""])
def test_a_step_up_leads_nowhere_else(jo: Person, clock: Clock, asked: str) -> None:
    jo.sign_in()
    clock.advance(seconds=30)
    assert step_up(jo, asked) == "/console/"


def test_a_code_that_signed_in_does_not_step_up(jo: Person) -> None:
    jo.sign_in()
    assert jo.browser.post("/console/verify/", {"code": jo.code()}).status_code == 403


def test_a_device_is_tried_five_times_in_five_minutes_wherever_and_an_alarm_is_logged(
    jo: Person, clock: Clock
) -> None:
    answers = []
    for number in range(7):
        clock.advance(seconds=17)
        address = f"198.51.{number}.7"
        answers.append(jo.submit(code="000000", address=address).status_code)
    assert answers == [403] * 7  # at sign-in another answer would say that the password is right
    assert jo.submit(address="203.0.113.1").status_code == 403
    (alarm,) = deeds("staff.factor_limit")
    assert (alarm.resource, alarm.outcome) == (f"staff:{jo.staff.id}", "denied")
    clock.advance(minutes=5)
    assert jo.submit(address="203.0.113.1").status_code == 302


def test_a_device_is_tried_forty_nine_times_a_day_and_successes_give_nothing_to_a_guesser(
    jo: Person, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at, accept = 0, TOTPDevice.accept

    def counted(device: TOTPDevice, code: str, *, now: datetime) -> bool:
        nonlocal looked_at
        looked_at += code == "000000"
        return accept(device, code, now=now)

    monkeypatch.setattr(TOTPDevice, "accept", counted)
    for number in range(24 * 12 - 1):
        clock.advance(seconds=300)
        if number % 20 == 10:
            jo.submit(address="203.0.113.1")
            clock.advance(seconds=2)
        jo.submit(code="000000", address=f"198.{18 + number // 200}.{number % 200}.7")
    assert 0 < looked_at <= 49


# -- deeds on keys and tenants


def test_a_key_is_made_shown_once_rotated_and_revoked(jo: Person, acme: Tenant) -> None:
    jo.sign_in()
    base = f"/console/tenants/{acme.id}/"
    form = {"label": "sensor", "scopes": ["ingest:write"], "networks": "", "reason": "a test"}
    made = jo.browser.post(f"{base}keys/new/", form)
    assert made.status_code == 200
    key = KeyIndex.objects.get()
    assert f"twy_{key.id}_".encode() in made.content
    assert key.scopes == ["ingest:write"]
    page = jo.browser.get(base)
    assert f"twy_{key.id}_".encode() not in page.content
    assert f"twy_{key.id}".encode() in page.content
    wrong = {"phrase": "wrong", "reason": "a test", "overlap": "0"}
    assert jo.browser.post(f"{base}keys/{key.id}/rotate/", wrong).status_code == 400
    assert KeyIndex.objects.count() == 1
    right = {**wrong, "phrase": key.id}
    assert jo.browser.post(f"{base}keys/{key.id}/rotate/", right).status_code == 200
    assert jo.browser.get(f"{base}keys/{key.id}/revoke/").status_code == 404  # it ended
    successor = KeyIndex.objects.exclude(pk=key.id).get()
    revoke = {"phrase": successor.id, "reason": "a test"}
    path = f"{base}keys/{successor.id}/revoke/"
    assert jo.browser.post(path, {**revoke, "reason": ""}).status_code == 400
    assert jo.browser.post(path, revoke)["Location"] == base
    successor.refresh_from_db()
    assert successor.revoked_at is not None
    (revoked,) = deeds("key.revoked")
    assert (revoked.actor_id, revoked.reason) == (str(jo.staff.id), "a test")


@pytest.mark.parametrize(
    "change", [{"scopes": ["all:things"]}, {"scopes": []}, {"networks": "everywhere"}]
)
def test_unfit_terms_make_no_key(jo: Person, acme: Tenant, change: dict[str, object]) -> None:
    jo.sign_in()
    form = {"label": "", "scopes": ["ingest:write"], "networks": "", "reason": "a test", **change}
    answer = jo.browser.post(f"/console/tenants/{acme.id}/keys/new/", form)
    assert answer.status_code in {400, 409}
    assert KeyIndex.objects.count() == 0


def test_a_key_is_managed_through_its_own_tenant_only(jo: Person, acme: Tenant) -> None:
    jo.sign_in()
    other = Tenant.objects.create(id=uuid7(START), name="Other", created_at=START)
    key = KeyIndex.objects.create(
        id="live00000000", tenant=other, pepper=1, mac=bytes(32), scopes=[], created_at=START
    )
    form = {"phrase": key.id, "reason": "a test"}
    path = f"/console/tenants/{acme.id}/keys/{key.id}/revoke/"
    assert jo.browser.post(path, form).status_code == 404


def test_a_tenant_is_suspended_resumed_and_put_on_another_plan(jo: Person, acme: Tenant) -> None:
    jo.sign_in()
    form = {"phrase": "Acme", "reason": "a test"}
    for state in ("suspended", "active"):
        assert jo.browser.post(f"/console/tenants/{acme.id}/state/", form).status_code == 302
        acme.refresh_from_db()
        assert acme.state == state
    plan = {**form, "plan": "provisional"}
    assert jo.browser.post(f"/console/tenants/{acme.id}/plan/", plan).status_code == 302
    acme.refresh_from_db()
    assert acme.plan == "provisional"


def test_an_analyst_sees_a_tenant_and_no_deed(person: Callable[..., Person], acme: Tenant) -> None:
    ana = person("ana", Role.ANALYST).sign_in()
    page = ana.browser.get(f"/console/tenants/{acme.id}/")
    assert page.status_code == 200
    assert b"New API key" not in page.content
    assert ana.browser.post(f"/console/tenants/{acme.id}/state/", {}).status_code == 403


def test_a_proxy_that_is_trusted_says_where_somebody_comes_from(jo: Person) -> None:
    jo.browser.defaults["HTTP_X_FORWARDED_FOR"] = "203.0.113.77, 192.0.2.10"
    with override_settings(TRUSTED_PROXIES=["192.0.2.0/24"]):
        jo.sign_in()
    assert SignIn.objects.get().network == "203.0.113.0/24"
