"""A person proves who they are at the machine's shell: name, password and a code, as at sign-in.

The shell itself is nobody's second person; an owner who proves themselves in it is.
"""

from datetime import datetime

from django.db import transaction

from audit.actors import ANONYMOUS
from audit.events import EventType, Outcome
from audit.record import record
from console import devices, throttle
from console.devices import TryLater
from console.models import Staff, TOTPDevice
from console.signin import compact

NETWORK = "shell"
"""What tries are counted under: a name's tries here lock nobody out of the console."""


def prove(*, username: str, password: str, code: str, now: datetime) -> Staff | TryLater | None:
    """Return whom name, password and authenticator code prove; a failure is recorded."""
    refusal = throttle.count_attempt(username=username, network=NETWORK, now=now)
    if refusal is not None:
        return TryLater(until=refusal.until)
    staff = Staff.objects.filter(username=username, is_active=True).first()
    with transaction.atomic():
        device = None
        if staff is not None and staff.check_password(password):
            device = devices.prove_totp(staff, compact(code), now=now)
        if isinstance(device, TryLater):
            return device
        if staff is None or not isinstance(device, TOTPDevice):
            record(
                event=EventType.STAFF_LOGIN_FAILED,
                actor=ANONYMOUS,
                now=now,
                resource="" if staff is None else f"staff:{staff.id}",
                outcome=Outcome.DENIED,
                detail={"network": NETWORK},
            )
            return None
        throttle.forget_attempts(username=username, network=NETWORK, now=now)
        record(
            event=EventType.STAFF_STEPPED_UP,
            actor=ANONYMOUS,
            now=now,
            resource=f"staff:{staff.id}",
            detail={"network": NETWORK, "device": device.persistent_id},
        )
    return staff
