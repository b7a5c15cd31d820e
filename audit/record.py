"""How a deed gets into the audit log: one INSERT inside the deed's own transaction.

If the row cannot be written the deed does not happen, and a deed that is rolled back leaves no row.
What a refused request leaves must therefore be written outside the transaction that is rolled back.
Never pass telemetry: no address, name or value that a tenant sent.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import connections

from audit.actors import Actor
from audit.errors import Unrecordable
from audit.events import EventType, Outcome
from audit.leaves import INTEGER_LIMIT, SCHEMA
from audit.witness import noted
from crypto.ids import uuid7

RESOURCE_LIMIT = 256
REASON_LIMIT = 1024
REQUEST_ID_LIMIT = 128
DETAIL_VALUE_LIMIT = 1024
DETAIL_LIMIT = 8192
"""Characters of a field, and of all details together as ASCII JSON. An entry stays below 32 KiB
whatever it is written in, so that a page of a thousand entries fits in memory."""

NO_TENANT = UUID(int=0)
"""Stands for "no tenant" in ``audit_tally``, whose primary key cannot hold a null."""

_KEY = re.compile(r"[a-z][a-z0-9_]{0,47}")
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")

_INSERT = """
INSERT INTO audit_stage (id, tenant, event, actor_kind, actor_id, resource, outcome, reason,
                         request_id, detail, occurred_at, schema)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s)
"""
_TALLY = """
INSERT INTO audit_tally AS minute_row (tenant, actor_kind, actor_id, event, minute, calls, items)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (tenant, actor_kind, actor_id, event, minute) DO UPDATE
SET calls = minute_row.calls + excluded.calls, items = minute_row.items + excluded.items
"""


def storable(text: str) -> str:
    """Return `text` without what PostgreSQL cannot hold: NUL and lone surrogates become U+FFFD.

    A hostile user name may hold them, and its refusal must be recorded all the same. Every other
    control character is kept; JSON escapes it.
    """
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def excerpt(text: str, *, limit: int = DETAIL_VALUE_LIMIT) -> str:
    """Return what a stranger wrote, cut to `limit` characters with a mark where it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _field(name: str, value: str, limit: int) -> str:
    if len(value) > limit:
        raise Unrecordable(f"{name} has {len(value)} characters; the limit is {limit}")
    return storable(value)


def _detail_value(key: str, value: object) -> str | int:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Unrecordable(f"detail {key} is a {type(value).__name__}; only str and int are kept")
    if isinstance(value, str):
        return _field(f"detail {key}", value, DETAIL_VALUE_LIMIT)
    if abs(value) > INTEGER_LIMIT:
        raise Unrecordable(f"detail {key} is beyond {INTEGER_LIMIT}, the limit of exact JSON")
    return int(value)


def _detail(detail: Mapping[str, str | int] | None) -> str:
    if not detail:
        return "{}"
    for key in detail:
        if not _KEY.fullmatch(key):
            raise Unrecordable(f"detail key {key!r} is not snake_case of at most 48 characters")
    encoded = json.dumps({key: _detail_value(key, value) for key, value in detail.items()})
    if len(encoded) > DETAIL_LIMIT:
        raise Unrecordable(f"detail has {len(encoded)} characters; the limit is {DETAIL_LIMIT}")
    return encoded


def record(
    *,
    event: EventType,
    actor: Actor,
    now: datetime,
    tenant: UUID | None = None,
    resource: str = "",
    outcome: Outcome = Outcome.SUCCESS,
    reason: str = "",
    request_id: str = "",
    detail: Mapping[str, str | int] | None = None,
    using: str = "default",
) -> UUID:
    """Record one deed inside the caller's transaction on `using`, and return its id (UUIDv7).

    Inside a tenant's scope `tenant` is that tenant or None; outside every scope (a command in the
    shell, a refused key) it may be any tenant, because the row can be written but not read there.

    Raises
    ------
    Unrecordable
        A field is too long (the limit is named), a detail is neither str nor int, or the event is
        one that is counted by the minute.
    django.db.Error
        The row could not be written, so that the deed must not happen either.

    """
    if event.tallied:
        raise Unrecordable(f"{event} is counted by the minute: use tally()")
    entry = uuid7(now)
    with connections[using].cursor() as cursor:
        cursor.execute(
            _INSERT,
            [
                entry,
                tenant,
                event.value,
                actor.kind,
                storable(actor.id),
                _field("resource", resource, RESOURCE_LIMIT),
                Outcome(outcome).value,
                _field("reason", reason, REASON_LIMIT),
                _field("request_id", request_id, REQUEST_ID_LIMIT),
                _detail(detail),
                now,
                SCHEMA,
            ],
        )
    noted(event.value, using=using)
    return entry


def tally(
    *,
    event: EventType,
    actor: Actor,
    tenant: UUID | None,
    now: datetime,
    calls: int = 1,
    items: int = 0,
    using: str = "default",
) -> None:
    """Add to the actor's count of this event in this minute, inside the caller's transaction.

    The row stays locked until the transaction ends, so call it last: two requests of one key then
    wait for each other's commit and for nothing else. Inside a scope `tenant` is that tenant;
    outside every scope only None can be counted (the database refuses the rest).
    """
    if not event.tallied:
        raise Unrecordable(f"{event} is recorded one by one: use record()")
    if calls < 0 or items < 0:
        raise Unrecordable("a count only grows")
    minute = now.replace(second=0, microsecond=0)
    with connections[using].cursor() as cursor:
        cursor.execute(
            _TALLY,
            [
                NO_TENANT if tenant is None else tenant,
                actor.kind,
                storable(actor.id),
                event.value,
                minute,
                calls,
                items,
            ],
        )
    noted(event.value, using=using)
