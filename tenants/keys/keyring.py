"""Which version of which root key wraps, and keys wrapped and unwrapped under it.

The versions are rows of the keys database. A process never keeps what the primary is: it reads it,
under a share lock, in the transaction that stores what it wraps, so that after a rotation has made
another version primary nothing more is stored under the older one. What a process can unwrap it
reports while it works (`report`); a rotation waits for that.
"""

import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import (
    Error as DatabaseError,
    InterfaceError,
    OperationalError,
    connections,
    transaction,
)

from crypto import envelope, mac
from crypto.errors import WrongKey
from tenants.errors import KeyUnavailable
from tenants.keys.providers import Wrapped, configured, primary_provider, provider_of
from tenants.keys.providers.calls import Away
from tenants.models.keys import RootState, RootVersion, SystemKey, TenantKey

log = logging.getLogger(__name__)

REPORT_SECONDS = 10.0
"""Seconds between two reports of a process that uses keys."""
READER_SECONDS = 30
"""Seconds after its last report for which a process is waited for; one that has been idle longer
looks for a version when it next needs one."""
CHECKED_SECONDS = 300.0
"""Seconds for which a version's check value, once compared, is taken to hold."""


class Name(NamedTuple):
    """A version of a root key, by its name."""

    provider: str
    key_id: str
    version: int

    def __str__(self) -> str:
        return f"{self.provider}:{self.key_id}:{self.version}"


_checked: dict[Name, float] = {}
_next_report = 0.0
_reporting = threading.Lock()


@contextmanager
def reaching() -> Iterator[None]:
    """Let a keys database that is away be a key that is not available, as any other place is."""
    try:
        yield
    except (OperationalError, InterfaceError):
        raise KeyUnavailable("the keys database cannot be reached") from None


def forget() -> None:
    """Compare check values and report again at the next use."""
    global _next_report  # noqa: PLW0603 -- one clock a process
    _checked.clear()
    _next_report = 0.0


def name_of(row: RootVersion) -> Name:
    """Return the name of a version's row."""
    return Name(row.provider, row.key_id, row.version)


