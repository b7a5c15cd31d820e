"""Grants in a real browser: open, read, revoke; each page is held against axe in both themes."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from django.conf import settings
from playwright.sync_api import Page

from console.models import TOTPDevice
from crypto import otp
from crypto.ids import uuid7
from tenants import grants
from tenants.models import Tenant
from tests.console import test_in_a_browser
from tests.console.alerts import SOURCE, an_alert
from tests.console.browsing import noting
from tests.console.people import Clock, Person
from tests.console.test_in_a_browser import judge

tab = test_in_a_browser.tab
pytestmark = test_in_a_browser.pytestmark


@pytest.fixture
def clock() -> Iterator[Clock]:
    """The present: PostgreSQL judges a grant by its own clock."""
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        yield Clock(traveller)


def prove(tab: Page, jo: Person) -> None:
    tab.wait_for_url("**/console/verify/**")
    jo.clock.advance(seconds=30)
    device = TOTPDevice.objects.get(user=jo.staff)
    tab.fill("#code", otp.totp(device.seed(), at=jo.clock.now))
    tab.click("main button")


def test_open_a_grant_past_the_step_up_read_an_alert_and_revoke(
    tab: Page, person: Callable[..., Person], live_server: object
) -> None:
    here, jo = str(live_server), person().sign_in()
    cookie = jo.browser.cookies[settings.SESSION_COOKIE_NAME].value
    tab.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": here, "secure": True}]
    )
    tenant = Tenant.objects.create(id=uuid7(jo.clock.now), name="Acme", created_at=jo.clock.now)
    an_alert(tenant.id)
    problems: list[str] = []
    tab.on("console", noting(problems))

    jo.clock.advance(minutes=6)
    tab.goto(f"{here}/console/tenants/{tenant.id}/")
    tab.click("text=Open a grant on its data")
    prove(tab, jo)
    tab.wait_for_url("**/grant/")
    judge(tab, "grant-open")
    tab.fill("#field-ticket", "T-77")
    tab.check("text=alerts: what was found")
    tab.select_option("#field-minutes", "60")
    tab.fill("#reason", "a question of theirs")
    tab.click("main button")
    tab.wait_for_url("**/alerts/")
    judge(tab, "grant-alerts")
    tab.click("main tbody a")
    tab.wait_for_url("**/alerts/*/")
    assert SOURCE in (tab.text_content("main") or "")
    judge(tab, "grant-alert")
    tab.goto(f"{here}/console/grants/")
    judge(tab, "grants")
    tab.go_back()
    tab.click("text=Revoke the grant now")
    tab.wait_for_url("**/console/grants/")
    assert grants.live_grants(now=jo.clock.now) == []
    judge(tab, "grants-over")
    assert problems == []
