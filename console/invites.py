"""Invitations: a link that works once, by which a person sets a password and enrols.

The token is 256 random bits, of which a keyed hash is kept. Whoever has it is nobody yet: there is
no session behind the pages it opens, they show nothing but the invited name, and at their end the
person signs in afresh. Who has no authenticator a day later is disabled.
"""

import base64
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse

from audit.actors import Actor, system
from audit.events import EventType
from audit.record import record
from console import recovery
from console.actions import Enrolment, new_device, waiting_enrolment
from console.errors import NameTaken, UnfitName, UnfitPassword
from console.models import USERNAME_PATTERN, Invite, Passkey, Role, Staff, TOTPDevice
from crypto import envelope, mac
from crypto.ids import uuid7
from crypto.random import random_bytes
from tenants import keys

LIFE = timedelta(hours=24)
TOKEN_BYTES = 32
TOKEN_LIMIT = 64
"""Characters of a token that are looked at: one has 43."""
SYSTEM_KEY = "staff_invite"
UNUSABLE = "!"
"""A password that no hasher verifies: an invited person has none yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """An invited person, and the link, which is shown this once."""

    staff: Staff
    link: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Invited({self.staff.username})"


def invite(*, username: str, role: Role, actor: Actor, reason: str, now: datetime) -> Invited:
    """Invite somebody; who was invited before and never enrolled is invited anew.

    Raises `UnfitName`, or `NameTaken` for the name of somebody who ever enrolled.
    """
    if not re.fullmatch(USERNAME_PATTERN, username):
        raise UnfitName("a user name has 1 to 63 of a-z, 0-9, dot, dash and underscore")
    token = base64.urlsafe_b64encode(random_bytes(TOKEN_BYTES)).rstrip(b"=").decode()
    try:
        with transaction.atomic():
            staff = _invited(username, role, now=now)
            Invite.objects.update_or_create(
                staff=staff,
                defaults={"mac": _mac(token), "created_at": now, "expires_at": now + LIFE},
            )
            record(
                event=EventType.STAFF_INVITED,
                actor=actor,
                now=now,
                resource=f"staff:{staff.id}",
                reason=reason,
                detail={"username": username, "role": str(role)},
            )
    except IntegrityError:
        raise NameTaken(f"a staff account named {username} exists already") from None
    link = settings.PUBLIC_URL.rstrip("/") + reverse("console:invite", args=[token])
    return Invited(staff=staff, link=link, expires_at=now + LIFE)


def invited_by(token: str, *, now: datetime) -> Staff | None:
    """Return whom a token invites, while it does."""
    found = (
        Invite.objects.select_related("staff")
        .filter(mac=_mac(token), expires_at__gt=now, staff__is_active=True)
        .first()
    )
    return None if found is None else found.staff


def set_password(*, token: str, password: str, now: datetime) -> Enrolment | None:
    """Set an invited person's password and make the authenticator that waits for its first code.

    ``None`` where the token invites nobody; raises `UnfitPassword` with what is wrong with it.
    """
    with transaction.atomic():
        staff = _held(token, now=now)
        if staff is None:
            return None
        check_new_password(password, staff)
        staff.password = make_password(password)
        staff.save(update_fields=["password"])
        TOTPDevice.objects.filter(user=staff).delete()
        return new_device(staff, confirmed=False, now=now)


def waiting(*, token: str, now: datetime) -> Enrolment | None:
    """Return the authenticator of an invited person that waits for its first code."""
    staff = invited_by(token, now=now)
    device = TOTPDevice.objects.filter(user=staff, confirmed=False).first() if staff else None
    return None if device is None else waiting_enrolment(staff=device.user, device=device.pk)


def enrol(*, token: str, code: str, now: datetime) -> list[str] | None:
    """Confirm the authenticator by its first code, and use the token up; return recovery codes.

    ``None``, and nothing but a counted failure, where the code is wrong or the token means nothing.
    """
    with transaction.atomic():
        staff = _held(token, now=now)
        device = TOTPDevice.locked(user=staff, confirmed=False) if staff is not None else None
        if staff is None or device is None or not device.accept(code, now=now):
            return None
        if not Invite.objects.filter(staff=staff, mac=_mac(token)).delete()[0]:
            return None
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        staff.enrolled_at, staff.vouches_from = now, now + LIFE  # who invites is not two people
        staff.save(update_fields=["enrolled_at", "vouches_from"])
        actor = Actor(kind="staff", id=str(staff.id))
        record(
            event=EventType.STAFF_ENROLLED,
            actor=actor,
            now=now,
            resource=f"staff:{staff.id}",
            detail={"device": device.persistent_id},
        )
        return recovery.make_codes(staff=staff, actor=actor, now=now)


def disable_unenrolled(*, now: datetime) -> int:
    """Disable who has neither authenticator nor passkey after a day; return how many there were.

    They could not sign in before either: a sign-in asks for a device.
    """
    with transaction.atomic():
        without = list(
            Staff.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(is_active=True, created_at__lte=now - LIFE)
            .exclude(pk__in=TOTPDevice.objects.filter(confirmed=True).values("user_id"))
            .exclude(pk__in=Passkey.objects.filter(confirmed=True).values("user_id"))
            .exclude(pk__in=Invite.objects.filter(expires_at__gt=now).values("staff_id"))
        )
        for staff in without:
            staff.is_active = False
            staff.session_epoch += 1
            staff.save(update_fields=["is_active", "session_epoch"])
            record(
                event=EventType.STAFF_DISABLED,
                actor=system("tidy"),
                now=now,
                resource=f"staff:{staff.id}",
                reason="no authenticator after a day",
            )
        Invite.objects.filter(expires_at__lte=now).delete()
    return len(without)


def check_new_password(password: str, staff: Staff) -> None:
    """Hold a new password against the deployment's rules; raises `UnfitPassword`."""
    try:
        validate_password(password, user=staff)
    except ValidationError as refused:
        raise UnfitPassword(" ".join(refused.messages)) from None


def _invited(username: str, role: Role, *, now: datetime) -> Staff:
    staff = Staff.objects.select_for_update().filter(username=username, enrolled_at=None).first()
    if staff is None:
        staff = Staff(id=uuid7(now), username=username)
    staff.role, staff.is_active, staff.created_at = role, True, now
    staff.password = UNUSABLE
    staff.save()
    TOTPDevice.objects.filter(user=staff).delete()
    return staff


def _held(token: str, *, now: datetime) -> Staff | None:
    """Return whom a token invites, locked until the transaction ends."""
    found = (
        Invite.objects.select_for_update(of=("self",))
        .filter(mac=_mac(token), expires_at__gt=now, staff__is_active=True)
        .values_list("staff_id", flat=True)
        .first()
    )
    return None if found is None else _locked(found)


def _locked(staff: UUID) -> Staff | None:
    return Staff.objects.select_for_update().filter(pk=staff, is_active=True).first()


def _mac(token: str) -> bytes:
    sent = token[:TOKEN_LIMIT].encode(errors="replace")
    return mac.tag(keys.system_key(SYSTEM_KEY), envelope.context(sent))
