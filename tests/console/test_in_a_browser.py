"""The console in a real browser: enrol, sign in, step up, make and revoke a key, sign out.

Each page on the way is held against axe's rules in both themes. Pictures are written where
``TAWNY_SCREENSHOTS`` names a folder, and nowhere else.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # no types
from playwright.sync_api import Page, sync_playwright

from console.invites import invite
from console.models import Role, TOTPDevice
from crypto import otp
from crypto.ids import uuid7
from tenants.models import KeyIndex, Tenant
from tests.console.people import SHELL, Clock

CHROMIUM = shutil.which("chromium") or ""
PASSWORD = "burrow-lantern-quiet-42"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"]),
    pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed here"),
]


@pytest.fixture
def tab(monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    # Playwright runs a loop in this thread; the tests' own queries between its calls are no matter.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def judge(tab: Page, name: str) -> None:
    """Hold the page against axe's rules in both themes."""
    for theme in ("light", "dark"):
        tab.emulate_media(color_scheme=theme)
        found = Axe().run(tab, options=RULES)
        assert found.violations_count == 0, f"{name}, {theme}: {found.generate_report()}"
        folder = os.environ.get("TAWNY_SCREENSHOTS")
        if folder:
            tab.screenshot(path=Path(folder) / f"{name}-{theme}.png", full_page=True)


def code(clock: Clock) -> str:
    clock.advance(seconds=30)
    device = TOTPDevice.objects.get(user__username="ana")
    return otp.totp(device.seed(), at=clock.now)


def enrol(tab: Page, clock: Clock, link: str) -> None:
    tab.goto(link)
    judge(tab, "invite")
    tab.fill("#password", PASSWORD)
    tab.fill("#again", PASSWORD)
    tab.click("main button")
    judge(tab, "enrol")
    tab.fill("#code", code(clock))
    tab.click("main button")
    judge(tab, "codes")
    tab.click("text=Kept: sign in")


def sign_in(tab: Page, clock: Clock, here: str) -> None:
    judge(tab, "login")
    tab.fill("#username", "ana")
    tab.fill("#password", PASSWORD)
    tab.fill("#code", code(clock))
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"{here}/console/")


def make_key(tab: Page, clock: Clock) -> str:
    """Make a key on the tenant's page that is shown, past the step-up; return its id."""
    tab.click("text=New API key")
    tab.wait_for_url("**/console/verify/**")
    judge(tab, "verify")
    tab.fill("#code", code(clock))
    tab.click("main button")
    tab.wait_for_url("**/keys/new/")
    judge(tab, "key-new")
    tab.fill("#field-label", "sensor")
    tab.check("text=ingest:write")
    tab.fill("#reason", "a test")
    tab.click("main button")
    shown = tab.text_content(".shown") or ""
    judge(tab, "key-shown")
    tab.click("text=Kept: go on")
    return shown.split("_")[1]


def revoke_key(tab: Page, key: str) -> None:
    judge(tab, "tenant")
    tab.click("text=Revoke")
    tab.fill("#reason", "a test")
    tab.fill("#phrase", key)
    judge(tab, "key-revoke")
    tab.click("main button")
    tab.wait_for_url("**/console/tenants/*/")


def test_enrol_sign_in_step_up_make_and_revoke_a_key_and_sign_out(
    tab: Page, clock: Clock, live_server: object
) -> None:
    here = str(live_server)
    tenant = Tenant.objects.create(id=uuid7(clock.now), name="Acme", created_at=clock.now)
    made = invite(username="ana", role=Role.OWNER, actor=SHELL, reason="a test", now=clock.now)
    problems: list[str] = []
    tab.on("console", lambda message: problems.append(message.text))

    enrol(tab, clock, here + "/console/invite/" + made.link.partition("/console/invite/")[2])
    sign_in(tab, clock, here)
    for name in ("", "tenants/", "feeds/", "jobs/", "audit/", "staff/", "system/", "account/"):
        tab.goto(f"{here}/console/{name}")
        judge(tab, name.strip("/") or "overview")

    clock.advance(minutes=6)
    tab.goto(f"{here}/console/tenants/{tenant.id}/")
    key = make_key(tab, clock)
    assert KeyIndex.objects.get().id == key
    revoke_key(tab, key)
    assert KeyIndex.objects.get().revoked_at is not None

    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the content"
    tab.click("text=Sign out")
    tab.wait_for_url("**/console/login/?ended=out")
    tab.goto(f"{here}/console/tenants/")
    assert tab.url.startswith(f"{here}/console/login/")
    assert problems == []  # nothing that the page's policy refused
