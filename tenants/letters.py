"""Mails on their way: asked for in a transaction, written and sent after it.

Whoever asks for a mail leaves a sealed row and goes on; whom it concerns, whether the address is
known, and the mail server's answer are a worker's matter. So a request takes the same steps for an
address that is known and for one that is not (docs/adr/0010). A row is claimed for some minutes
before it is worked on, outside any transaction, so that a slow mail server holds nothing back; a
worker that dies leaves it to the next.
"""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from smtplib import SMTPException
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from celery import current_app
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.db.models import F
from django.urls import reverse
from kombu.exceptions import OperationalError

from crypto.errors import CryptoError
from crypto.ids import uuid7
from tenants import keys, links, mails, members
from tenants.errors import KeyDestroyed, KeyUnavailable
from tenants.links import Opened, Purpose, Role
from tenants.mails import Mail
from tenants.models import Letter, Member, MemberRole, Tenant
from tenants.scope import tenant_scope

log = logging.getLogger(__name__)

SYSTEM_KEY = "letter"
TASK = "tenants.deliver"
QUEUE = "deliver"
AT_ONCE = 100
"""Letters claimed at once: with a mail server that answers, seconds."""
MAX_ATTEMPTS = 10
"""Attempts before a letter is given up: with the pauses doubling from a minute, half a day."""
FIRST_PAUSE = 60.0  # seconds
UNDELIVERED = (SMTPException, OSError, KeyDestroyed, CryptoError)
"""What a later attempt may survive, or not; a key that is only away is no attempt at all."""

_CLAIM = """
UPDATE letter SET attempt = attempt + 1, due_at = %s + make_interval(secs => %s * power(2, attempt))
 WHERE id IN (SELECT id FROM letter WHERE due_at <= %s
               ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING id, sealed, attempt
"""


class Verification(msgspec.Struct, frozen=True, kw_only=True, tag="verify"):
    """Ask a member whether the address is theirs."""

    tenant: UUID
    member: UUID
    role: Role


class Reset(msgspec.Struct, frozen=True, kw_only=True, tag="reset"):
    """Offer a new key to whoever owns a tenant under this address, known or not."""

    mailbox: str


Order = Verification | Reset
_decode = msgspec.json.Decoder(Order).decode


def post(order: Order, *, now: datetime) -> None:
    """Leave a letter in the caller's transaction; a worker hears of it on commit."""
    name = uuid7(now)
    Letter.objects.create(
        id=name,
        sealed=keys.system_seal(SYSTEM_KEY, msgspec.json.encode(order), name),
        due_at=now,
        created_at=now,
    )
    transaction.on_commit(_hint)


def deliver(*, now: datetime) -> int:
    """Write and send what waits; return how many letters were done with.

    Raises `KeyUnavailable`, and claims none, where the letters themselves cannot be opened now.
    """
    keys.system_key(SYSTEM_KEY)
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [now, FIRST_PAUSE, now, AT_ONCE])
        claimed = cursor.fetchall()
    done = 0
    for name, sealed, attempt in claimed:
        try:
            order = _decode(keys.system_unseal(SYSTEM_KEY, bytes(sealed), name))
            for mail in _written(order, now=now):
                _send(mail)
        except UNDELIVERED as error:
            log.warning("a mail was not sent, attempt %s: %s", attempt, type(error).__name__)
            if attempt < MAX_ATTEMPTS:
                continue
        except KeyUnavailable:
            log.warning("a mail waits for a key")
            pause = now + timedelta(seconds=FIRST_PAUSE)
            Letter.objects.filter(id=name).update(attempt=F("attempt") - 1, due_at=pause)
            continue
        Letter.objects.filter(id=name).delete()
        done += 1
    return done


def _hint() -> None:
    try:
        current_app.send_task(TASK, queue=QUEUE, retry=False)
    except OperationalError:
        log.warning("the broker cannot be reached; the mail goes out at the next turn")


def _written(order: Order, *, now: datetime) -> Iterator[Mail]:
    """Write an order's mails, each with a link of its own."""
    if isinstance(order, Verification):
        yield from _verification(order, now=now)
        return
    for tenant in members.tenants_of(members.mail_tag(order.mailbox)):
        yield from _reset(tenant, order.mailbox, now=now)


def _verification(order: Verification, *, now: datetime) -> Iterator[Mail]:
    with tenant_scope(order.tenant):
        member = Member.objects.filter(id=order.member, verified_at=None).first()
    if member is None:
        return
    opens = Opened(tenant=order.tenant, member=order.member, role=order.role)
    token = links.make(Purpose.VERIFY, opens, now=now)
    yield mails.verification(
        to=members.unseal(member).email,
        url=_url("tenants-verify", token),
        days=links.LIVES[Purpose.VERIFY].days,
    )


def _reset(tenant: UUID, mailbox: str, *, now: datetime) -> Iterator[Mail]:
    row = Tenant.objects.filter(id=tenant).first()
    if row is None or not row.is_active:
        return
    with tenant_scope(tenant):
        member = Member.objects.filter(
            mail_index=members.mail_index(tenant, mailbox), role=MemberRole.OWNER
        ).first()
    if member is None or member.verified_at is None:
        return
    token = links.make(Purpose.RESET, Opened(tenant=tenant, member=member.id), now=now)
    yield mails.reset(
        to=mailbox,
        workspace=row.name,
        url=_url("tenants-reset-page", token),
        minutes=int(links.LIVES[Purpose.RESET].total_seconds()) // 60,
    )


def _url(route: str, token: str) -> str:
    """Return a link; the token stands in the query, because log lines hold paths."""
    return f"{settings.PUBLIC_URL}{reverse(route)}?{urlencode({'token': token})}"


def _send(mail: Mail) -> None:
    EmailMessage(subject=mail.subject, body=mail.body, to=[mail.to]).send()
