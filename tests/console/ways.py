"""The ways to come to the console without being signed in: none of them may get in."""

import zlib

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.test import Client

from console import passkeys, sessions
from console.hashed_sessions import SessionStore
from console.models import Passkey, Role, SignIn, Staff
from tenants.actions import create_tenant
from tests.console.authenticator import Authenticator
from tests.console.people import SHELL, Person


def browser_with(**entries: object) -> Client:
    """Return a browser whose session somebody wrote into the database by hand."""
    store = SessionStore()
    store.update(entries)
    store.save()
    browser = Client()
    browser.cookies[settings.SESSION_COOKIE_NAME] = str(store.session_key)
    return browser


def signed_in_entries(staff: Staff) -> dict[str, object]:
    return {
        SESSION_KEY: str(staff.pk),
        BACKEND_SESSION_KEY: sessions.BACKEND,
        HASH_SESSION_KEY: staff.get_session_auth_hash(),
    }


def anonymous(_jo: Person, _other: Person) -> Client:
    return Client()


def password_only(jo: Person, _other: Person) -> Client:
    return browser_with(**signed_in_entries(jo.staff))


def password_and_times(jo: Person, _other: Person) -> Client:
    now = int(jo.clock.now.timestamp())
    times = {sessions.BEGUN: now, sessions.USED: now, sessions.PROVED: now}
    return browser_with(**signed_in_entries(jo.staff), **times)


def device_of_another(jo: Person, other: Person) -> Client:
    browser = password_and_times(jo, other)
    session = browser.session
    session["otp_device_id"] = other.device.persistent_id
    session.save()
    return browser


def device_without_times(jo: Person, _other: Person) -> Client:
    return browser_with(**signed_in_entries(jo.staff), otp_device_id=jo.device.persistent_id)


def idle(jo: Person, _other: Person) -> Client:
    jo.sign_in().clock.advance(minutes=15)
    return jo.browser


def too_old(jo: Person, _other: Person) -> Client:
    jo.sign_in()
    session = jo.browser.session
    session[sessions.BEGUN] -= 12 * 3600
    session.save()
    return jo.browser


def ended_elsewhere(jo: Person, _other: Person) -> Client:
    jo.sign_in()
    SignIn.objects.update(ended_at=jo.clock.now)
    return jo.browser


def with_the_row_of_another(jo: Person, other: Person) -> Client:
    jo.sign_in()
    row = SignIn.objects.filter(staff=jo.staff).update(staff=other.staff)
    assert row == 1
    return jo.browser


def disabled(jo: Person, _other: Person) -> Client:
    jo.sign_in()
    Staff.objects.filter(pk=jo.staff.pk).update(is_active=False)
    return jo.browser


def with_another_role(jo: Person, _other: Person) -> Client:
    jo.sign_in()
    Staff.objects.filter(pk=jo.staff.pk).update(role=Role.OPERATOR)
    return jo.browser


def device_taken_away(jo: Person, _other: Person) -> Client:
    jo.sign_in()
    jo.device.delete()
    return jo.browser


def passkey_taken_away(jo: Person, _other: Person) -> Client:
    jo.sign_in()
    held = Authenticator.at("localhost").enrolled(jo)
    jo.by_passkey(held.authenticator)
    assert jo.browser.get("/console/account/").status_code == 200
    deed = jo.clock.now
    passkeys.remove(jo.staff, held.passkey.pk, actor=SHELL, reason="a test", now=deed)
    return jo.browser


def passkey_of_another(jo: Person, other: Person) -> Client:
    jo.sign_in()
    held = Authenticator.at("localhost").enrolled(jo)
    jo.by_passkey(held.authenticator)
    Passkey.objects.filter(pk=held.passkey.pk).update(user=other.staff)
    return jo.browser


def half_signed_in(jo: Person, _other: Person) -> Client:
    address = f"2001:db8:{zlib.crc32(jo.new.staff.username.encode()) % 0xFFFF:x}::1"
    assert jo.submit(**{"with": "passkey"}, address=address).status_code == 200
    return jo.browser


def api_key(jo: Person, _other: Person) -> Client:
    made = create_tenant(
        name=f"of {jo.new.staff.username}", actor=SHELL, reason="a test", now=jo.clock.now
    )
    return Client(headers={"authorization": f"Bearer {made.api_key}"})


WAYS = [
    anonymous,
    password_only,
    password_and_times,
    device_of_another,
    device_without_times,
    idle,
    too_old,
    ended_elsewhere,
    with_the_row_of_another,
    disabled,
    with_another_role,
    device_taken_away,
    passkey_taken_away,
    passkey_of_another,
    half_signed_in,
    api_key,
]
