"""Passkeys: adding, using and removing them, each one transaction with its audit row inside."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from audit.actors import Actor
from audit.events import EventType
from audit.record import record
from console import ceremonies, devices, sessions, throttle
from console.ceremonies import Answer, Ceremony
from console.devices import TryLater
from console.errors import NoSuchPasskey, TooManyPasskeys
from console.models import Passkey, Staff

MOST = 10
"""Passkeys of one person: a phone, a laptop, two keys in a safe, and as many again."""
NAME_LIMIT = 64
KIND = "Passkey"
"""What tries are counted under, for all passkeys of a person: an answer names its own passkey."""


def of(staff: Staff) -> list[Passkey]:
    """List a person's passkeys, the newest first."""
    return list(Passkey.objects.filter(user=staff, confirmed=True).order_by("-created_at"))


def prove(
    staff: Staff | None, answer: Answer, *, request: HttpRequest, now: datetime
) -> Passkey | TryLater | None:
    """Return the passkey of `staff` that answered, ``None`` for a wrong answer, in a transaction.

    The same work is done for nobody: a stranger cannot tell a wrong password by how long it takes.
    """
    late = None
    if staff is not None:
        late = devices.count(staff, (KIND, str(staff.pk)), named="passkey", now=now)
    found: Passkey | None = None
    try:
        with transaction.atomic():
            found = Ceremony(request).authenticate_complete(
                user=None, state=answer.state, data=answer.sent
            )
            if late is not None:  # what it came to is neither told nor kept
                transaction.set_rollback(True)
    except ceremonies.UNFIT:
        found = None
    if late is not None:
        return late
    if staff is None or found is None or found.user_id != staff.pk:
        return None
    throttle.forget_factor(KIND, str(staff.pk), now=now)
    ceremonies.prune(now=now)
    return found


def add(
    staff: Staff, answer: Answer, *, name: str, request: HttpRequest, actor: Actor, now: datetime
) -> Passkey | None:
    """Add the passkey that was made; ``None`` where what was sent is none, or is there already.

    Raises `TooManyPasskeys`.
    """
    with transaction.atomic():
        owner = Staff.objects.select_for_update().get(pk=staff.pk)  # of two at once, one waits
        if Passkey.objects.filter(user=staff).count() >= MOST:
            raise TooManyPasskeys(f"a person has at most {MOST} passkeys")
        try:
            with transaction.atomic():
                made: Passkey = Ceremony(request, name=name).register_complete(
                    user=owner, state=answer.state, data=answer.sent
                )
        except (*ceremonies.UNFIT, IntegrityError):
            return None
        Staff.objects.filter(pk=staff.pk).update(passkeys_changed_at=now)
        ceremonies.prune(now=now)
        _record(EventType.STAFF_PASSKEY_ADDED, staff, made, actor=actor, now=now)
    return made


def remove(staff: Staff, passkey: int, *, actor: Actor, reason: str, now: datetime) -> None:
    """Remove a passkey: what it opened ends with it. Raises `NoSuchPasskey`."""
    with transaction.atomic():
        Staff.objects.select_for_update().get(pk=staff.pk)
        found = Passkey.objects.filter(pk=passkey, user=staff).first()
        if found is None:
            raise NoSuchPasskey("there is no such passkey")
        _record(EventType.STAFF_PASSKEY_REMOVED, staff, found, actor=actor, reason=reason, now=now)
        sessions.end_rows_of(staff, found, now=now)
        found.delete()
        Staff.objects.filter(pk=staff.pk).update(passkeys_changed_at=now)
        if not devices.has_any(staff):
            _end_everything(staff, now=now)


def note_seen(staff: Staff, *, actor: Actor, now: datetime) -> None:
    """Take the notice that passkeys changed off a person's pages; what there is not, is not."""
    with transaction.atomic():
        noticed = Staff.objects.filter(pk=staff.pk, passkeys_changed_at__isnull=False)
        if noticed.update(passkeys_changed_at=None):
            record(
                event=EventType.STAFF_NOTICE_SEEN,
                actor=actor,
                now=now,
                resource=f"staff:{staff.id}",
                detail={"notice": "passkeys"},
            )


def _end_everything(staff: Staff, *, now: datetime) -> None:
    row = Staff.objects.select_for_update().get(pk=staff.pk)
    row.session_epoch += 1
    row.save(update_fields=["session_epoch"])
    sessions.end_rows(staff, now=now)


def _record(
    event: EventType,
    staff: Staff,
    passkey: Passkey,
    *,
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> None:
    record(
        event=event,
        actor=actor,
        now=now,
        resource=f"staff:{staff.id}",
        reason=reason,
        detail={"device": passkey.persistent_id, "model": passkey.aaguid},
    )
