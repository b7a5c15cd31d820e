"""A tenant's data on the console: under a grant, on record before it is shown, or not at all."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connections
from django.test import Client
from django.urls import reverse

from analytics.actions.alerts import open_alert
from console.engine import granted
from console.models import Role
from crypto.ids import uuid7
from tenants import grants, keys
from tenants.grants import GrantScope
from tenants.models import Tenant
from tests.console.alerts import CANARIES, REASON, SOURCE, a_grant, an_alert
from tests.console.people import Clock, Person, deeds
from tests.console.test_gate import WAYS

pytestmark = pytest.mark.django_db(
    transaction=True, databases=["default", "keys", "wisdom", "staff"]
)
FORM = {"ticket": "T-77", "scopes": ["alerts", "series"], "minutes": "30", "reason": "a question"}


@pytest.fixture
def clock() -> Iterator[Clock]:
    """The present: PostgreSQL judges a grant by its own clock."""
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        yield Clock(traveller)


@pytest.fixture
def tenant(clock: Clock) -> Tenant:
    return Tenant.objects.create(id=uuid7(clock.now), name="acme.example", created_at=clock.now)


@contextmanager
def unwritable_log(as_owner: Callable[..., Any]) -> Iterator[None]:
    """Take from the serving role its right to write audit entries, and give it back."""
    asked = (
        "SELECT string_agg(quote_ident(column_name), ', ')"
        " FROM information_schema.column_privileges WHERE table_name = 'audit_stage'"
        " AND grantee = 'tawny_app' AND privilege_type = 'INSERT'"
    )
    with as_owner() as session:
        (columns,) = session.execute(asked).fetchone()
        session.execute("REVOKE INSERT ON audit_stage FROM tawny_app")
        try:
            yield
        finally:
            session.execute(f"GRANT INSERT ({columns}) ON audit_stage TO tawny_app")


def end(as_owner: Callable[..., Any]) -> None:
    with as_owner() as session:
        session.execute("UPDATE access_grant SET expires_at = clock_timestamp()")


def pages(grant: Any, alert: Any) -> list[str]:
    return [
        reverse("console:grant_alerts", args=[grant]),
        reverse("console:grant_alert", args=[grant, alert]),
    ]


def shows_nothing(content: bytes) -> bool:
    return not any(each in content for each in CANARIES)


# -- opening, listing, revoking


def test_a_grant_is_opened_from_the_tenants_page_and_leads_to_its_alerts(
    jo: Person, tenant: Tenant
) -> None:
    jo.sign_in()
    an_alert(tenant.id)
    path = reverse("console:grant_open", args=[tenant.id])
    assert path.encode() in jo.browser.get(f"/console/tenants/{tenant.id}/").content
    assert jo.browser.get(path).status_code == 200
    answer = jo.browser.post(path, FORM)
    (grant,) = grants.live_grants(staff=jo.staff.id, now=jo.clock.now)
    assert answer["Location"] == reverse("console:grant_alerts", args=[grant.id])
    assert (grant.ticket, grant.reason, grant.tenant) == ("T-77", "a question", tenant.id)
    assert grant.expires_at - grant.created_at == timedelta(minutes=30)
    assert grant.scopes == {GrantScope.ALERTS, GrantScope.SERIES}
    (entry,) = deeds("grant.opened")
    assert (entry.tenant, entry.actor_id) == (tenant.id, str(jo.staff.id))
    shown = jo.browser.get(answer["Location"]).content
    assert SOURCE.encode() in shown
    assert f"{grant.expires_at:%Y-%m-%d %H:%M:%S}".encode() in shown
    assert reverse("console:grant_revoke", args=[grant.id]).encode() in shown


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"ticket": ""}, 400),
        ({"reason": ""}, 400),
        ({"scopes": []}, 400),
        ({"scopes": ["everything"]}, 400),
        ({"scopes": ["export"]}, 400),
        ({"scopes": ["alerts", "research"]}, 400),
        ({"minutes": "61"}, 400),
        ({"ticket": "x" * 101}, 409),
    ],
)
def test_a_grant_needs_its_terms(
    jo: Person, tenant: Tenant, changed: dict[str, Any], status: int
) -> None:
    path = reverse("console:grant_open", args=[tenant.id])
    assert jo.sign_in().browser.post(path, {**FORM, **changed}).status_code == status
    assert grants.grants() == []


def test_the_form_offers_every_scope_that_there_is_and_no_other(jo: Person, tenant: Tenant) -> None:
    form = jo.sign_in().browser.get(reverse("console:grant_open", args=[tenant.id])).content
    offered = re.findall(rb'type="checkbox" name="scopes" value="([a-z]+)"', form)
    assert {each.decode() for each in offered} == set(GrantScope) == {"alerts", "series"}


def test_a_grant_of_before_that_exported_is_listed_and_opens_nothing(
    jo: Person, tenant: Tenant, as_owner: Callable[..., Any]
) -> None:
    jo.sign_in()
    grant, alert = a_grant(tenant.id, jo.staff.id), an_alert(tenant.id)
    with as_owner() as session:
        session.execute("""UPDATE access_grant SET scopes = '["export", "research"]'""")
    (row,) = jo.browser.get("/console/grants/").context["rows"]
    assert (row.state, row.scopes, row.opens_alerts) == ("live", "nothing any more", False)
    for path in pages(grant.id, alert):
        answer = jo.browser.get(path)
        assert answer.status_code == 403
        assert shows_nothing(answer.content)
    path = reverse("console:grant_revoke", args=[grant.id])
    assert jo.browser.post(path, {"reason": "enough"}).status_code == 302


@pytest.mark.parametrize("name", ["grant_open", "grant_alerts", "grant_alert"])
def test_opening_and_reading_ask_for_a_proof_of_the_last_five_minutes(
    jo: Person, tenant: Tenant, name: str
) -> None:
    jo.sign_in()
    grant, alert = a_grant(tenant.id, jo.staff.id).id, an_alert(tenant.id)
    arguments = {"grant_open": [tenant.id], "grant_alerts": [grant], "grant_alert": [grant, alert]}
    path = reverse(f"console:{name}", args=arguments[name])
    assert jo.browser.get(path).status_code == 200
    jo.clock.advance(minutes=5)
    answer = jo.browser.get(path)
    assert answer["Location"].startswith("/console/verify/?next=")
    assert answer.content == b""
    before = len(grants.grants())
    assert jo.browser.post(path, FORM).status_code in {302, 403}
    assert len(grants.grants()) == before


@pytest.mark.parametrize(
    ("role", "seen"),
    [
        (Role.OWNER, {"jo", "max"}),
        (Role.AUDITOR, {"jo", "max"}),
        (Role.OPERATOR, {"jo"}),
        (Role.ANALYST, {"jo"}),
    ],
)
def test_grants_are_listed_ones_own_or_everybodys(
    person: Callable[..., Person], tenant: Tenant, role: Role, seen: set[str]
) -> None:
    jo, other = person("jo", role).sign_in(), person("max")
    for each in (jo, other):
        a_grant(tenant.id, each.staff.id)
    rows = jo.browser.get("/console/grants/").context["rows"]
    assert {row.who for row in rows} == seen
    assert {(row.name, row.reason, row.ticket, row.state) for row in rows} == {
        ("acme.example", "a false alarm", "T-1", "live")
    }


def test_what_is_over_is_listed_to_who_sees_all_and_to_nobody_else(
    person: Callable[..., Person], tenant: Tenant, clock: Clock, as_owner: Callable[..., Any]
) -> None:
    jo, analyst = person("jo").sign_in(), person("ann", Role.ANALYST).sign_in()
    actor = a_grant(tenant.id, analyst.staff.id), a_grant(tenant.id, analyst.staff.id)
    end(as_owner)
    third = a_grant(tenant.id, analyst.staff.id)
    jo.browser.post(reverse("console:grant_revoke", args=[third.id]), {"reason": "enough"})
    clock.advance(seconds=60)
    states = [row.state for row in jo.browser.get("/console/grants/").context["rows"]]
    assert sorted(states) == ["over"] * len(actor) + ["revoked"]
    assert analyst.browser.get("/console/grants/").context["rows"] == []


def test_the_banners_button_revokes_and_the_next_page_is_refused(
    jo: Person, tenant: Tenant
) -> None:
    jo.sign_in()
    grant, alert = a_grant(tenant.id, jo.staff.id), an_alert(tenant.id)
    path = reverse("console:grant_revoke", args=[grant.id])
    assert jo.browser.post(path, {"reason": "no longer needed"})["Location"] == "/console/grants/"
    (entry,) = deeds("grant.revoked")
    assert (entry.tenant, entry.reason) == (tenant.id, "no longer needed")
    for each in pages(grant.id, alert):
        answer = jo.browser.get(each)
        assert answer.status_code == 403
        assert b"The grant was revoked." in answer.content
        assert shows_nothing(answer.content)


def test_only_its_holder_and_an_owner_revoke_a_grant(
    person: Callable[..., Person], tenant: Tenant
) -> None:
    holder, other = person("holder", Role.ANALYST), person("other", Role.OPERATOR).sign_in()
    grant = a_grant(tenant.id, holder.staff.id)
    path = reverse("console:grant_revoke", args=[grant.id])
    assert other.browser.post(path, {"reason": "mine"}).status_code == 403
    assert person("auditor", Role.AUDITOR).sign_in().browser.get(path).status_code == 403
    assert len(grants.live_grants(now=other.clock.now)) == 1
    (refused,) = deeds("grant.refused")
    assert (refused.tenant, refused.actor_id) == (tenant.id, str(other.staff.id))
    assert person("owner").sign_in().browser.post(path, {"reason": "enough"}).status_code == 302
    assert grants.live_grants(now=other.clock.now) == []


@pytest.mark.parametrize("deed", ["disable", "role"])
def test_grants_end_with_the_account_and_with_the_role(
    person: Callable[..., Person], tenant: Tenant, deed: str
) -> None:
    owner, analyst = person("owner").sign_in(), person("ann", Role.ANALYST)
    a_grant(tenant.id, analyst.staff.id)
    path = f"/console/staff/{analyst.staff.id}/{deed}/"
    form = {"phrase": "ann", "reason": "left", "role": "auditor"}
    assert owner.browser.post(path, form).status_code == 302
    assert grants.live_grants(now=owner.clock.now) == []
    assert [each.reason for each in deeds("grant.revoked")] == ["left"]


# -- reading


def test_an_alert_is_shown_with_explanation_evidence_and_event(jo: Person, tenant: Tenant) -> None:
    jo.sign_in()
    grant, alert = a_grant(tenant.id, jo.staff.id), an_alert(tenant.id)
    listed, one = (jo.browser.get(path).content for path in pages(grant.id, alert))
    assert SOURCE.encode() in listed
    assert all(each in one for each in CANARIES)
    for words in (b"72.50", b"[60, 60]", b"T-1", b"Revoke the grant now"):
        assert words in one


def test_alerts_are_listed_the_newest_day_first_a_page_at_a_time(
    jo: Person, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(granted, "ALERTS_PER_PAGE", 2)
    jo.sign_in()
    grant = a_grant(tenant.id, jo.staff.id)
    made = [an_alert(tenant.id, days_ago=n) for n in (2, 0, 1, 0, 1)]
    path = reverse("console:grant_alerts", args=[grant.id])
    shown: list[Any] = []
    following = ""
    for _ in range(3):
        context = jo.browser.get(path, {"after": following}).context
        shown += context["rows"]
        following = context["following"]
    assert following == ""
    assert [row.day for row in shown] == sorted((row.day for row in shown), reverse=True)
    assert {row.id for row in shown} == set(made)
    assert len(shown) == len(made)
    assert jo.browser.get(path, {"after": "nowhere"}).status_code == 404


def test_another_tenants_alert_is_not_found_under_a_grant(
    jo: Person, tenant: Tenant, clock: Clock
) -> None:
    jo.sign_in()
    other = Tenant.objects.create(id=uuid7(clock.now), name="o.example", created_at=clock.now)
    alert = an_alert(other.id)
    grant = a_grant(tenant.id, jo.staff.id)
    listed, one = (jo.browser.get(path) for path in pages(grant.id, alert))
    assert (listed.status_code, one.status_code) == (200, 404)
    assert shows_nothing(listed.content + one.content)


def test_a_read_is_on_record_with_its_tenant_and_grant(jo: Person, tenant: Tenant) -> None:
    jo.sign_in()
    grant, alert = a_grant(tenant.id, jo.staff.id), an_alert(tenant.id)
    for path in pages(grant.id, alert):
        assert jo.browser.get(path).status_code == 200
    assert [(row.tenant, row.resource, row.detail) for row in deeds("staff.read")] == [
        (tenant.id, "page:console:grant_alerts", {"grant": str(grant.id)}),
        (tenant.id, f"alert:{alert}", {"grant": str(grant.id)}),
    ]


def test_a_page_is_read_as_staff_and_on_record_before_any_row_is(
    jo: Person, tenant: Tenant
) -> None:
    jo.sign_in()
    grant, alert = a_grant(tenant.id, jo.staff.id), an_alert(tenant.id)
    keys.forget()
    asked: list[tuple[str, str]] = []

    def listen(alias: str) -> Any:
        def wrap(execute: Any, sql: str, *rest: Any) -> Any:
            asked.append((alias, sql))
            return execute(sql, *rest)

        return wrap

    with (
        connections["default"].execute_wrapper(listen("default")),
        connections["staff"].execute_wrapper(listen("staff")),
    ):
        for path in pages(grant.id, alert):
            assert jo.browser.get(path).status_code == 200
    rows = [n for n, (_, sql) in enumerate(asked) if ' FROM "alert"' in sql]
    reads = [n for n, (_, sql) in enumerate(asked) if "INSERT INTO audit_stage" in sql]
    assert {asked[n][0] for n in rows} == {"staff"}
    assert len(rows) == len(reads) == 2
    assert all(read < row for read, row in zip(reads, rows, strict=True))
    keyed = {alias for alias, sql in asked if 'FROM "data_key"' in sql}
    assert keyed == {"staff"}


# -- refusals


@pytest.mark.parametrize("role", [Role.OWNER, Role.OPERATOR, Role.ANALYST])
def test_without_a_grant_of_ones_own_no_role_reads_anything(
    person: Callable[..., Person], tenant: Tenant, role: Role
) -> None:
    somebody, other = person("somebody", role).sign_in(), person("other")
    alert, theirs = an_alert(tenant.id), a_grant(tenant.id, other.staff.id)
    for path in (*pages(theirs.id, alert), *pages(tenant.id, alert)):
        answer = somebody.browser.get(path)
        assert answer.status_code == 403
        assert b"You have no such grant." in answer.content
        assert shows_nothing(answer.content)
    assert {each.tenant for each in deeds("grant.refused")} == {tenant.id, None}
    assert deeds("staff.read") == []


def test_a_grant_that_opens_no_alerts_shows_none(jo: Person, tenant: Tenant) -> None:
    jo.sign_in()
    grant, alert = a_grant(tenant.id, jo.staff.id, GrantScope.SERIES), an_alert(tenant.id)
    for path in pages(grant.id, alert):
        answer = jo.browser.get(path)
        assert answer.status_code == 403
        assert b"does not open alerts" in answer.content


def test_a_grant_that_ends_while_a_page_is_made_is_refused_in_the_same_request(
    jo: Person, tenant: Tenant, as_owner: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    jo.sign_in()
    grant, alert = a_grant(tenant.id, jo.staff.id), an_alert(tenant.id)

    def open_and_end(row: Any) -> Any:
        content = open_alert(row)
        end(as_owner)
        return content

    monkeypatch.setattr(granted, "open_alert", open_and_end)
    for path in pages(grant.id, alert):
        answer = jo.browser.get(path)
        assert answer.status_code == 403
        assert b"time is over" in answer.content
        assert shows_nothing(answer.content)
    assert len(deeds("grant.refused")) == 2


@pytest.mark.parametrize("way", WAYS)
def test_whoever_is_not_signed_in_gets_no_byte_of_a_tenant_under_a_live_grant(
    way: Callable[[Person, Person], Client], person: Callable[..., Person], tenant: Tenant
) -> None:
    other, jo = person("other"), person("jo")
    alert, grant = an_alert(tenant.id), a_grant(tenant.id, jo.staff.id)
    browser = way(jo, other)
    for path in (*pages(grant.id, alert), f"/console/grants/{grant.id}/revoke/"):
        for method in ("get", "head", "post", "put", "delete", "options"):
            answer = getattr(browser, method)(path)
            assert answer.status_code in {302, 403}
            assert shows_nothing(answer.content)
            assert tenant.name.encode() not in answer.content
    assert deeds("staff.read") == []


# -- AUD-6


def test_nothing_is_opened_or_shown_while_the_audit_log_takes_no_entry(
    jo: Person, tenant: Tenant, as_owner: Callable[..., Any]
) -> None:
    jo.sign_in()
    grant, alert = a_grant(tenant.id, jo.staff.id), an_alert(tenant.id)
    opening = reverse("console:grant_open", args=[tenant.id])
    revoking = reverse("console:grant_revoke", args=[grant.id])
    gets = [*pages(grant.id, alert), opening, "/console/audit/", "/console/audit/export/"]
    with unwritable_log(as_owner):
        answers = [jo.browser.get(path) for path in gets]
        answers += [jo.browser.post(opening, FORM), jo.browser.post(revoking, {"reason": "x"})]
        for answer in answers:
            assert answer.status_code == 503
            assert shows_nothing(answer.content)
            assert REASON.encode() not in answer.content
            assert b"audit log takes no entry" in answer.content
    assert grants.grants() == [grant]  # none opened, and this one not revoked without a trace
    for path in pages(grant.id, alert):
        assert jo.browser.get(path).status_code == 200
