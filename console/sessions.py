"""What a staff session carries, and when it is over.

A session holds seconds since 1970: when it began, when it was last used, when the second factor was
last proved. django-otp keeps in it which device proved it, and takes it away when the device goes.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest
from django_otp import login as bind_device  # type: ignore[import-untyped] # it ships no types

from console.models import Staff, TOTPDevice

BEGUN = "staff_begun"
USED = "staff_used"
PROVED = "staff_proved"
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


def begin(request: HttpRequest, *, staff: Staff, device: TOTPDevice, now: datetime) -> None:
    """Begin a session of somebody who has proved password and second factor, under a new key."""
    request.session.flush()  # nothing of an earlier session, its key least of all, goes on
    login(request, staff, backend=BACKEND)
    bind_device(request, device)
    seconds = int(now.timestamp())
    request.session.update({BEGUN: seconds, USED: seconds, PROVED: seconds})
    request.session.set_expiry(settings.STAFF_ABSOLUTE_HOURS * 3600)
    request.session.save()


def rebind(request: HttpRequest, *, device: TOTPDevice, now: datetime) -> None:
    """Go on under a new key with another device, which was just proved."""
    request.session.cycle_key()
    bind_device(request, device)
    request.session[PROVED] = int(now.timestamp())


def standing(session: Mapping[str, Any], *, now: datetime) -> Standing:
    """Say whether a session's times allow it to go on at `now`."""
    begun, used = session.get(BEGUN), session.get(USED)
    if not isinstance(begun, int) or not isinstance(used, int):
        return Standing.UNKNOWN
    seconds = int(now.timestamp())
    if min(seconds - begun, seconds - used) < -CLOCK_STEP:
        return Standing.UNKNOWN
    if seconds - begun >= settings.STAFF_ABSOLUTE_HOURS * 3600:
        return Standing.OLD
    if seconds - used >= settings.STAFF_IDLE_MINUTES * 60:
        return Standing.IDLE
    return Standing.LIVE


def touch(request: HttpRequest, *, now: datetime) -> None:
    """Note that a session is in use."""
    seconds = int(now.timestamp())
    if seconds - request.session[USED] >= USED_EVERY:
        request.session[USED] = seconds
