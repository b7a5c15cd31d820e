"""The console in a real browser: enrol, sign in, step up, make and revoke a key, sign out.

Each page on the way is held against axe's rules in both themes, the wide and the narrow. Pictures
are written where ``TAWNY_SCREENSHOTS`` names a folder, and nowhere else.
"""

import math
import os
import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # no types
from playwright.sync_api import Page, sync_playwright

from analytics.models import Alert
from audit.actors import Actor
from audit.events import EventType
from audit.record import tally
from console.actions import create_staff
from console.invites import invite
from console.models import Role, Staff, TOTPDevice
from crypto import otp
from crypto.ids import uuid7
from tenants.models import KeyIndex, Tenant, Work
from tenants.scope import tenant_scope
from tests.console.browsing import noting
from tests.console.people import SHELL, Clock

CHROMIUM = shutil.which("chromium") or ""
PASSWORD = "burrow-lantern-quiet-42"
SIZES = ((1440, 900), (390, 844))
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


PAGES = (
    "",
    "tenants/",
    "feeds/",
    "jobs/",
    "audit/",
    "keys/",
    "staff/",
    "system/",
    "account/",
    "search/?q=a",
)
"""Pages that are looked at."""


def judge(tab: Page, name: str) -> None:
    """Hold the page against axe's rules in both themes and at both widths."""
    for width, height in SIZES:
        tab.set_viewport_size({"width": width, "height": height})
        overflow = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, f"{name} at {width}: {overflow} px are to the right of the screen"
        for theme in ("light", "dark"):
            tab.emulate_media(color_scheme=theme)
            found = Axe().run(tab, options=RULES)
            assert found.violations_count == 0, f"{name}, {theme}: {found.generate_report()}"
            keep(tab, f"{name}-{width}-{theme}")
    tab.set_viewport_size({"width": SIZES[0][0], "height": SIZES[0][1]})


def keep(tab: Page, name: str) -> None:
    """Write a picture of what is seen, where pictures are wanted."""
    folder = os.environ.get("TAWNY_SCREENSHOTS")
    if folder:
        tab.screenshot(path=Path(folder) / f"{name}.png")


def watched(tab: Page) -> list[str]:
    """Collect what the console says: a refusal of the policy, an error of a script."""
    problems: list[str] = []
    tab.on("console", noting(problems))
    tab.on("pageerror", lambda error: problems.append(str(error)))
    return problems


NAMES = (
    "alpha.example", "bravo & sons.example", "charlie.example", "delta.example", "echo.example",
    "foxtrot.example", "golf.example", "hotel.example", "india.example",
)  # fmt: skip


def furnish(clock: Clock) -> Tenant:
    """Make tenants that send, one that is silent, one with work that gave up; return the first."""
    made = [
        Tenant.objects.create(id=uuid7(clock.now), name=name, created_at=clock.now)
        for name in NAMES
    ]
    for number, tenant in enumerate(made):
        minutes = (
            (140,) if number == 1 else (*range(60), *range(60, 1400, 20))[:: 1 + 6 * (number > 0)]
        )
        with tenant_scope(tenant.id):
            for ago in minutes:
                tally(
                    event=EventType.EVENTS_ACCEPTED,
                    actor=Actor(kind="key", id="a"),
                    tenant=tenant.id,
                    now=clock.now - timedelta(minutes=ago),
                    items=int((900 + 400 * math.sin(ago / 13 + number)) * (20 if ago >= 60 else 1)),
                )
    for number, severity in enumerate((1, 2, 2, 3, 4, 5, 2, 1)):
        with tenant_scope(made[number // 3].id):
            Alert.objects.create(
                id=uuid7(clock.now), detection="beacon_rare", severity=severity,
                day=clock.now.date(), shard=0, source_index=bytes(16), destination_index=bytes(16),
                content_digest=bytes(32), opened_at=clock.now, sealed=b"sealed",
            )  # fmt: skip
    Work.objects.create(
        id=uuid7(clock.now), tenant_id=made[-1].id, queue="ingest", state="dead", attempt=5,
        error="KeyUnavailable", due_at=clock.now, created_at=clock.now - timedelta(minutes=50),
    )  # fmt: skip
    return made[0]


def signed_in(tab: Page, clock: Clock, here: str) -> None:
    new = create_staff(username="ana", role=Role.OWNER, actor=SHELL, reason="a test", now=clock.now)
    tab.goto(f"{here}/console/login/")
    tab.fill("#username", "ana")
    tab.fill("#password", new.password)
    tab.fill("#code", code(clock))
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"{here}/console/")


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
    tenant = furnish(clock)
    made = invite(username="ana", role=Role.OWNER, actor=SHELL, reason="a test", now=clock.now)
    problems = watched(tab)

    enrol(tab, clock, here + "/console/invite/" + made.link.partition("/console/invite/")[2])
    sign_in(tab, clock, here)
    for name in PAGES:
        tab.goto(f"{here}/console/{name}")
        judge(tab, re.sub(r"\W+", "-", name).strip("-") or "overview")

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


def test_the_palette_is_opened_walked_and_left_by_keys_alone(
    tab: Page, clock: Clock, live_server: object
) -> None:
    here, problems = str(live_server), watched(tab)
    tenant = furnish(clock)
    signed_in(tab, clock, here)
    tab.focus("main a")
    before = tab.evaluate("document.activeElement.textContent")
    tab.keyboard.press("Control+k")
    assert tab.evaluate("document.activeElement.id") == "sought"
    tab.keyboard.type("brav")
    tab.wait_for_selector("#found a:has-text('bravo & sons.example')")
    judge(tab, "palette")
    tab.wait_for_selector("#said:text-is('1 Tenants')", state="attached")
    tab.keyboard.press("Escape")
    assert tab.evaluate("document.activeElement.textContent") == before
    assert not tab.is_visible("#palette")

    tab.keyboard.press("/")
    tab.keyboard.press("Control+a")
    tab.keyboard.type("e")
    tab.wait_for_selector("#found #hits[data-q='e']")
    assert tab.locator("#found a").count() > 2
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowDown")
    second = tab.locator("#found a").nth(1).text_content()
    assert tab.evaluate("document.activeElement.textContent") == second
    tab.keyboard.press("ArrowUp")
    tab.keyboard.press("ArrowUp")
    assert tab.evaluate("document.activeElement.id") == "sought"
    tab.keyboard.press("Control+a")
    tab.keyboard.type("alpha")
    tab.wait_for_selector("#found #hits[data-q='alpha']")
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"{here}/console/tenants/{tenant.id}/")
    judge(tab, "tenant")
    assert problems == []


