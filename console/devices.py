"""Second factors: what kinds there are, and how one is proved.

A kind is a model of django-otp's `Device`, whose `persistent_id` a session is bound to. One is
looked at only under its lock, after its tries were counted; a kind is added here and in `PROOFS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from audit.actors import ANONYMOUS
from audit.events import EventType, Outcome
from audit.record import record
from console import recovery, throttle
from console.models import RecoverySheet, Staff, TOTPDevice

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


def prove(staff: Staff, code: str, *, now: datetime) -> Factor | TryLater | None:
    """Return the device that a typed `code` proves, ``None`` for a wrong one, in a transaction."""
    kind = "recovery" if recovery.looks_like_code(code) else "totp"
    return PROOFS[kind](staff, code, now)


def prove_totp(staff: Staff, code: str, *, now: datetime) -> TOTPDevice | TryLater | None:
    """Return the authenticator that shows `code` now; see `prove`."""
    device = TOTPDevice.locked(user=staff, confirmed=True)
    if device is None:
        return None
    late = _count(staff, device, now=now)
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
    late = _count(staff, sheet, now=now)
    if late is not None:
        return late
    if not recovery.use(staff, sheet, code, now=now):
        return None
    throttle.forget_factor(*_tag(sheet), now=now)
    return sheet


def _tag(device: Factor) -> tuple[str, int]:
    return type(device).__name__, device.pk


def _count(staff: Staff, device: Factor, *, now: datetime) -> TryLater | None:
    """Count a try of a device; say until when it is too many, and sound the alarm once a span."""
    refusal = throttle.count_factor(*_tag(device), now=now)
    if refusal is None:
        return None
    if refusal.first:
        record(
            event=EventType.STAFF_FACTOR_LIMIT,
            actor=ANONYMOUS,
            now=now,
            resource=f"staff:{staff.id}",
            outcome=Outcome.DENIED,
            detail={"device": device.persistent_id},
        )
    return TryLater(until=refusal.until)


PROOFS: Mapping[str, Callable[[Staff, str, datetime], Factor | TryLater | None]] = {
    "totp": lambda staff, code, now: prove_totp(staff, code, now=now),
    "recovery": _prove_recovery,
}
