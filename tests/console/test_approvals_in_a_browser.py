"""The pages of what takes two people, as owners use them, by axe's rules in both themes."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from playwright.sync_api import BrowserContext, Page, sync_playwright

from console.models import Role
from tenants.actions import create_tenant
from tenants.models import BreakGlass, Pending
from tests.console.emergencies import Grants, granting
from tests.console.people import SHELL, Clock, Person
from tests.console.test_in_a_browser import CHROMIUM, judge

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"]),
    pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed here"),
]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], BrowserContext]]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # see test_in_a_browser
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_context
        browser.close()


@pytest.fixture
def grants() -> Iterator[Grants]:
    with granting() as door:
        yield door


def as_of(context: BrowserContext, who: Person, address: str) -> BrowserContext:
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": who.browser.cookies[name].value, "url": address}])
    return context


def confirm(tab: Page, button: str, reason: str, phrase: str = "") -> None:
    tab.fill("#reason", reason)
    if phrase:
        tab.fill("#phrase", phrase)
    tab.click(f"form.stack button:has-text('{button}')")


def ask_for_three(ana: Page, here: str, tenant: UUID) -> None:
    ana.goto(f"{here}/console/tenants/{tenant}/")
    ana.click("text=Ask for deletion")
    judge(ana, "ask-deletion")
    confirm(ana, "Ask for it", "contract ended", "Acme")
    ana.goto(f"{here}/console/staff/")
    ana.click("text=Reset second factors of cy")
    confirm(ana, "Ask for it", "phone lost", "cy")
    ana.click("main >> text=Emergency access")
    ana.click("text=Ask for emergency access")
    judge(ana, "ask-emergency")
    ana.fill("#field-tenant", "Acme")
    ana.select_option("#field-staff", label="ana")
    ana.fill("#field-ticket", "T-1")
    confirm(ana, "Ask for it", "beacons everywhere")
    assert ana.locator("text=waits for a second person").count() == 3
    assert ana.locator("a:has-text('Approve')").count() == 0
    judge(ana, "approvals-asked")


def approve_all(bea: Page, here: str) -> None:
    bea.goto(f"{here}/console/approvals/")
    judge(bea, "approvals-waiting")
    while bea.locator("td a:has-text('Approve')").count():
        bea.locator("td a:has-text('Approve')").first.click()
        judge(bea, "approve")
        confirm(bea, "Approve", "seen", "approve")
        bea.wait_for_url("**/console/approvals/")
    judge(bea, "approvals-over")


def end_and_review(bea: Page, here: str) -> None:
    bea.goto(f"{here}/console/emergency/")
    assert bea.locator("text=Emergency access to a tenant was opened to ana").count() >= 1
    judge(bea, "emergency")
    bea.locator("button:has-text('I have seen this')").first.click()
    bea.goto(f"{here}/console/emergency/")
    assert bea.locator("button:has-text('I have seen this')").count() == 0
    bea.click("td a:has-text('End')")
    confirm(bea, "End it", "over")
    bea.wait_for_url("**/console/emergency/")
    bea.click("td a:has-text('Review')")
    judge(bea, "emergency-review")
    confirm(bea, "Keep the review", "nothing odd")


def test_two_owners_delete_a_tenant_reset_a_colleague_and_open_an_emergency(
    opened: Callable[[], BrowserContext],
    live_server: Any,
    person: Callable[..., Person],
    clock: Clock,
    grants: Grants,
) -> None:
    here = live_server.url
    acme = create_tenant(name="Acme", actor=SHELL, reason="test", now=clock.now).tenant
    cy = person("cy", Role.ANALYST)
    ana, bea = (as_of(opened(), person(n).sign_in(), here).new_page() for n in ("ana", "bea"))
    ask_for_three(ana, here, acme.id)
    approve_all(bea, here)
    assert sorted(row.state for row in Pending.objects.all()) == ["approved", "done", "done"]
    end_and_review(bea, here)
    row = BreakGlass.objects.get()
    assert (row.closed_at, row.review) == (clock.now, "nothing odd")
    assert len(grants.revoked) == 1
    bea.goto(f"{here}/console/staff/")
    bea.click("text=Enrolment link for cy")
    judge(bea, "enrolment-link")
    assert cy.staff.enrolled_at is None
