"""How often strangers may try what is open to them: by their network, and all of them together.

Counted in PostgreSQL, not in Valkey: where counting fails the deed must not happen. An attempt is
counted before anything is done for it, in one statement, so that parallel ones cannot slip through.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from psycopg.sql import SQL, Identifier

from crypto import envelope, mac
from tenants import keys
from tenants.errors import Limited

HOUR, DAY = 3_600, 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """At most `attempts` in a span of `seconds` that starts with the first of them."""

    attempts: int
    seconds: int


REQUESTS_OF_NETWORK = (Window(attempts=10, seconds=HOUR), Window(attempts=30, seconds=DAY))
"""Provisional keys of one network: an office that installs sensors, each of which asks once."""
REQUESTS_OF_ALL = (Window(attempts=300, seconds=HOUR), Window(attempts=2_000, seconds=DAY))
"""Provisional keys in all: each makes rows that stay, so that a botnet must find an end."""
RESETS_OF_NETWORK = (Window(attempts=10, seconds=HOUR), Window(attempts=50, seconds=DAY))
"""Resets from one network: nobody mistypes an address more often."""
RESETS_OF_ALL = (Window(attempts=600, seconds=HOUR), Window(attempts=5_000, seconds=DAY))
"""Resets in all: what a mail server sends without being called a source of spam."""
MAILS_OF_BOX = (Window(attempts=3, seconds=HOUR), Window(attempts=10, seconds=DAY))
"""Mails that strangers can have sent to one address."""
REGISTRATIONS_OF_TENANT = (Window(attempts=5, seconds=HOUR), Window(attempts=20, seconds=DAY))
"""Registrations with one tenant's keys: each mails somebody."""
FORGOTTEN = timedelta(seconds=DAY)
"""The longest span; an older row means nothing."""

_COUNT = SQL("""
INSERT INTO {table} AS held (tag, seconds, started_at, attempts)
SELECT %s, span, %s, 1 FROM unnest(%s::int[]) AS span ORDER BY span
ON CONFLICT (tag, seconds) DO UPDATE SET
    attempts = CASE WHEN held.started_at + make_interval(secs => held.seconds)
                         <= excluded.started_at THEN 1 ELSE held.attempts + 1 END,
    started_at = CASE WHEN held.started_at + make_interval(secs => held.seconds)
                           <= excluded.started_at THEN excluded.started_at
                      ELSE held.started_at END
RETURNING seconds, attempts, started_at
""")
# Rows are locked in one order everywhere, so that two attempts cannot wait for each other.
_TAKE_BACK = SQL("""
UPDATE {table} SET attempts = attempts - 1
 WHERE attempts > 0 AND (tag, seconds) IN (
       SELECT tag, seconds FROM {table} WHERE tag = %s ORDER BY seconds FOR UPDATE)
""")
_FORGET = SQL("""
DELETE FROM {table}
 WHERE (tag, seconds) IN (
       SELECT tag, seconds FROM {table} WHERE tag = %s ORDER BY seconds FOR UPDATE)
""")
_PRUNE = SQL("""
DELETE FROM {table}
 WHERE (tag, seconds) IN (
       SELECT tag, seconds FROM {table} WHERE started_at < %s
        ORDER BY started_at LIMIT %s FOR UPDATE SKIP LOCKED)
""")
AT_ONCE = 10_000
"""Rows that one pruning drops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An attempt too many: when to come back, and whether it is the first one refused."""

    until: datetime
    first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """A table of attempts under keyed hashes: it tells nobody from where, or about whom.

    `table` has the columns of `AttemptWindow`; `key` names the deployment's key of the hashes.
    """

    table: str
    key: str

    def tag(self, *about: str | bytes) -> bytes:
        """Return the keyed hash that attempts about this are counted under."""
        return mac.tag(keys.system_key(self.key), envelope.context(*about), length=16)

    def count(
        self, *about: str | bytes, windows: tuple[Window, ...], now: datetime
    ) -> Refusal | None:
        """Count an attempt; return the refusal if it is one too many."""
        spans = [window.seconds for window in windows]
        with connection.cursor() as cursor:
            cursor.execute(self._of(_COUNT), [self.tag(*about), now, spans])
            held = {seconds: (tried, begun) for seconds, tried, begun in cursor.fetchall()}
        refusals = [
            Refusal(
                until=held[window.seconds][1] + timedelta(seconds=window.seconds),
                first=held[window.seconds][0] == window.attempts + 1,
            )
            for window in windows
            if held[window.seconds][0] > window.attempts
        ]
        return max(refusals, key=lambda refusal: refusal.until, default=None)

    def take_back(self, *about: str | bytes) -> None:
        """Take one attempt out of its counts: it was a success."""
        self._run(_TAKE_BACK, self.tag(*about))

    def forget(self, *about: str | bytes) -> None:
        """Drop the counts of what was tried."""
        self._run(_FORGET, self.tag(*about))

    def prune(self, *, now: datetime, most: int = AT_ONCE) -> None:
        """Drop what no span reaches any more."""
        self._run(_PRUNE, now - FORGOTTEN, most)

    def _run(self, statement: SQL, *values: bytes | datetime | int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(self._of(statement), values)

    def _of(self, statement: SQL) -> Any:
        return statement.format(table=Identifier(self.table))


STRANGERS = Ledger(table="attempt_window", key="attempt_window")


def refused_until(
    *about: str | bytes, windows: tuple[Window, ...], now: datetime
) -> datetime | None:
    """Count an attempt; return until when such attempts are refused, None where this one is not."""
    refusal = STRANGERS.count(*about, windows=windows, now=now)
    return None if refusal is None else refusal.until


def count(*about: str | bytes, windows: tuple[Window, ...], now: datetime) -> None:
    """Count an attempt; raise `Limited` (429) for one too many."""
    until = refused_until(*about, windows=windows, now=now)
    if until is None:
        return
    wait = max(1, int((until - now).total_seconds()))
    policy = ", ".join(f'"{about[0]!s}";q={each.attempts};w={each.seconds}' for each in windows)
    raise Limited(
        f"Too many attempts; try again in {wait} s.",
        status=429,
        retry_after=wait,
        headers={"RateLimit-Policy": policy, "RateLimit": f'"{about[0]!s}";r=0;t={wait}'},
    )


def prune(*, now: datetime) -> None:
    """Drop what no span reaches any more."""
    STRANGERS.prune(now=now)
