"""How often a sign-in may be tried: by name and network together, by network, and by device.

Never by name alone, or a stranger could lock a person out from anywhere. The figures are those of
PyPI's second factor (5 in five minutes, 20 an hour, 50 a day; a network 10 and 50). An attempt is
counted before it is looked at, in one statement, so that parallel ones cannot slip through.

A second factor is counted by device, wherever it is tried: only somebody who has the password, or
the session, comes so far. A success takes its own try back and no other: whoever guesses beside the
owner gains nothing from the owner's success.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.db import connection

from crypto import envelope, mac
from tenants import keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most `attempts` in a span of `seconds` that starts with the first of them."""

    attempts: int
    seconds: int


PER_NAME = (
    Limit(attempts=5, seconds=300),
    Limit(attempts=20, seconds=3600),
    Limit(attempts=50, seconds=86_400),
)
PER_NETWORK = (Limit(attempts=10, seconds=300), Limit(attempts=50, seconds=3600))
PER_DEVICE = PER_NAME
"""At most 50 guesses of 10^6 codes a day: 5e-5 that one hits."""
V4_PREFIX = 24
V6_PREFIX = 48
"""What one subscriber or office usually has."""
FORGOTTEN = timedelta(days=1)
"""The longest span; an older row means nothing."""

_COUNT = """
INSERT INTO staff_login_window AS held (tag, seconds, started_at, attempts)
SELECT %s, span, %s, 1 FROM unnest(%s::int[]) AS span ORDER BY span
ON CONFLICT (tag, seconds) DO UPDATE SET
    attempts = CASE WHEN held.started_at + make_interval(secs => held.seconds)
                         <= excluded.started_at THEN 1 ELSE held.attempts + 1 END,
    started_at = CASE WHEN held.started_at + make_interval(secs => held.seconds)
                           <= excluded.started_at THEN excluded.started_at
                      ELSE held.started_at END
RETURNING seconds, attempts, started_at
"""

# Rows are locked in one order everywhere, so that two sign-ins cannot wait for each other.
_TAKE_BACK = """
UPDATE staff_login_window SET attempts = attempts - 1
 WHERE attempts > 0 AND (tag, seconds) IN (
       SELECT tag, seconds FROM staff_login_window WHERE tag = %s ORDER BY seconds FOR UPDATE)
"""
_RESET = """
DELETE FROM staff_login_window
 WHERE (tag, seconds) IN (
       SELECT tag, seconds FROM staff_login_window WHERE tag = %s ORDER BY seconds FOR UPDATE)
"""
_PRUNE = """
DELETE FROM staff_login_window
 WHERE (tag, seconds) IN (
       SELECT tag, seconds FROM staff_login_window WHERE started_at < %s
        ORDER BY started_at LIMIT 1000 FOR UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An attempt too many: when to come back, and whether it is the first one refused."""

    until: datetime
    first: bool


def network_of(address: str) -> str:
    """Return the network that an address is counted under, ``unknown`` for what is no address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    prefix = V4_PREFIX if isinstance(parsed, IPv4Address) else V6_PREFIX
    return str(ip_network((parsed, prefix), strict=False))


def name_tag(username: str) -> bytes:
    """Return the keyed hash under which a user name that nobody has is logged and counted."""
    return _tag("name", username)


def count_attempt(*, username: str, network: str, now: datetime) -> Refusal | None:
    """Count an attempt; return the refusal if it is one too many.

    The network comes first: one that is refused leaves no trace of the names it tries.
    """
    return _count(_tag("network", network), PER_NETWORK, now) or _count(
        _tag("both", username, network), PER_NAME, now
    )


def forget_attempts(*, username: str, network: str, now: datetime) -> None:
    """Take a success out of the counts, and drop what no span reaches any more."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_BACK, [_tag("network", network)])
        cursor.execute(_RESET, [_tag("both", username, network)])
        cursor.execute(_PRUNE, [now - FORGOTTEN])


def count_factor(kind: str, device: object, *, now: datetime) -> Refusal | None:
    """Count a try of a second factor; return the refusal if it is one too many."""
    return _count(_tag("factor", kind, str(device)), PER_DEVICE, now)


def forget_factor(kind: str, device: object, *, now: datetime) -> None:
    """Take a successful try of a second factor out of its counts."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_BACK, [_tag("factor", kind, str(device))])
        cursor.execute(_PRUNE, [now - FORGOTTEN])


def _tag(*parts: str) -> bytes:
    return mac.tag(keys.system_key("login_window"), envelope.context(*parts), length=16)


def _count(tag: bytes, limits: tuple[Limit, ...], now: datetime) -> Refusal | None:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [tag, now, [limit.seconds for limit in limits]])
        held = {seconds: (attempts, started) for seconds, attempts, started in cursor.fetchall()}
    refusals = [
        Refusal(
            until=held[limit.seconds][1] + timedelta(seconds=limit.seconds),
            first=held[limit.seconds][0] == limit.attempts + 1,
        )
        for limit in limits
        if held[limit.seconds][0] > limit.attempts
    ]
    return max(refusals, key=lambda refusal: refusal.until, default=None)
