"""What a staff session carries, and when it is over.

A session holds seconds since 1970: when it began, when it was last used, when the second factor was
last proved. django-otp keeps in it which device proved it, and takes it away when the device goes.
It also names its row of `SignIn`, which must live and name the same person and device: whoever ends
the row ends the session with its next request, wherever its key is.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, login
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django_otp import login as bind_device  # type: ignore[import-untyped] # it ships no types

from console.browsers import browser_of
from console.models import Passkey, SignIn, Staff
from console.throttle import network_of
from crypto.ids import uuid7
from tenants.addresses import client_address

BEGUN = "staff_begun"
USED = "staff_used"
PROVED = "staff_proved"
ROW = "staff_sign_in"
FRESH = timedelta(minutes=5)
"""How long a proof of the second factor covers what needs a fresh one (ASVS 7.5.3)."""
KEPT = timedelta(days=30)
"""How long an ended session is kept for its owner's memory; the log has it for longer."""
BACKEND = "django.contrib.auth.backends.ModelBackend"
USED_EVERY = 60
"""Seconds between two writes of `USED`, so that most pages write no session; a session may end up
to a minute before its idle time, never after."""
CLOCK_STEP = 60
"""Seconds that a clock may be set back before sessions from its future are over."""


class Standing(StrEnum):
    """Whether a session still counts."""

    LIVE = "live"
    IDLE = "idle"
    OLD = "old"
    UNKNOWN = "unknown"


def address_of(request: HttpRequest) -> str:
    """Return where a request comes from, past the proxies that the deployment trusts."""
    return client_address(request.META, trusted=settings.TRUSTED_PROXIES)


def begin(request: HttpRequest, *, staff: Staff, device: Any, now: datetime) -> None:
    """Begin a session of somebody who has proved password and second factor, under a new key."""
    end_row(request, now=now)
    request.session.flush()  # nothing of an earlier session, its key least of all, goes on
    login(request, staff, backend=BACKEND)
    bind_device(request, device)
    row = SignIn.objects.create(
        id=uuid7(now),
        staff=staff,
        device=device.persistent_id,
        network=network_of(address_of(request)),
        browser=browser_of(request.headers.get("User-Agent", "")),
        begun_at=now,
        used_at=now,
    )
    seconds = int(now.timestamp())
    request.session.update({BEGUN: seconds, USED: seconds, PROVED: seconds, ROW: str(row.id)})
    request.session.set_expiry(settings.STAFF_ABSOLUTE_HOURS * 3600)
    request.session.save()


def rebind(request: HttpRequest, *, staff: Staff, device: Any, now: datetime) -> None:
    """Go on under a new key, by a device that was just proved, and end the other sessions.

    The caller changed what sessions are bound to: the password, the epoch, or the device.
    """
    request.session.cycle_key()
    request.session[HASH_SESSION_KEY] = staff.get_session_auth_hash()
    bind_device(request, device)
    request.session[PROVED] = int(now.timestamp())
    mine = request.session[ROW]
    SignIn.objects.filter(pk=mine).update(device=device.persistent_id, used_at=now)
    end_rows(staff, but=mine, now=now)


def prove_again(request: HttpRequest, *, device: Any, now: datetime) -> None:
    """Note that a device was just proved, under a new key (ASVS 7.2.4): it holds the session now.

    So that a session is never held by a device that was not used in it, nor by one that is gone.
    """
    request.session.cycle_key()
    bind_device(request, device)
    request.session[PROVED] = int(now.timestamp())
    row = SignIn.objects.filter(pk=request.session[ROW])
    row.update(device=device.persistent_id, used_at=now)


def fresh_passkey(request: HttpRequest, *, now: datetime) -> Passkey | None:
    """Return the passkey that proved the session within `FRESH`, if one did."""
    device = request.user.otp_device  # type: ignore[union-attr] # django-otp adds it
    return device if isinstance(device, Passkey) and is_fresh(request.session, now=now) else None


def is_fresh(session: Mapping[str, Any], *, now: datetime) -> bool:
    """Say whether the second factor was proved within `FRESH`."""
    proved = session.get(PROVED)
    if not isinstance(proved, int):
        return False
    return -CLOCK_STEP <= int(now.timestamp()) - proved < FRESH.total_seconds()


def alive(*, now: datetime) -> Q:
    """Return what fits the rows of sessions that may still go on."""
    return Q(
        ended_at=None,
        begun_at__gt=now - timedelta(hours=settings.STAFF_ABSOLUTE_HOURS),
        used_at__gt=now - timedelta(minutes=settings.STAFF_IDLE_MINUTES),
    )


def live(staff: Staff, *, now: datetime) -> QuerySet[SignIn]:
    """Return the rows of a person's sessions that may still go on, the newest first."""
    return SignIn.objects.filter(alive(now=now), staff=staff).order_by("-begun_at")


def end_rows(staff: Staff, *, now: datetime, but: str | None = None) -> int:
    """End a person's sessions but one, and forget those that ended long ago."""
    SignIn.objects.filter(staff=staff, begun_at__lt=now - KEPT).delete()
    rows = SignIn.objects.filter(staff=staff, ended_at=None)
    return (rows if but is None else rows.exclude(pk=but)).update(ended_at=now)


def end_rows_of(staff: Staff, device: Any, *, now: datetime) -> int:
    """End the sessions of a person that a device holds."""
    held = SignIn.objects.filter(staff=staff, device=device.persistent_id, ended_at=None)
    return held.update(ended_at=now)


def end_row(request: HttpRequest, *, now: datetime) -> None:
    """End the row of the session that a request belongs to, if it has one."""
    row = _row(request.session)
    if row is not None:
        SignIn.objects.filter(pk=row, ended_at=None).update(ended_at=now)


def standing(request: HttpRequest, staff: Staff, *, now: datetime) -> Standing:
    """Say whether the session of a verified person may go on at `now`."""
    session = request.session
    begun, used, row = session.get(BEGUN), session.get(USED), _row(session)
    if not isinstance(begun, int) or not isinstance(used, int) or row is None:
        return Standing.UNKNOWN
    seconds = int(now.timestamp())
    if min(seconds - begun, seconds - used) < -CLOCK_STEP:
        return Standing.UNKNOWN
    if seconds - begun >= settings.STAFF_ABSOLUTE_HOURS * 3600:
        return Standing.OLD
    if seconds - used >= settings.STAFF_IDLE_MINUTES * 60:
        return Standing.IDLE
    device = staff.otp_device.persistent_id  # type: ignore[attr-defined] # django-otp adds it
    alive = SignIn.objects.filter(pk=row, staff=staff, device=device, ended_at=None).exists()
    return Standing.LIVE if alive else Standing.UNKNOWN


def _row(session: Mapping[str, Any]) -> UUID | None:
    try:
        return UUID(session.get(ROW, ""))
    except (ValueError, TypeError, AttributeError):
        return None


def touch(request: HttpRequest, *, now: datetime) -> None:
    """Note that a session is in use."""
    seconds = int(now.timestamp())
    if seconds - request.session[USED] >= USED_EVERY:
        request.session[USED] = seconds
        SignIn.objects.filter(pk=request.session[ROW]).update(used_at=now)
