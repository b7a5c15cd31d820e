"""Second factors: what kinds there are, and how one is proved.

A kind is a model of django-otp's `Device`, whose `persistent_id` a session is bound to. One is
looked at only under its lock, after its tries were counted; a kind is added here, in `METHODS` and,
where its proof is typed, in `PROOFS`. Passkeys have a module of their own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from audit.actors import ANONYMOUS
from audit.events import EventType, Outcome
from audit.record import record
from console import recovery, throttle
from console.models import Passkey, RecoverySheet, Staff, TOTPDevice

Factor = TOTPDevice | RecoverySheet


@dataclass(frozen=True, slots=True, kw_only=True)
class TryLater:
    """Too many attempts: none is looked at before `until`."""

    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A second factor as its owner sees it."""

    title: str
    created_at: datetime
    note: str
    passkey: int | None = None


def prove(staff: Staff, code: str, *, now: datetime) -> Factor | TryLater | None:
    """Return the device that a typed `code` proves, ``None`` for a wrong one, in a transaction."""
    kind = "recovery" if recovery.looks_like_code(code) else "totp"
    return PROOFS[kind](staff, code, now)


def prove_totp(staff: Staff, code: str, *, now: datetime) -> TOTPDevice | TryLater | None:
    """Return the authenticator that shows `code` now; see `prove`."""
    device = TOTPDevice.locked(user=staff, confirmed=True)
    if device is None:
        return None
    late = count(staff, _tag(device), named=device.persistent_id, now=now)
    if late is not None:
        return late
    if not device.accept(code, now=now):
        return None
    throttle.forget_factor(*_tag(device), now=now)
    return device


def held(staff: Staff) -> list[Held]:
    """List the confirmed second factors of a person."""
    found = [
        Held(
            title="Authenticator app", created_at=device.created_at, note="a code every 30 seconds"
        )
        for device in TOTPDevice.objects.filter(user=staff, confirmed=True)
    ]
    for passkey in Passkey.objects.filter(user=staff, confirmed=True).order_by("-created_at"):
        used = passkey.last_used_at
        found.append(
            Held(
                title=passkey.name,
                created_at=passkey.created_at,
                note=f"a passkey, last used {used:%Y-%m-%d}" if used else "a passkey, not used yet",
                passkey=passkey.pk,
            )
        )
    for sheet in RecoverySheet.objects.filter(user=staff):
        left = sheet.codes.filter(used_at=None).count()
        found.append(
            Held(title="Recovery codes", created_at=sheet.created_at, note=f"{left} unused")
        )
    return found


def _prove_recovery(staff: Staff, code: str, now: datetime) -> RecoverySheet | TryLater | None:
    sheet = recovery.sheet_of(staff)
    if sheet is None:
        return None
    late = count(staff, _tag(sheet), named=sheet.persistent_id, now=now)
    if late is not None:
        return late
    if not recovery.use(staff, sheet, code, now=now):
        return None
    throttle.forget_factor(*_tag(sheet), now=now)
    return sheet


def has_any(staff: Staff) -> bool:
    """Say whether a person has a second factor of their own; recovery codes are no such."""
    return (
        TOTPDevice.objects.filter(user=staff, confirmed=True).exists()
        or Passkey.objects.filter(user=staff, confirmed=True).exists()
    )


def owes_passkey(device: object) -> bool:
    """Say whether a session that `device` proved may do nothing but get a passkey."""
    return settings.STAFF_MFA == "phishing_resistant" and not isinstance(device, Passkey)


def method_of(device: object) -> str:
    """Return how a device proves somebody, as the audit log names it."""
    return METHODS[type(device)]


def _tag(device: Factor) -> tuple[str, str]:
    return type(device).__name__, str(device.pk)


def count(staff: Staff, tag: tuple[str, str], *, named: str, now: datetime) -> TryLater | None:
    """Count a try of a device; say until when it is too many, and sound the alarm once a span.

    `tag` is what it is counted under, `named` what the log calls it. In the caller's transaction.
    """
    refusal = throttle.count_factor(*tag, now=now)
    if refusal is None:
        return None
    if refusal.first:
        record(
            event=EventType.STAFF_FACTOR_LIMIT,
            actor=ANONYMOUS,
            now=now,
            resource=f"staff:{staff.id}",
            outcome=Outcome.DENIED,
            detail={"device": named},
        )
    return TryLater(until=refusal.until)


METHODS: Mapping[type, str] = {TOTPDevice: "totp", RecoverySheet: "recovery", Passkey: "passkey"}
PROOFS: Mapping[str, Callable[[Staff, str, datetime], Factor | TryLater | None]] = {
    "totp": lambda staff, code, now: prove_totp(staff, code, now=now),
    "recovery": _prove_recovery,
}
