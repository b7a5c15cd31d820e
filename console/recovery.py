"""Recovery codes: ten of 80 random bits, for whoever lost the authenticator.

::

    k7-abcd-efgh-ijkl-mnop
    selector, then sixteen characters of base 32

The selector finds the row; what is stored of the rest is a password hash (ASVS 6.5.2), so that the
table opens nothing. A code is used by one conditional UPDATE: of two that send it at once, one
changes a row. Its use is recorded, is shown to its owner, and forces a new authenticator.
"""

import base64
import re
from datetime import datetime

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from audit.actors import Actor
from audit.events import EventType
from audit.record import record
from console.models import RecoveryCode, RecoverySheet, Staff, device_id
from crypto.ids import uuid7
from crypto.random import random_bytes

CODES = 10
SECRET_BYTES = 10
"""80 bits: NIST SP 800-63B-4 asks for 64 and more."""
SELECTOR_BITS = 10
SHAPE = re.compile(r"[a-z2-7]{18}")


def looks_like_code(typed: str) -> bool:
    """Say whether `typed` has the shape of a recovery code, with or without its dashes."""
    return SHAPE.fullmatch(_plain(typed)) is not None


def sheet_of(staff: Staff) -> RecoverySheet | None:
    """Return a person's recovery codes, locked until the transaction ends, if there are any."""
    sheet: RecoverySheet | None = (
        RecoverySheet.objects.select_for_update().filter(user=staff).first()
    )
    return sheet


def make_codes(*, staff: Staff, actor: Actor, now: datetime) -> list[str]:
    """Make ten codes in the place of all earlier ones; their text is returned and kept nowhere."""
    drawn = dict(_draw() for _ in range(CODES))
    while len(drawn) < CODES:
        drawn.update([_draw()])
    hashed = {selector: make_password(secret) for selector, secret in drawn.items()}
    with transaction.atomic():
        Staff.objects.select_for_update().get(pk=staff.pk)  # of two at once, one waits
        RecoverySheet.objects.filter(user=staff).delete()
        sheet = RecoverySheet(
            id=device_id(), user_id=staff.pk, name="recovery codes", confirmed=True, created_at=now
        )
        sheet.save(force_insert=True)
        RecoveryCode.objects.bulk_create(
            RecoveryCode(id=uuid7(now), sheet=sheet, selector=selector, hash=kept)
            for selector, kept in hashed.items()
        )
        Staff.objects.filter(pk=staff.pk).update(recovered_at=None)
        record(
            event=EventType.STAFF_RECOVERY_MADE,
            actor=actor,
            now=now,
            resource=f"staff:{staff.id}",
            detail={"codes": CODES},
        )
    return [_written(selector, secret) for selector, secret in drawn.items()]


def use(staff: Staff, sheet: RecoverySheet, typed: str, *, now: datetime) -> bool:
    """Use a code up; say whether it was one, and unused. In the caller's transaction."""
    plain = _plain(typed)
    code = RecoveryCode.objects.filter(sheet=sheet, selector=plain[:2], used_at=None).first()
    if code is None or not check_password(plain[2:], code.hash):
        return False
    if not RecoveryCode.objects.filter(pk=code.pk, used_at=None).update(used_at=now):
        return False
    Staff.objects.filter(pk=staff.pk).update(must_replace_mfa=True, recovered_at=now)
    staff.must_replace_mfa, staff.recovered_at = True, now
    record(
        event=EventType.STAFF_RECOVERY_USED,
        actor=Actor(kind="staff", id=str(staff.id)),
        now=now,
        resource=f"staff:{staff.id}",
        detail={"left": sheet.codes.filter(used_at=None).count()},
    )
    return True


def _plain(typed: str) -> str:
    return typed.replace("-", "").lower()


def _draw() -> tuple[str, str]:
    secret = base64.b32encode(random_bytes(SECRET_BYTES)).decode("ascii").lower()
    number = int.from_bytes(random_bytes(2), "big") >> (16 - SELECTOR_BITS)
    selector = base64.b32encode((number << 6).to_bytes(2, "big")).decode("ascii").lower()[:2]
    return selector, secret


def _written(selector: str, secret: str) -> str:
    return "-".join([selector, *(secret[start : start + 4] for start in range(0, 16, 4))])
