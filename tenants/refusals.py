"""Who was told to wait is refused again without asking anybody, until the wait is over.

A client that goes on regardless would otherwise cost a look into the key index, one into Valkey and
a row of audit for each request, in the hands of the same threads and databases that serve everybody
else. This process remembers what it answered, for as long as it said and at most `LONGEST`, under a
keyed hash of the credential. What is refused is counted, and written to the audit log's minute once
a second of each key; what nothing follows is written by a timer.
"""

import logging
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import Error as DatabaseError, connection

from audit.actors import Actor
from audit.events import EventType
from audit.record import tally
from audit.witness import counted
from crypto import mac
from crypto.random import random_bytes
from tenants.errors import Limited
from tenants.scope import tenant_scope

log = logging.getLogger(__name__)

LONGEST = timedelta(seconds=1)
"""How long an answer is repeated: a key that is revoked meanwhile is told to wait for that time."""
TOLD_EVERY = timedelta(seconds=1)
"""How often a key's refusals are written: each is a transaction that waits for a disk."""
LEFT_AFTER = timedelta(seconds=2)
"""When refusals that nobody wrote are written: twice the above, so that it rarely has to be."""
MOST = 10_000
"""Credentials that are remembered (2 MB); past it all are forgotten, for one look-up more each."""

_SECRET = random_bytes(32)
_Who = tuple[UUID, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    who: _Who
    until: datetime
    refusal: Limited


@dataclass(slots=True)
class _Count:
    calls: int = 0
    told_at: datetime | None = None


@dataclass(slots=True)
class _Memory:
    lock: threading.Lock = field(default_factory=threading.Lock)
    held: dict[bytes, _Held] = field(default_factory=dict)
    counts: dict[_Who, _Count] = field(default_factory=dict)
    timer: threading.Timer | None = None


_memory = _Memory()


def hold(
    authorization: str, refusal: Limited, *, door: str, tenant: UUID, key: str, now: datetime
) -> None:
    """Remember a refusal of a credential at a door for as long as its wait lasts."""
    until = now + min(timedelta(seconds=refusal.wait), LONGEST)
    with _memory.lock:
        if len(_memory.held) >= MOST:
            _memory.held.clear()
        held = _Held(who=(tenant, key), until=until, refusal=refusal)
        _memory.held[_name(authorization, door)] = held


def repeat(authorization: str, *, door: str, now: datetime) -> None:
    """Raise the `Limited` that this credential was refused with here, while its wait lasts."""
    if not _memory.held:
        return
    name = _name(authorization, door)
    with _memory.lock:
        held = _memory.held.get(name)
        if held is None:
            return
        if not held.until - LONGEST <= now < held.until:
            del _memory.held[name]
            return
        _memory.counts.setdefault(held.who, _Count()).calls += 1
        _arm(now)
    counted(EventType.REQUESTS_LIMITED)
    raise held.refusal.again()


def count(tenant: UUID, key: str, *, now: datetime) -> None:
    """Count a refusal in the audit log's minute: a row each would be the flood's own."""
    with _memory.lock:
        held = _memory.counts.setdefault((tenant, key), _Count())
        held.calls += 1
        if held.told_at is not None and held.told_at <= now < held.told_at + TOLD_EVERY:
            _arm(now)
            counted(EventType.REQUESTS_LIMITED)
            return
        calls, held.calls, held.told_at = held.calls, 0, now
    _tell((tenant, key), calls, now=now)


def tell_left(*, now: datetime) -> None:
    """Write what was counted and is not yet written."""
    with _memory.lock:
        left = {who: held.calls for who, held in _memory.counts.items() if held.calls}
        _memory.counts.clear()
        if _memory.timer is not None:
            _memory.timer.cancel()
            _memory.timer = None
    for who, calls in left.items():
        _tell(who, calls, now=now)


def forget() -> None:
    """Drop everything: whom it is about is gone, as a test's tenants are."""
    with _memory.lock:
        _memory.held.clear()
        _memory.counts.clear()
        if _memory.timer is not None:
            _memory.timer.cancel()
            _memory.timer = None


def _name(authorization: str, door: str) -> bytes:
    return mac.tag(_SECRET, f"{door}\0{authorization}".encode(), length=16)


def _arm(now: datetime) -> None:
    """Start the timer, with the lock held, where it does not run."""
    if _memory.timer is None:
        after = LEFT_AFTER.total_seconds()
        _memory.timer = threading.Timer(after, _late, kwargs={"now": now + LEFT_AFTER})
        _memory.timer.daemon = True
        _memory.timer.start()


def _late(*, now: datetime) -> None:
    try:
        tell_left(now=now)
    except DatabaseError as error:
        log.warning("refusals were not written to the audit log: %s", type(error).__name__)
    finally:
        connection.close()


def _tell(who: _Who, calls: int, *, now: datetime) -> None:
    tenant, key = who
    with tenant_scope(tenant):
        tally(
            event=EventType.REQUESTS_LIMITED,
            actor=Actor(kind="key", id=key),
            tenant=tenant,
            now=now,
            calls=calls,
        )
