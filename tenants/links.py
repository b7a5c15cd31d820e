"""Links in mails: a token that works once, of which only a MAC is kept.

A token is 256 random bits. The row it leads to names nobody: whom it is for is sealed under the
deployment's key, because who opens a link has no tenant whose scope could be opened before. It is
the proof itself: no session, cookie or key stands behind the page that it opens.
"""

import base64
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec
from django.db import connection

from crypto import envelope, mac
from crypto.random import random_bytes
from tenants import keys
from tenants.models import Link

TOKEN_BYTES = 32
TOKEN_LIMIT = 64
"""Characters of a token that are looked at: one has 43."""
SYSTEM_KEY = "mail_link"
# One statement: of two that press at once, the second finds nothing.
_USE = "DELETE FROM mail_link WHERE mac = %s AND expires_at > %s RETURNING sealed"


class Purpose(StrEnum):
    """What a link does; a token of one purpose is nothing for another."""

    VERIFY = "verify"
    RESET = "reset"


LIVES = {Purpose.VERIFY: timedelta(days=7), Purpose.RESET: timedelta(hours=1)}
"""A verification waits for its reader over a week's absence; a reset is asked for and awaited."""


class Role(StrEnum):
    """What the person becomes by verifying."""

    FIRST = "first"
    """Owner of a provisional tenant that has none, else member."""
    OWNER = "owner"
    MEMBER = "member"


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a link is for."""

    tenant: UUID
    member: UUID
    role: Role = Role.MEMBER


_decode = msgspec.json.Decoder(Opened).decode


def make(purpose: Purpose, opens: Opened, *, now: datetime) -> str:
    """Make a link and return its token, which is stored nowhere."""
    token = base64.urlsafe_b64encode(random_bytes(TOKEN_BYTES)).rstrip(b"=").decode()
    tag = _mac(purpose, token)
    Link.objects.create(
        mac=tag,
        sealed=keys.system_seal(SYSTEM_KEY, msgspec.json.encode(opens), tag),
        expires_at=now + LIVES[purpose],
    )
    return token


def look(purpose: Purpose, token: str, *, now: datetime) -> bool:
    """Say whether a token would open; looking does not use it up."""
    return Link.objects.filter(mac=_mac(purpose, token), expires_at__gt=now).exists()


def use(purpose: Purpose, token: str, *, now: datetime) -> Opened | None:
    """Use a token up, in the caller's transaction; None for one that is unknown, used or old."""
    tag = _mac(purpose, token)
    with connection.cursor() as cursor:
        cursor.execute(_USE, [tag, now])
        row = cursor.fetchone()
    if row is None:
        return None
    return _decode(keys.system_unseal(SYSTEM_KEY, bytes(row[0]), tag))


def prune(*, now: datetime) -> None:
    """Drop links whose time is over."""
    Link.objects.filter(expires_at__lte=now).delete()


def _mac(purpose: Purpose, token: str) -> bytes:
    sent = token[:TOKEN_LIMIT].encode(errors="replace")
    return mac.tag(keys.system_key(SYSTEM_KEY), envelope.context(str(purpose), sent))
