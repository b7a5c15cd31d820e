"""Identifiers that sort by the time they were made."""

import os
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def uuid7(now: datetime) -> UUID:
    """Return a UUID version 7 (RFC 9562): 48 bits of milliseconds since 1970, then 74 random bits.

    `now` is timezone-aware. Two identifiers made in the same millisecond sort at random.
    """
    milliseconds = (now - _EPOCH) // _MILLISECOND
    random = int.from_bytes(os.urandom(10), "big")
    return UUID(
        int=(milliseconds << 80)
        | (0x7 << 76)
        | ((random >> 68) << 64)
        | (0b10 << 62)
        | (random & ((1 << 62) - 1))
    )


def first_uuid7(day: date) -> UUID:
    """Return the smallest UUID version 7 of a UTC day: the bound of its partition."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return UUID(int=((midnight - _EPOCH) // _MILLISECOND) << 80)


def made_at(identifier: UUID) -> datetime:
    """Return when a UUID version 7 was made, to the millisecond."""
    return _EPOCH + timedelta(milliseconds=identifier.int >> 80)
