"""Deeds on staff accounts. Each is one transaction with its audit row inside."""

import base64
import re
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from segno import make as make_qr

from audit.actors import Actor
from audit.events import EventType
from audit.record import record
from console import devices, sessions, throttle
from console.errors import NameTaken, NoSuchStaff, UnfitName
from console.models import USERNAME_PATTERN, Role, Staff, TOTPDevice, device_id
from crypto import otp
from crypto.ids import uuid7
from crypto.random import random_bytes
from tenants import approvals
from tenants.grants import revoke_grants_of

PASSWORD_BYTES = 15
"""120 bits, 24 characters: no dictionary and no list of leaked passwords has it."""
SHELL_DEVICE = "authenticator"
ALONE = "password after a recovery code"
"""What the tries of a password are counted under where no code is asked along with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStaff:
    """A staff account with its first password and seed, which are shown this once."""

    staff: Staff
    password: str
    totp_secret: str
    otpauth_uri: str

    def __repr__(self) -> str:
        return f"NewStaff({self.staff.username})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """An authenticator that waits for its first code, and what an app needs to make one."""

    device: TOTPDevice
    totp_secret: str
    otpauth_uri: str

    def __repr__(self) -> str:
        return f"Enrolment({self.device.persistent_id})"

    def drawn(self) -> dict[str, str]:
        """Return the QR code as a ``data:`` address, and the secret in groups of four."""
        code = make_qr(self.otpauth_uri, error="m")
        secret = self.totp_secret
        return {
            "qr": code.svg_data_uri(scale=5, border=3, light="white"),
            "secret": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        }


def create_staff(
    *,
    username: str,
    role: Role,
    actor: Actor,
    reason: str,
    now: datetime,
    must_replace_mfa: bool = False,
) -> NewStaff:
    """Make an account with a random password and a confirmed authenticator.

    Raises `UnfitName` for a name that `USERNAME_PATTERN` does not take, `NameTaken` for one in use.
    """
    if not re.fullmatch(USERNAME_PATTERN, username):
        raise UnfitName("a user name has 1 to 63 of a-z, 0-9, dot, dash and underscore")
    password = _new_password()
    staff = Staff(
        id=uuid7(now),
        username=username,
        role=role,
        created_at=now,
        must_replace_mfa=must_replace_mfa,
        password=make_password(password),
        enrolled_at=now,
    )
    try:
        with transaction.atomic():
            staff.save(force_insert=True)
            made = new_device(staff, confirmed=True, now=now)
            record(
                event=EventType.STAFF_CREATED,
                actor=actor,
                now=now,
                resource=f"staff:{staff.id}",
                reason=reason,
                detail={
                    "username": username,
                    "role": str(role),
                    "device": made.device.persistent_id,
                },
            )
    except IntegrityError:
        raise NameTaken(f"a staff account named {username} exists already") from None
    return NewStaff(
        staff=staff,
        password=password,
        totp_secret=made.totp_secret,
        otpauth_uri=made.otpauth_uri,
    )


def disable_staff(*, username: str, actor: Actor, reason: str, now: datetime) -> Staff:
    """End a person's access: no sign-in, and every session over with its next request.

    Raises `NoSuchStaff` where nobody active has that name.
    """
    with transaction.atomic():
        staff = Staff.objects.select_for_update().filter(username=username, is_active=True).first()
        if staff is None:
            raise NoSuchStaff(f"no active staff account is named {username}")
        staff.is_active = False
        staff.session_epoch += 1  # should the account be enabled again, its old sessions are not
        staff.save(update_fields=["is_active", "session_epoch"])
        sessions.end_rows(staff, now=now)
        revoke_grants_of(staff=staff.id, actor=actor, reason=reason or "disabled", now=now)
        asker = Actor(kind="staff", id=str(staff.id))
        approvals.cancel_asked_by(asker=asker, actor=actor, reason=reason, now=now)
        record(
            event=EventType.STAFF_DISABLED,
            actor=actor,
            now=now,
            resource=f"staff:{staff.id}",
            reason=reason,
        )
    return staff


def start_enrolment(
    *, staff: Staff, password: str, code: str, now: datetime, recovered: bool = False
) -> Enrolment | None:
    """Make an authenticator that takes effect with its first code; drop one that waited before.

    `password` and `code` prove the person anew (ASVS 7.5.1); ``None`` is returned where either is
    wrong. The code is used up first, so that a stolen session has one try of a password a period.
    Whoever `recovered` has used a recovery code or a passkey in place of it a moment ago.
    """
    with transaction.atomic():
        if not recovered and not isinstance(devices.prove_totp(staff, code, now=now), TOTPDevice):
            return None
        if recovered and throttle.count_factor(ALONE, staff.pk, now=now) is not None:
            return None
        if not staff.check_password(password):
            return None
        TOTPDevice.objects.filter(user=staff, confirmed=False).delete()
        return new_device(staff, confirmed=False, now=now)


def waiting_enrolment(*, staff: Staff, device: int) -> Enrolment | None:
    """Return the authenticator that waits for its first code, if it still does."""
    waiting = TOTPDevice.objects.filter(pk=device, user=staff, confirmed=False).first()
    return None if waiting is None else _enrolment(waiting, staff)


def finish_enrolment(
    *, staff: Staff, device: int, code: str, actor: Actor, now: datetime
) -> TOTPDevice | None:
    """Put the waiting authenticator in the place of the one in use, which is deleted.

    Returns ``None``, and changes nothing but its count of failures, when `code` is not right.
    Sessions that the old device proved end with it: django-otp binds each to its device.
    """
    with transaction.atomic():
        waiting = TOTPDevice.locked(pk=device, user=staff, confirmed=False)
        if waiting is None or not waiting.accept(code, now=now):
            return None
        TOTPDevice.objects.filter(user=staff, confirmed=True).delete()
        waiting.confirmed = True
        waiting.save(update_fields=["confirmed"])
        staff.must_replace_mfa = False
        staff.session_epoch += 1  # every other session is over, whatever device proved it
        staff.save(update_fields=["must_replace_mfa", "session_epoch"])
        record(
            event=EventType.STAFF_MFA_REPLACED,
            actor=actor,
            now=now,
            resource=f"staff:{staff.id}",
            detail={"device": waiting.persistent_id},
        )
    return waiting


def _new_password() -> str:
    text = base64.b32encode(random_bytes(PASSWORD_BYTES)).decode("ascii").lower()
    return "-".join(text[start : start + 6] for start in range(0, len(text), 6))


def new_device(staff: Staff, *, confirmed: bool, now: datetime) -> Enrolment:
    """Make an authenticator with a seed of its own, in the caller's transaction."""
    device = TOTPDevice(
        id=device_id(), user_id=staff.pk, name=SHELL_DEVICE, confirmed=confirmed, created_at=now
    )
    device.seal(random_bytes(otp.SEED_BYTES))
    device.save(force_insert=True)
    return _enrolment(device, staff)


def _enrolment(device: TOTPDevice, staff: Staff) -> Enrolment:
    seed = device.seed()
    return Enrolment(
        device=device,
        totp_secret=otp.base32(seed),
        otpauth_uri=otp.enrolment_uri(
            seed, issuer=settings.OTP_TOTP_ISSUER, account=staff.username
        ),
    )
