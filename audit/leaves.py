"""The bytes that are hashed: one canonical JSON object an entry.

Canonical as RFC 8785 asks: keys sorted, no blanks, UTF-8, the shortest escapes, no floats; integers
stay within 53 bits, so that every JSON reader agrees. A leaf is one line whatever a field holds.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

import msgspec

SCHEMA = 1
"""The shape of a leaf. A reader takes every earlier number."""

INTEGER_LIMIT = (1 << 53) - 1
"""The largest integer that a JSON reader with doubles keeps exactly (RFC 8785, RFC 7493)."""

_encode = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
).encode


def canonical(value: Mapping[str, object]) -> bytes:
    """Return the canonical bytes of an object whose keys are ASCII and whose numbers are whole."""
    return _encode(value).encode()


def instant(time: datetime) -> str:
    """Return an aware time as RFC 3339 in UTC with ``Z`` and microseconds."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


class LeafActor(msgspec.Struct, frozen=True, kw_only=True):
    """Who acted."""

    kind: str
    id: str


class Leaf(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as the log holds it.

    ``time`` is when the deed happened (of a minute's count: the minute), ``sequenced`` when it
    entered the log; ``source`` the database whose transaction it was part of.
    """

    schema: int
    id: str
    source: str
    sequenced: str
    time: str
    event: str
    actor: LeafActor
    tenant: str | None
    resource: str
    outcome: str
    reason: str
    request_id: str
    detail: dict[str, str | int]


class Stamp(msgspec.Struct, frozen=True):
    """The part of a leaf that the log's columns repeat, and the time it was sequenced."""

    id: str
    event: str
    tenant: str | None
    time: str
    sequenced: str


_leaf = msgspec.json.Decoder(Leaf)
_stamp = msgspec.json.Decoder(Stamp)


def read_leaf(content: bytes) -> Leaf:
    """Read an entry back; `msgspec.ValidationError` or `msgspec.DecodeError` if it is none."""
    return _leaf.decode(content)


def read_stamp(content: bytes) -> Stamp:
    """Read only what the columns repeat, at a million a second; errors as `read_leaf`."""
    return _stamp.decode(content)


def opaque(tenant: UUID | None) -> str | None:
    """Return a tenant as the log writes it."""
    return None if tenant is None else str(tenant)
