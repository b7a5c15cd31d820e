"""Grants on the console: opened on terms, listed to who may see them, revoked and ended."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from console.models import Role
from crypto.ids import uuid7
from tenants import grants
from tenants.grants import GrantScope
from tenants.models import Tenant
from tests.console.alerts import SOURCE, a_grant, an_alert
from tests.console.granting import FORM, end, pages, shows_nothing
from tests.console.people import Clock, Person, deeds

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
