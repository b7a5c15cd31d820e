"""People of tenants: what is kept of one, sealed, and how one is found by an e-mail address."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from django.db import connection, transaction

from crypto import envelope, mac
from tenants import keys
from tenants.errors import BadBody
from tenants.mailboxes import MAILBOX_LIMIT, normalised
from tenants.models import Member

TABLE = "member"
SYSTEM_KEY = "member_mail"
MOST_TENANTS = 10
"""Tenants of one address that a reset is mailed for."""

Line = Annotated[str, msgspec.Meta(max_length=200)]


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says of themselves; unknown members are ignored."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    email: Annotated[str, msgspec.Meta(min_length=1, max_length=MAILBOX_LIMIT)]
    organization: Line | None = None
    phone: Line | None = None
    address: Annotated[list[Line], msgspec.Meta(max_length=10)] | Line | None = None

    def __repr__(self) -> str:
        return "Details()"


_decode = msgspec.json.Decoder(Details).decode
KIND = (
    "In details, name, organization and phone are texts of at most 200 characters; address is one,"
    " or a list of up to ten."
)


def details(given: Any) -> Details:
    """Return the details of a registration, its address normalised; raises `BadBody` (400)."""
    if not isinstance(given, dict):
        raise BadBody("details must be an object with name and email.")
    for wanted in ("name", "email"):
        if not isinstance(given.get(wanted), str) or not given[wanted].strip():
            raise BadBody(f"details.{wanted} is required and must be a text.")
    mailbox = normalised(given["email"])
    if mailbox is None:
        raise BadBody("details.email is not an e-mail address.")
    try:
        return msgspec.convert({**given, "email": mailbox}, Details)
    except msgspec.ValidationError:  # its text would quote what was sent
        raise BadBody(KIND) from None


def seal(tenant: UUID, member: UUID, details: Details, *, now: datetime) -> bytes:
    """Seal a member's details as a row of the tenant's configuration."""
    return keys.seal(
        tenant, keys.CONFIGURATION, msgspec.json.encode(details), TABLE, member, now=now
    )


def unseal(row: Member) -> Details:
    """Open a member's details."""
    return _decode(keys.unseal(row.tenant_id, keys.CONFIGURATION, bytes(row.sealed), TABLE, row.id))


def mail_index(tenant: UUID, mailbox: str) -> bytes:
    """Return the blind index under which a tenant finds its member by a normalised address."""
    return keys.blind_index(tenant, "member.mail", mailbox)


def mail_tag(mailbox: str) -> bytes:
    """Return the deployment's keyed hash of a normalised address, the same in every tenant."""
    return mac.tag(keys.system_key(SYSTEM_KEY), envelope.context(mailbox), length=16)


def tenants_of(tag: bytes) -> list[UUID]:
    """Return the tenants of whoever proved the address with this tag, the newest first.

    Row-level security shows a transaction that names a tag the rows that bear it and no other.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.mail_tag', %s, true)", [tag.hex()])
        cursor.execute(
            "SELECT tenant_id FROM member WHERE mail_tag = %s ORDER BY created_at DESC LIMIT %s",
            [tag, MOST_TENANTS],
        )
        found = [tenant for (tenant,) in cursor.fetchall()]
        cursor.execute("SELECT set_config('app.mail_tag', '', true)")
    return found
