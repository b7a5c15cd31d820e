"""People, browsers and time for the console's tests."""

from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import time_machine
from django.test import Client

from audit.actors import Actor
from audit.models import Staged
from audit.scope import all_tenants_audit
from console import invites
from console.actions import NewStaff
from console.models import Role, Staff, TOTPDevice
from crypto import otp

START = datetime(2026, 3, 2, 9, 0, 5, tzinfo=UTC)
SHELL = Actor(kind="shell", id="tests")
HOME = "192.0.2.10"
PASSWORD = "burrow-lantern-quiet-42"


class Clock:
    """Time that stands still until a test moves it."""

    def __init__(self, traveller: time_machine.Traveller) -> None:
        self._traveller = traveller

    @property
    def now(self) -> datetime:
        return datetime.now(tz=UTC)

    def advance(self, **by: float) -> None:
        self._traveller.shift(timedelta(**by))


class Answering(Protocol):
    """What signs a challenge: `tests.console.authenticator.Authenticator`."""

    def answers(self, person: "Person", where: str, *, following: str = "") -> Any: ...


class Person:
    """Somebody with an account, an authenticator and a browser."""

    def __init__(self, new: NewStaff, clock: Clock) -> None:
        self.new = new
        self.clock = clock
        self.browser = Client()

    @property
    def staff(self) -> Staff:
        return Staff.objects.get(pk=self.new.staff.pk)

    @property
    def device(self) -> TOTPDevice:
        return TOTPDevice.objects.get(user=self.new.staff, confirmed=True)

    def code(self, *, seconds: int = 0) -> str:
        """Return what the authenticator shows, `seconds` from now."""
        return otp.totp(self.device.seed(), at=self.clock.now + timedelta(seconds=seconds))

    def submit(self, *, address: str = HOME, **changed: str) -> Any:
        """Send the sign-in form, right but for what is changed."""
        form = {
            "username": self.new.staff.username,
            "password": self.new.password,
            **({} if "code" in changed else {"code": self.code()}),
            **changed,
        }
        return self.browser.post("/console/login/", form, REMOTE_ADDR=address)

    def sign_in(self) -> "Person":
        response = self.submit()
        assert response.status_code == 302, response.content
        return self

    def by_passkey(self, authenticator: "Answering", *, following: str = "") -> Any:
        """Sign in with name, password and passkey, in the browser as it is."""
        page = self.submit(**{"with": "passkey"}, code="")
        assert page.status_code == 200, page.content
        return authenticator.answers(self, "/console/login/passkey/", following=following)

    def step_up_by(self, authenticator: "Answering", *, following: str = "") -> Any:
        """Prove a passkey anew."""
        return authenticator.answers(self, "/console/verify/passkey/", following=following)


class Invited(Person):
    """Somebody whom another invited, and who enrolled behind the link."""

    def __init__(self, username: str, role: Role, *, by: Person, clock: Clock) -> None:
        actor = Actor(kind="staff", id=str(by.staff.id))
        made = invites.invite(
            username=username, role=role, actor=actor, reason="a test", now=clock.now
        )
        super().__init__(enrolled(made, clock), clock)


def enrolled(made: invites.Invited, clock: Clock) -> NewStaff:
    """Enrol behind a link, with a password of one's own."""
    token = made.link.rstrip("/").rpartition("/")[2]
    waiting = invites.set_password(token=token, password=PASSWORD, now=clock.now)
    assert waiting is not None
    code = otp.totp(waiting.device.seed(), at=clock.now)
    assert invites.enrol(token=token, code=code, now=clock.now)
    return NewStaff(
        staff=made.staff, password=PASSWORD, totp_secret=waiting.totp_secret,
        otpauth_uri=waiting.otpauth_uri,
    )  # fmt: skip


def deeds(event: str) -> list[Staged]:
    """Return what the audit log was told of an event, oldest first."""
    with all_tenants_audit("reader", using="default"):
        return list(Staged.objects.filter(event=event).order_by("xid", "id"))


def is_signed_in(browser: Client) -> bool:
    return browser.get("/console/account/").status_code == 200