def test_a_list_is_narrowed_without_a_reload_and_its_address_says_how(
    tab: Page, clock: Clock, live_server: object
) -> None:
    here, problems = str(live_server), watched(tab)
    furnish(clock)
    signed_in(tab, clock, here)
    tab.goto(f"{here}/console/tenants/")
    tab.evaluate("window.same = true")
    tab.fill("#q", "cha")
    tab.wait_for_url(f"{here}/console/tenants/?q=cha")
    tab.wait_for_selector("#said:text-is('1 tenants')", state="attached")
    assert tab.locator("#list tbody tr").count() == 1
    tab.fill("#q", "")
    tab.select_option("#heard", "silent")
    tab.wait_for_url(f"{here}/console/tenants/?heard=silent")
    tab.wait_for_selector("#list tbody th:has-text('bravo & sons.example')")
    assert tab.locator("#list tbody tr").count() == 1
    assert tab.evaluate("window.same") is True
    tab.reload()
    assert tab.locator("#list tbody tr").count() == 1
    assert tab.input_value("#heard") == "silent"

    tab.goto(f"{here}/console/audit/")
    tab.fill("#since", "2031-01-01")
    tab.wait_for_url(f"{here}/console/audit/?since=2031-01-01")
    tab.wait_for_selector("#list .empty:has-text('No entry fits')")
    assert problems == []


def test_an_open_overview_follows_and_stops_when_it_is_told_or_hidden(
    tab: Page, clock: Clock, live_server: object
) -> None:
    here, problems = str(live_server), watched(tab)
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tenant = furnish(clock)
    tab.clock.install()  # the page's own time is the test's to move
    signed_in(tab, clock, here)
    Work.objects.create(
        id=uuid7(clock.now), tenant_id=tenant.id, queue="ingest", state="dead", due_at=clock.now,
        created_at=clock.now,
    )  # fmt: skip
    live = f"{here}/console/live/"
    assert live not in asked
    with tab.expect_response(live):
        tab.clock.run_for(10_000)
    tab.wait_for_selector("text=2 units of work gave up")
    tab.click("summary >> nth=0")
    tab.evaluate("document.activeElement.blur()")
    with tab.expect_response(live):
        tab.clock.run_for(10_000)
    tab.wait_for_selector("#minutes-data[open]")  # what was opened stays open
    polls = asked.count(live)
    tab.click("text=Pause updates")
    tab.clock.run_for(30_000)
    assert asked.count(live) == polls
    tab.click("text=Go on updating")
    tab.evaluate("Object.defineProperty(document, 'hidden', {get: () => true})")
    tab.clock.run_for(30_000)
    assert asked.count(live) == polls
    assert problems == []


def test_every_page_works_without_script(
    clock: Clock, live_server: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    here = str(live_server)
    tenant = furnish(clock)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_page(java_script_enabled=False)
        signed_in(tab, clock, here)
        tab.fill("#seek", "alpha")
        tab.press("#seek", "Enter")
        tab.wait_for_url(f"{here}/console/search/?q=alpha")
        tab.click("main .hits a")
        tab.wait_for_url(f"{here}/console/tenants/{tenant.id}/")
        tab.goto(f"{here}/console/tenants/")
        tab.fill("#q", "cha")
        tab.click("main form.filter button")
        assert tab.locator("#list tbody tr").count() == 1
        assert not tab.is_visible("[data-pause]")
        browser.close()


@pytest.mark.parametrize(("theme", "scheme"), [("dark", "light"), ("light", "dark")])
def test_a_chosen_theme_is_there_with_the_first_paint(
    tab: Page, clock: Clock, live_server: object, theme: str, scheme: Literal["light", "dark"]
) -> None:
    signed_in(tab, clock, str(live_server))
    Staff.objects.update(theme=theme)
    tab.emulate_media(color_scheme=scheme)
    tab.route("**/*.js", lambda route: route.abort())  # no script has a part in it
    tab.goto(f"{live_server}/console/")
    ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"dark": "rgb(20, 17, 13)", "light": "rgb(247, 244, 238)"}[theme]