def primary(*, now: datetime) -> RootVersion:
    """Return the version that wraps, locked against a change until the transaction ends.

    Call it inside a transaction on ``keys``. A deployment that has no row yet gets its first: the
    configured provider's newest version.
    """
    rows = RootVersion.objects.using("keys").filter(state=RootState.PRIMARY)
    row = _share(rows.first())
    if row is not None:
        return row
    provider = primary_provider()
    version = provider.current_version()
    RootVersion.objects.using("keys").bulk_create(
        [
            RootVersion(
                provider=provider.name, key_id=provider.key_id, version=version,
                state=RootState.PRIMARY, check_value=provider.check_value(version),
                added_at=now, primary_at=now, rewrapped_at=now,
            )
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    row = _share(rows.first())
    if row is None:
        raise KeyUnavailable("no version of the root key is primary")
    return row


def _share(row: RootVersion | None) -> RootVersion | None:
    """Lock a primary row for sharing; a change that was under way shows as another primary."""
    if row is None:
        return None
    with connections["keys"].cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM root_version WHERE provider = %s AND key_id = %s AND version = %s"
            " AND state = 'primary' FOR SHARE",
            name_of(row),
        )
        if cursor.fetchone():
            return row
    return RootVersion.objects.using("keys").filter(state=RootState.PRIMARY).first()


def context_of(key: UUID, context: bytes) -> bytes:
    """Return the context of a wrapped key: as `crypto.envelope.wrap` has it."""
    return b"wrap|" + key.bytes + context


def wrap(key: envelope.DataKey, context: bytes, *, now: datetime) -> Wrapped:
    """Wrap a key under the primary version, inside the transaction that stores it."""
    row = primary(now=now)
    held = configured().get(row.provider)
    if held is None or held.key_id != row.key_id:
        raise KeyUnavailable(f"{name_of(row)} is primary and not configured here")
    check(name_of(row))
    return held.wrap(key.secret, context_of(key.id, context), version=row.version)


def unwrap(row: TenantKey | SystemKey, context: bytes) -> envelope.DataKey:
    """Open a stored key and hold it and its root against their check values.

    Raises `KeyUnavailable`, or a ``CryptoError`` where the row was changed.
    """
    wrapped = wrapped_of(row)
    provider = provider_of(wrapped)
    check(Name(wrapped.provider, wrapped.key_id, wrapped.version))
    secret = provider.unwrap(wrapped, context_of(row.id, context))
    key = envelope.DataKey(id=row.id, secret=secret)
    if not mac.equal(key.check, bytes(row.check_value)):
        raise WrongKey(f"key {row.id} does not match its check value")
    return key


def wrapped_of(row: TenantKey | SystemKey) -> Wrapped:
    """Return the wrapped bytes of a row with what unwraps them."""
    return Wrapped(
        provider=row.provider, key_id=row.key_id, version=row.root_version, blob=bytes(row.wrapped)
    )


def check(name: Name) -> None:
    """Refuse a version that is retired, or whose key is not the one that was added.

    A version that has no row is one from before versions were recorded, and is let pass: what it
    unwraps has a check value of its own.
    """
    if _checked.get(name, 0.0) > time.monotonic():
        return
    with reaching():
        row = (
            RootVersion.objects.using("keys")
            .filter(provider=name.provider, key_id=name.key_id, version=name.version)
            .first()
        )
    if row is not None:
        _compare(row)
    _checked[name] = time.monotonic() + CHECKED_SECONDS


def _compare(row: RootVersion) -> None:
    if row.state == RootState.RETIRED:
        raise KeyUnavailable(f"{name_of(row)} is retired")
    provider = configured().get(row.provider)
    if provider is None or provider.key_id != row.key_id:
        raise KeyUnavailable(f"{name_of(row)} is not configured here")
    if not mac.equal(provider.check_value(row.version), bytes(row.check_value)):
        raise KeyUnavailable(f"{name_of(row)} is another key than was added under that name")


def compare_all() -> list[str]:
    """Compare every version that is in use; return a sentence for each that does not hold."""
    faults = []
    for row in RootVersion.objects.using("keys").exclude(state=RootState.RETIRED):
        try:
            _compare(row)
        except Away as error:  # no reason to refuse: what is held goes on, and it comes back
            log.warning("%s was not compared: %s", name_of(row), error)
        except KeyUnavailable as error:
            faults.append(str(error))
    return faults


def process() -> str:
    """Return the name under which this process reports."""
    return f"{socket.gethostname()}:{os.getpid()}"


def report(*, force: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
    """Say which versions this process can unwrap with, at most every `REPORT_SECONDS`.

    It is told to whoever rotates, and nobody's read depends on it: where the keys database is away
    the keys held go on.
    """
    global _next_report  # noqa: PLW0603 -- one clock a process
    if not force and clock() < _next_report:
        return
    if not _reporting.acquire(blocking=False):
        return
    try:
        _next_report = clock() + REPORT_SECONDS
        _report()
    except (DatabaseError, KeyUnavailable) as error:
        log.warning("the keyring's state was not reported: %s", type(error).__name__)
    finally:
        _reporting.release()


def system_name(version: int) -> Name:
    """Return the name under which processes report a version of the deployment's own secret."""
    return Name("deployment", "system", version)


def _report() -> None:
    from tenants.keys.system import versions_held  # noqa: PLC0415 -- it is above this module

    if connections["keys"].in_atomic_block:
        return  # a failure here would take the caller's transaction with it
    versions = [
        str(Name(each.name, each.key_id, version))
        for each in configured().values()
        for version in each.versions()
    ]
    versions += [str(system_name(version)) for version in versions_held()]
    with connections["keys"].cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO keyring_reader (process, versions, seen_at)
            VALUES (%s, %s::jsonb, clock_timestamp())
            ON CONFLICT (process) DO UPDATE
            SET versions = excluded.versions, seen_at = excluded.seen_at
            """,
            [process(), json.dumps(versions)],
        )


def behind(name: Name) -> list[str]:
    """Return the processes at work that have not reported `name`."""
    with transaction.atomic(using="keys"), connections["keys"].cursor() as cursor:
        cursor.execute(
            "DELETE FROM keyring_reader WHERE seen_at < clock_timestamp() - interval '1 hour'"
        )
        cursor.execute(
            """
            SELECT process FROM keyring_reader
             WHERE seen_at > clock_timestamp() - make_interval(secs => %s)
               AND NOT versions @> to_jsonb(%s::text) ORDER BY process
            """,
            [READER_SECONDS, str(name)],
        )
        return [row[0] for row in cursor.fetchall()]
