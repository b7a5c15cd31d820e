"""How many messages a data key seals: leased ahead of their sealing, so that no count falls short.

A process leases `LEASE` messages of a data key by one UPDATE of the key's row and draws them in
memory: a write in 4,096 seals, whatever the number of processes. What a process leaves undrawn when
it ends counts as sealed; no more than `LEASE` a key and process. A lease is committed before one of
its messages is drawn, by a connection of its own where the caller is in a transaction, which could
be rolled back.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from django.db import connection, connections

from tenants.scope import tenant_scope

T = TypeVar("T")

MOST_MESSAGES = 1 << 28
"""Messages of one data key, after which its epoch gets a next one (ENC-3). XAES-256-GCM would allow
2^80: the bound is on what one key opens (docs/adr/0022)."""
LEASE = 4_096
"""Messages leased at once: some tenth of a second of sealing, against a third of a millisecond."""
HELD_LEASES = 1_024
"""Data keys of which a process keeps undrawn messages; the longest unused go first."""

_LEASE = """
WITH before AS (
    SELECT leased FROM data_key
     WHERE tenant_id = %(tenant)s AND id = %(key)s AND leased < %(most)s FOR UPDATE)
UPDATE data_key SET leased = least(data_key.leased + %(lease)s, %(most)s) FROM before
 WHERE data_key.tenant_id = %(tenant)s AND data_key.id = %(key)s
RETURNING data_key.leased - before.leased
"""


class _Undrawn:
    """What this process has leased and not drawn, by data key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: OrderedDict[UUID, int] = OrderedDict()

    def draw(self, key: UUID) -> bool:
        with self._lock:
            left = self._left.get(key, 0)
            if not left:
                return False
            self._left[key] = left - 1
            return True

    def left(self, key: UUID) -> int:
        with self._lock:
            return self._left.get(key, 0)

    def add(self, key: UUID, messages: int) -> None:
        with self._lock:
            self._left[key] = self._left.get(key, 0) + messages
            self._left.move_to_end(key)
            while len(self._left) > HELD_LEASES:
                self._left.popitem(last=False)

    def clear(self) -> None:
        self._lock = threading.Lock()  # in a forked child the old one may be held for ever
        self._left = OrderedDict()


_undrawn = _Undrawn()
os.register_at_fork(after_in_child=_undrawn.clear)  # what the parent leased is the parent's to draw


def forget() -> None:
    """Leave what is undrawn undrawn: between tests."""
    _undrawn.clear()


def draw(tenant: UUID, key: UUID) -> bool:
    """Take one message of a data key; say whether there was one left to take."""
    while not _undrawn.draw(key):
        if not _lease(tenant, key):
            return False
    return True


def top_up(tenant: UUID, key: UUID) -> None:
    """Lease ahead of a transaction that will seal, where less than half a lease is left."""
    if _undrawn.left(key) < LEASE // 2:
        _lease(tenant, key)


def apart(deed: Callable[[], T]) -> T:
    """Do a deed whose commit must not depend on the caller's transaction.

    Outside any transaction it is simply done; else in a thread, which has connections of its own.
    """
    if not connection.in_atomic_block:
        return deed()
    said: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            said.append(deed())
        except BaseException as error:  # noqa: BLE001 -- raised again by the caller's thread
            failed.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run, name="apart", daemon=True)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return said[0]


def _lease(tenant: UUID, key: UUID) -> int:
    """Lease messages; return how many were left to lease."""

    def lease() -> int:
        with tenant_scope(tenant), connection.cursor() as cursor:
            cursor.execute(
                _LEASE, {"tenant": tenant, "key": key, "most": MOST_MESSAGES, "lease": LEASE}
            )
            row = cursor.fetchone()
        return int(row[0]) if row else 0

    leased = apart(lease)
    if leased:
        _undrawn.add(key, leased)
    return leased
