"""Whatever order deeds come in, an open session was proved by a second factor of its own (MFA-6).

A person with two browsers, an owner who acts on them, and a model of who is let in: which device
proved each session. After every step each browser's next page is held against the model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.test import Client
from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from audit.actors import Actor
from console import colleagues, passkeys, recovery, second, sessions
from console.actions import create_staff
from console.hashed_sessions import SessionStore
from console.models import LoginWindow, Passkey, RecoverySheet, Role, Staff, TOTPDevice
from crypto import otp
from crypto.ids import uuid7
from tenants import approvals
from tenants.models import KeyIndex, Tenant
from tests.console.authenticator import Authenticator
from tests.console.people import SHELL, Clock, Person, enrolled
from tests.console.sizes import size

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
BROWSERS = st.sampled_from([0, 1])
STEPS_OF_EACH = 40
MACHINES = size("machines", 10)


@dataclass(slots=True)
class Seen:
    """What the runs came to, all together."""

    number: int = 0
    steps: int = 0
    looks: int = 0
    let_in: int = 0
    resets: int = 0


class Deeds(RuleBasedStateMachine):
    """One person's account, and everything that is done to it."""

    keys = Bundle("keys")

    def __init__(self, clock: Clock, seen: Seen) -> None:
        super().__init__()
        self.clock, self.seen = clock, seen
        seen.number += 1
        self.name = f"jo{seen.number}"
        self.browsers = [Client(), Client()]
        self.proved: list[str | None] = [None, None]
        self.must_replace = False
        self.codes: list[str] = []
        self.passkeys: dict[int, Authenticator] = {}

    @initialize()
    def someone(self) -> None:
        new = create_staff(
            username=self.name, role=Role.OPERATOR, actor=SHELL, reason="a test", now=self.clock.now
        )
        self.jo = Person(new, self.clock)
        self.password = new.password
        self.owners = [self.owner(number) for number in range(2)]
        self.tenant = Tenant.objects.create(
            id=uuid7(self.clock.now), name=self.name, created_at=self.clock.now
        )

    # -- helpers

    def owner(self, number: int) -> Actor:
        made = create_staff(
            username=f"{self.name}-owner-{number}", role=Role.OWNER, actor=SHELL, reason="a test",
            now=self.clock.now,
        )  # fmt: skip
        return Actor(kind="staff", id=str(made.staff.id))

    def step(self, *, seconds: float = 31) -> None:
        """Let a code's period pass, and forget counts: how often is another test's matter."""
        self.clock.advance(seconds=seconds)
        LoginWindow.objects.all().delete()
        TOTPDevice.objects.update(throttling_failure_count=0)

    def use(self, browser: int) -> Person:
        self.jo.browser = self.browsers[browser]
        return self.jo

    def totp(self) -> str:
        """Return what the authenticator shows, nonsense where there is none."""
        device = TOTPDevice.objects.filter(user=self.jo.staff, confirmed=True).first()
        return otp.totp(device.seed(), at=self.clock.now) if device else "000000"

    def held(self, kind: type[TOTPDevice | RecoverySheet]) -> str | None:
        device = kind.objects.filter(user=self.jo.staff).order_by("-confirmed").first()
        return device.persistent_id if device else None

    def submit(self, browser: int, **changed: str) -> int:
        form = {"password": self.password, "code": self.totp(), **changed}
        return int(self.use(browser).submit(**form).status_code)

    def end(self, *, but: int | None = None) -> None:
        for browser in (0, 1):
            if browser != but:
                self.proved[browser] = None

    def is_fresh(self, browser: int) -> bool:
        return sessions.is_fresh(self.browsers[browser].session, now=self.clock.now)

    # -- ways in

    @rule(browser=BROWSERS)
    def sign_in_by_code(self, browser: int) -> None:
        self.step()
        has = TOTPDevice.objects.filter(user=self.jo.staff, confirmed=True).exists()
        assert (self.submit(browser) == 302) == has
        if has:
            self.proved[browser] = self.held(TOTPDevice)

    @rule(browser=BROWSERS, key=keys)
    def sign_in_by_passkey(self, browser: int, key: int) -> None:
        self.step()
        assert self.submit(browser, **{"with": "passkey"}) == 200
        self.proved[browser] = None  # the half of a sign-in ends what was there
        answer = self.passkeys[key].answers(self.use(browser), "/console/login/passkey/")
        row = Passkey.objects.filter(pk=key).first()
        assert (answer.status_code == 200) == (row is not None)
        if row is not None:
            self.proved[browser] = row.persistent_id

    @rule(browser=BROWSERS)
    def sign_in_by_a_recovery_code(self, browser: int) -> None:
        self.step()
        code = self.codes.pop() if self.codes else "aa-aaaa-aaaa-aaaa-aaaa"
        opened = self.submit(browser, code=code) == 302
        assert opened == (code != "aa-aaaa-aaaa-aaaa-aaaa" and bool(self.password))
        if opened:
            self.proved[browser] = self.held(RecoverySheet)
            self.must_replace = True

    @rule(browser=BROWSERS, code=st.sampled_from(["", "000000", "aa-aaaa-aaaa-aaaa-aaaa"]))
    def stop_at_the_password(self, browser: int, code: str) -> None:
        self.step()
        assert self.submit(browser, code=code) == 403

    @rule(browser=BROWSERS)
    def stop_half_way(self, browser: int) -> None:
        self.step()
        assert self.submit(browser, **{"with": "passkey"}) == 200
        self.proved[browser] = None

    @rule(browser=BROWSERS, named=st.booleans())
    def write_a_session_by_hand(self, browser: int, named: bool) -> None:  # noqa: FBT001 -- drawn
        staff, now = self.jo.staff, int(self.clock.now.timestamp())
        store = SessionStore()
        store.update(
            {
                SESSION_KEY: str(staff.pk),
                BACKEND_SESSION_KEY: sessions.BACKEND,
                HASH_SESSION_KEY: staff.get_session_auth_hash(),
                sessions.BEGUN: now,
                sessions.USED: now,
                sessions.PROVED: now,
            }
        )
        if named:
            store["otp_device_id"] = self.held(TOTPDevice) or "console.totpdevice/1"
        store.save()
        self.browsers[browser] = Client()
        self.browsers[browser].cookies[django_settings.SESSION_COOKIE_NAME] = str(store.session_key)
        self.proved[browser] = None

    # -- deeds of a session

    @rule(browser=BROWSERS)
    def step_up_by_code(self, browser: int) -> None:
        self.step()
        answer = self.use(browser).browser.post("/console/verify/", {"code": self.totp()})
        if answer.status_code == 302 and not answer["Location"].startswith("/console/login"):
            assert self.proved[browser] is not None
            self.proved[browser] = self.held(TOTPDevice)

    @rule(browser=BROWSERS, key=keys)
    def step_up_by_passkey(self, browser: int, key: int) -> None:
        self.step()
        answer = self.use(browser).step_up_by(self.passkeys[key])
        if answer.status_code == 200:
            assert self.proved[browser] is not None
            self.proved[browser] = Passkey.objects.get(pk=key).persistent_id

    @rule(target=keys, browser=BROWSERS)
    def add_a_passkey(self, browser: int) -> int:
        self.step()
        mine = Authenticator.at("localhost")
        may = self.proved[browser] is not None and not self.must_replace
        may = may and self.is_fresh(browser)
        full = Passkey.objects.filter(user=self.jo.staff).count() >= passkeys.MOST
        answer = mine.adds(self.use(browser))
        assert (answer.status_code == 200 and "id" in _json(answer)) == (may and not full)
        key = int(_json(answer).get("id", 0)) if may and not full else 0
        self.passkeys[key] = mine
        return key

    @rule(browser=BROWSERS, key=keys)
    def remove_a_passkey(self, browser: int, key: int) -> None:
        self.step()
        row = Passkey.objects.filter(pk=key).first()
        path = f"/console/account/passkeys/{key}/remove/"
        self.use(browser).browser.post(path, {"reason": "a test"})
        if row is None or Passkey.objects.filter(pk=key).exists():
            return
        assert self.proved[browser] is not None
        self.proved = [None if each == row.persistent_id else each for each in self.proved]
        if not TOTPDevice.objects.filter(user=self.jo.staff, confirmed=True).exists() and (
            not Passkey.objects.filter(user=self.jo.staff).exists()
        ):
            self.end()

    @rule(browser=BROWSERS)
    def change_the_password(self, browser: int) -> None:
        self.step()
        new = f"lantern-{self.seen.steps}-quiet-burrow"
        form = {"password": self.password, "code": self.totp(), "new": new, "again": new}
        before = self.jo.staff.password
        self.use(browser).browser.post("/console/account/password/", form)
        if self.jo.staff.password == before:
            return
        assert self.proved[browser] is not None
        self.password = new
        self.end(but=browser)
        if not str(self.proved[browser]).startswith("console.passkey"):
            self.proved[browser] = self.held(TOTPDevice)
        else:
            self.proved[browser] = self.browsers[browser].session["otp_device_id"]
            assert self.proved[browser] in {self.held(TOTPDevice), self.proved[browser]}

    @rule(browser=BROWSERS)
    def replace_the_authenticator(self, browser: int) -> None:
        self.step()
        before = self.held(TOTPDevice)
        proof = {"step": "prove", "password": self.password, "code": self.totp()}
        page = self.use(browser).browser
        page.post("/console/authenticator/", proof)
        waiting = TOTPDevice.objects.filter(user=self.jo.staff, confirmed=False).first()
        if waiting is None:
            return
        code = otp.totp(waiting.seed(), at=self.clock.now)
        page.post("/console/authenticator/", {"step": "confirm", "code": code})
        if self.held(TOTPDevice) == before or waiting.persistent_id != self.held(TOTPDevice):
            return
        if not TOTPDevice.objects.get(pk=waiting.pk).confirmed:
            return
        assert self.proved[browser] is not None
        self.end(but=browser)
        self.proved[browser] = waiting.persistent_id
        self.must_replace = False

    @rule(browser=BROWSERS)
    def make_an_api_key(self, browser: int) -> None:
        self.step()
        before = KeyIndex.objects.count()
        form = {"label": "", "scopes": ["ingest:write"], "networks": "", "reason": "a test"}
        may = self.proved[browser] is not None and not self.must_replace
        may = may and self.is_fresh(browser)
        may = may and self.jo.staff.role in {Role.OWNER, Role.OPERATOR}
        path = f"/console/tenants/{self.tenant.id}/keys/new/"
        self.use(browser).browser.post(path, form)
        assert KeyIndex.objects.count() - before == int(may)

    @rule(browser=BROWSERS)
    def sign_out(self, browser: int) -> None:
        self.use(browser).browser.post("/console/logout/")
        self.proved[browser] = None

    # -- deeds of others, and time

    @rule(role=st.sampled_from([Role.OPERATOR, Role.ANALYST]))
    def get_another_role(self, role: Role) -> None:
        if self.jo.staff.role != role:
            self.end()
        colleagues.change_role(
            person=self.jo.staff.id, role=role, actor=SHELL, reason="a test", now=self.clock.now
        )

    @rule()
    def be_given_recovery_codes(self) -> None:
        staff = self.jo.staff
        gone = self.held(RecoverySheet)
        actor = Actor(kind="staff", id=str(staff.id))
        self.codes = recovery.make_codes(staff=staff, actor=actor, now=self.clock.now)
        self.proved = [None if gone and each == gone else each for each in self.proved]

    @rule(again=st.booleans())
    def be_reset(self, again: bool) -> None:  # noqa: FBT001 -- drawn
        """Have two owners reset the factors, and enrol anew or be without any for a while."""
        staff, now = self.jo.staff, self.clock.now
        why: dict[str, Any] = {"reason": "a test", "now": now}
        if staff.enrolled_at is not None:
            asked = second.ask_mfa_reset(person=staff.id, actor=self.owners[0], **why)
            done = approvals.approve(pending=asked.id, actor=self.owners[1], **why)
            assert done.state == "done"
            for kind in (Passkey, RecoverySheet, TOTPDevice):
                assert not kind.objects.filter(user=staff).exists()
            self.password, self.codes, self.must_replace = "", [], False
            self.seen.resets += 1
            self.end()
        if again:
            made = second.new_link(person=staff.id, actor=self.owners[0], **why)
            self.password = enrolled(made, self.clock).password
            RecoverySheet.objects.filter(user=staff).delete()  # of which the model has no code

    @rule(minutes=st.sampled_from([1, 6, 16]))
    def wait(self, minutes: int) -> None:
        self.step(seconds=60 * minutes)
        if minutes >= django_settings.STAFF_IDLE_MINUTES:
            self.end()

    # -- what must hold

    @invariant()
    def a_session_is_open_exactly_where_its_own_second_factor_was_proved(self) -> None:
        self.seen.steps += 1
        for browser, proved in zip(self.browsers, self.proved, strict=True):
            path = "/console/authenticator/" if self.must_replace else "/console/account/"
            answer = browser.get(path)
            self.seen.looks += 1
            assert (answer.status_code == 200) == (proved is not None)
            if answer.status_code == 200:
                self.seen.let_in += 1
                assert browser.session["otp_device_id"] == proved
                assert Staff.objects.get(username=self.name).is_active
            if self.must_replace:
                assert browser.get("/console/tenants/").status_code == 302


def _json(answer: Any) -> dict[str, Any]:
    kind = answer.headers.get("Content-Type", "")
    return dict(answer.json()) if "json" in kind else {}


def test_no_order_of_deeds_opens_the_console_without_a_second_factor(
    clock: Clock, record_property: Callable[[str, object], None]
) -> None:
    seen = Seen()
    run_state_machine_as_test(
        lambda: Deeds(clock, seen),  # type: ignore[arg-type] # a factory does as well
        settings=settings(max_examples=MACHINES, stateful_step_count=STEPS_OF_EACH, deadline=None),
    )
    record_property(
        "MFA-6",
        f"{seen.steps} steps in {seen.number} runs, {seen.looks} looks, {seen.let_in} let in,"
        f" {seen.resets} resets",
    )
    assert seen.steps >= MACHINES * 10
    assert 0 < seen.let_in < seen.looks
    assert seen.resets > 0
