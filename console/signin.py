"""Signing in: name, password and code in one form, one answer for everything that is wrong.

The work is the same whether the name exists: the password is hashed either way. Nothing is granted
by a password alone; the code is looked at only after it, so that a stranger cannot make a person's
authenticator wait.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.http import HttpRequest

from audit.actors import ANONYMOUS, Actor
from audit.events import EventType, Outcome
from audit.record import record
from console import devices, sessions, throttle
from console.devices import TryLater
from console.models import USERNAME_PATTERN, Role, Staff
from console.second import tell_sealed

NAME_LIMIT = 63
CODE_LIMIT = 32
PASSWORD_LIMIT = 200
"""Characters that are hashed at most: a longer field is cut off before any work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What somebody typed, and from which network."""

    username: str
    password: str
    code: str
    network: str

    def __repr__(self) -> str:
        return f"Attempt(network={self.network})"


def compact(code: str) -> str:
    """Return a code as it counts: blanks that an app shows between its digits are typed along."""
    return "".join(code.split())[:CODE_LIMIT]


def attempt(*, username: str, password: str, code: str, address: str) -> Attempt:
    """Make an attempt of a form's fields, none longer than it can be right."""
    return Attempt(
        username=username.strip().lower()[: NAME_LIMIT + 1],
        password=password[: PASSWORD_LIMIT + 1],
        code=compact(code),
        network=throttle.network_of(address),
    )


def sign_in(request: HttpRequest, tried: Attempt, *, now: datetime) -> Staff | TryLater | None:
    """Sign a person in, or return why not: `TryLater`, or ``None`` for anything that was wrong."""
    refusal = throttle.count_attempt(username=tried.username, network=tried.network, now=now)
    if refusal is not None:
        if refusal.first:  # one row a span: the log is not a stranger's to fill
            _record_failure(tried, None, now=now, why="too_many")
        return TryLater(until=refusal.until)
    known = _find(tried.username)
    staff = known if _is_password(known, tried.password) else None
    with transaction.atomic():
        device = devices.prove(staff, tried.code, now=now) if staff is not None else None
        if isinstance(device, TryLater):
            return device
        if staff is None or device is None:
            _record_failure(tried, known, now=now, why="password" if staff is None else "code")
            return None
        record(
            event=EventType.STAFF_LOGIN,
            actor=Actor(kind="staff", id=str(staff.id)),
            now=now,
            resource=f"staff:{staff.id}",
            detail={"device": device.persistent_id, "network": tried.network},
        )
        throttle.forget_attempts(username=tried.username, network=tried.network, now=now)
        if staff.role == Role.SEALED:
            tell_sealed(staff, now=now)
        sessions.begin(request, staff=staff, device=device, now=now)
    request.session.clear_expired()
    return staff


def _find(username: str) -> Staff | None:
    if not re.fullmatch(USERNAME_PATTERN, username):  # a NUL would not even reach the database
        username = ""
    return Staff.objects.filter(username=username, is_active=True).first()


def _is_password(staff: Staff | None, password: str) -> bool:
    if staff is None or len(password) > PASSWORD_LIMIT:
        make_password(password[:PASSWORD_LIMIT])  # the same work for a name that nobody has
        return False
    return staff.check_password(password)


def _record_failure(tried: Attempt, known: Staff | None, *, now: datetime, why: str) -> None:
    """Record a failure: whom it was about if we know them, else a keyed hash of the name."""
    detail: dict[str, str | int] = {"network": tried.network, "why": why}
    if known is None:
        detail["name_tag"] = throttle.name_tag(tried.username).hex()
    record(
        event=EventType.STAFF_LOGIN_FAILED,
        actor=ANONYMOUS,
        now=now,
        resource="" if known is None else f"staff:{known.id}",
        outcome=Outcome.DENIED,
        detail=detail,
    )
