"""Passkeys in a real browser, whose authenticator is Chromium's virtual one.

Enrol by an invitation, add a passkey, sign out, sign in by it, step up by it, remove it. Each page
on the way is held against axe's rules in both themes; pictures are written where
``TAWNY_SCREENSHOTS`` names a folder, and nowhere else.
"""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, sync_playwright

from console.invites import invite
from console.models import Passkey, Role, SignIn
from tests.console.browsing import noting
from tests.console.people import SHELL, Clock, deeds
from tests.console.test_in_a_browser import CHROMIUM, PASSWORD, code, enrol, judge, sign_in

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"]),
    pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed here"),
]


@pytest.fixture
def here(live_server: Any, settings: Any) -> str:
    """Serve under a name, and let passkeys be used there."""
    served = f"http://localhost:{live_server.thread.port}"
    settings.OTP_WEBAUTHN_ALLOWED_ORIGINS = [served]
    return served


@pytest.fixture
def tab(monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    # Playwright runs a loop in this thread; the tests' own queries between its calls are no matter.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


class Device:
    """The browser's platform authenticator, which verifies its owner until told otherwise."""

    def __init__(self, session: CDPSession, number: str) -> None:
        self._session = session
        self._mine = {"authenticatorId": number}

    @property
    def credentials(self) -> list[dict[str, Any]]:
        known = self._session.send("WebAuthn.getCredentials", self._mine)
        return list(known["credentials"])

    def verify(self, *, owner: bool) -> None:
        self._session.send("WebAuthn.setUserVerified", {**self._mine, "isUserVerified": owner})


@pytest.fixture
def device(tab: Page) -> Device:
    session = tab.context.new_cdp_session(tab)
    session.send("WebAuthn.enable")
    made = session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    return Device(session, made["authenticatorId"])


def enrolled(tab: Page, clock: Clock, here: str) -> None:
    made = invite(username="ana", role=Role.OWNER, actor=SHELL, reason="a test", now=clock.now)
    enrol(tab, clock, here + "/console/invite/" + made.link.partition("/console/invite/")[2])
    sign_in(tab, clock, here)


def add(tab: Page, here: str) -> None:
    tab.goto(f"{here}/console/account/")
    tab.click("text=Add a passkey")
    judge(tab, "passkey-new")
    tab.fill("#name", "this laptop")
    tab.click("main button:has-text('Go on')")
    tab.wait_for_selector("#passkey-register-button")
    judge(tab, "passkey-make")
    tab.click("#passkey-register-button")
    tab.wait_for_url(f"{here}/console/account/")


def by_passkey(tab: Page, here: str) -> None:
    tab.click("text=Use a passkey")
    judge(tab, "passkey-password")
    tab.fill("#username", "ana")
    tab.fill("#password", PASSWORD)
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#passkey-verification-button")
    judge(tab, "passkey")
    tab.click("#passkey-verification-button")
    tab.wait_for_url(f"{here}/console/")


@pytest.mark.usefixtures("device")
def test_a_passkey_is_added_signs_in_steps_up_and_is_removed(
    tab: Page, clock: Clock, here: str
) -> None:
    problems: list[str] = []
    tab.on("console", noting(problems))
    tab.on("pageerror", lambda error: problems.append(str(error)))
    enrolled(tab, clock, here)
    add(tab, here)
    passkey = Passkey.objects.get()
    assert (passkey.name, passkey.discoverable) == ("this laptop", True)
    judge(tab, "account-passkey")

    tab.click("text=Sign out")
    tab.wait_for_url("**/console/login/?ended=out")
    by_passkey(tab, here)
    assert SignIn.objects.filter(device=passkey.persistent_id, ended_at=None).count() == 1

    clock.advance(minutes=6)
    tab.goto(f"{here}/console/account/")
    tab.click("main li a:has-text('Remove')")
    tab.wait_for_url("**/console/verify/**")
    tab.wait_for_selector("#passkey-verification-button")
    judge(tab, "verify-passkey")
    tab.click("#passkey-verification-button")
    tab.wait_for_url(f"**/console/account/passkeys/{passkey.pk}/remove/")
    assert deeds("staff.stepped_up")[-1].detail["method"] == "passkey"

    judge(tab, "passkey-remove")
    tab.fill("#reason", "a test")
    tab.click("main button:has-text('Remove the passkey')")
    tab.wait_for_url(f"{here}/console/login/**")  # the session was the passkey's
    assert not Passkey.objects.exists()
    assert problems == []  # nothing that the page's policy refused


def test_a_person_who_is_not_verified_by_the_device_is_not_signed_in(
    tab: Page, clock: Clock, here: str, device: Device
) -> None:
    enrolled(tab, clock, here)
    add(tab, here)
    tab.click("text=Sign out")
    tab.wait_for_url("**/console/login/?ended=out")
    assert len(device.credentials) == 1
    device.verify(owner=False)
    tab.click("text=Use a passkey")
    tab.fill("#username", "ana")
    tab.fill("#password", PASSWORD)
    tab.keyboard.press("Enter")
    tab.click("#passkey-verification-button")
    tab.wait_for_selector("#passkey-verification-status-message[data-status-enum]")
    tab.goto(f"{here}/console/tenants/")
    assert tab.url.startswith(f"{here}/console/login/")


def test_without_scripts_there_is_the_authenticators_code(
    tab: Page, clock: Clock, here: str
) -> None:
    enrolled(tab, clock, here)
    browser = tab.context.browser
    assert browser is not None
    plain = browser.new_context(java_script_enabled=False).new_page()
    plain.goto(f"{here}/console/login/?with=passkey")
    plain.fill("#username", "ana")
    plain.fill("#password", PASSWORD)
    plain.click("main button")
    assert "needs scripts" in (plain.text_content("noscript") or "")
    plain.click("text=Start again, with the authenticator")
    plain.fill("#username", "ana")
    plain.fill("#password", PASSWORD)
    plain.fill("#code", code(clock))
    plain.click("main button")
    plain.wait_for_url(f"{here}/console/")
