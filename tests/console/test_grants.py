"""A tenant's data on the console: under a grant, on record before it is shown, or not at all."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
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
from tests.console.granting import FORM, end, pages, shows_nothing
from tests.console.people import Clock, Person, deeds
from tests.console.ways import WAYS

pytestmark = pytest.mark.django_db(
    transaction=True, databases=["default", "keys", "wisdom", "staff"]
)


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
