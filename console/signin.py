"""Signing in: name, password and code in one form, one answer for everything that is wrong.

A passkey comes after name and password, whatever these were worth; it too has the one answer.

The work is the same whether the name exists: the password is hashed either way. Nothing is granted
by a password alone; the code is looked at only after it, so that a stranger cannot make a person's
authenticator wait.
"""

import re
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.http import HttpRequest

from audit.actors import ANONYMOUS, Actor
from audit.events import EventType, Outcome
from audit.record import record
from console import ceremonies, devices, passkeys, sessions, throttle
from console.ceremonies import Purpose
from console.devices import Factor, TryLater
from console.models import USERNAME_PATTERN, Passkey, Role, Staff
from console.second import tell_sealed
from crypto import mac

NAME_LIMIT = 63
CODE_LIMIT = 32
PASSWORD_LIMIT = 200
"""Characters that are hashed at most: a longer field is cut off before any work."""
HALF = "staff_half_signed_in"
HALF_WAY = timedelta(minutes=5)
"""How long a passkey is waited for after the password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What somebody typed, and from which network."""

    username: str
    password: str
    code: str
    network: str

    def __repr__(self) -> str:
        return f"Attempt(network={self.network})"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Half:
    """A sign-in between password and passkey, as its session keeps it until `until` (seconds).

    `staff` is whose password was right, with the `hash` of what would end their sessions; else "".
    """

    username: str
    network: str
    until: int
    staff: str
    hash: str


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
    """Sign a person in, or return why not: `TryLater`, or ``None`` for anything that was wrong.

    A device that was tried too often is one of these: only a right password comes so far, and the
    answer must not say so. The alarm of it is in the log.
    """
    late = _count(tried, now=now)
    if late is not None:
        return late
    known = _find(tried.username)
    staff = known if _is_password(known, tried.password) else None
    with transaction.atomic():
        device = devices.prove(staff, tried.code, now=now) if staff is not None else None
        if staff is None or device is None or isinstance(device, TryLater):
            _record_failure(tried, known, now=now, why="password" if staff is None else "code")
            return None
        _open(request, staff, device, username=tried.username, network=tried.network, now=now)
    request.session.clear_expired()
    return staff


def take_password(request: HttpRequest, tried: Attempt, *, now: datetime) -> TryLater | None:
    """Take name and password before a passkey; whether they were right, the session alone knows.

    What comes after looks the same either way, so that a stranger learns nothing by the first half.
    """
    late = _count(tried, now=now)
    if late is not None:
        return late
    known = _find(tried.username)
    staff = known if _is_password(known, tried.password) else None
    if staff is None:
        _record_failure(tried, known, now=now, why="password")
    sessions.end_row(request, now=now)
    request.session.flush()
    half = _Half(
        username=tried.username,
        network=tried.network,
        until=int((now + HALF_WAY).timestamp()),
        staff="" if staff is None else str(staff.pk),
        hash="" if staff is None else staff.get_session_auth_hash(),
    )
    request.session[HALF] = asdict(half)
    request.session.set_expiry(int(HALF_WAY.total_seconds()))
    return None


def is_half_way(request: HttpRequest, *, now: datetime) -> bool:
    """Say whether this session has sent name and password, and may go on with a passkey."""
    half = _half(request)
    return half is not None and int(now.timestamp()) < half.until


def sign_in_by_passkey(request: HttpRequest, *, now: datetime) -> Staff | None:
    """Finish a sign-in by what a passkey answered; as `sign_in` otherwise.

    Whatever comes of it, another try begins with the password.
    """
    answer = ceremonies.answer(request, purpose=Purpose.SIGN_IN, now=now)
    half = _half(request) if is_half_way(request, now=now) else None
    request.session.pop(HALF, None)
    if answer is None or half is None:
        return None
    staff = _whose_password(half)
    with transaction.atomic():
        device = passkeys.prove(staff, answer, request=request, now=now)
        if staff is None or device is None or isinstance(device, TryLater):
            if staff is not None:  # the wrong password of nobody is in the log already
                _record_failure(half, staff, now=now, why="passkey")
            return None
        _open(request, staff, device, username=half.username, network=half.network, now=now)
    request.session.clear_expired()
    return staff


def _whose_password(half: _Half) -> Staff | None:
    """Return who proved the password, unless that, the role or the epoch is another by now."""
    staff = Staff.objects.filter(pk=half.staff, is_active=True).first() if half.staff else None
    if staff is None:
        return None
    same = mac.equal(half.hash.encode(), staff.get_session_auth_hash().encode())
    return staff if same else None


def _count(tried: Attempt, *, now: datetime) -> TryLater | None:
    refusal = throttle.count_attempt(username=tried.username, network=tried.network, now=now)
    if refusal is None:
        return None
    if refusal.first:  # one row a span: the log is not a stranger's to fill
        _record_failure(tried, None, now=now, why="too_many")
    return TryLater(until=refusal.until)


def _open(
    request: HttpRequest,
    staff: Staff,
    device: Factor | Passkey,
    *,
    username: str,
    network: str,
    now: datetime,
) -> None:
    record(
        event=EventType.STAFF_LOGIN,
        actor=Actor(kind="staff", id=str(staff.id)),
        now=now,
        resource=f"staff:{staff.id}",
        detail={
            "device": device.persistent_id,
            "method": devices.method_of(device),
            "network": network,
        },
    )
    throttle.forget_attempts(username=username, network=network, now=now)
    if staff.role == Role.SEALED:
        tell_sealed(staff, now=now)
    sessions.begin(request, staff=staff, device=device, now=now)


def _half(request: HttpRequest) -> "_Half | None":
    kept = request.session.get(HALF)
    return None if kept is None else _Half(**kept)


def _find(username: str) -> Staff | None:
    if not re.fullmatch(USERNAME_PATTERN, username):  # a NUL would not even reach the database
        username = ""
    return Staff.objects.filter(username=username, is_active=True).first()


def _is_password(staff: Staff | None, password: str) -> bool:
    if staff is None or len(password) > PASSWORD_LIMIT:
        make_password(password[:PASSWORD_LIMIT])  # the same work for a name that nobody has
        return False
    return staff.check_password(password)


def _record_failure(
    tried: "Attempt | _Half", known: Staff | None, *, now: datetime, why: str
) -> None:
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
