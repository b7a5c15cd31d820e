"""Sealed bytes that did not open, told to the audit log.

A failed opening is a changed row, a moved one or a fault of ours, and its transaction is mostly
rolled back. So the count is written by a thread of its own, with a connection of its own, at most
every `PAUSE_SECONDS` for a tenant and class: a broken table must not flood the log.
"""

import logging
import threading
import time
from uuid import UUID

from django.db import Error as DatabaseError, connections
from django.utils import timezone

from audit.actors import system
from audit.events import EventType
from audit.record import tally
from tenants.scope import tenant_scope

log = logging.getLogger(__name__)

PAUSE_SECONDS = 5.0
"""Seconds between two rows of one tenant and class; what fails meanwhile is added to the next."""
WRITE_SECONDS = 5.0
"""Seconds that a reader waits for the audit row before its own error goes on."""

_lock = threading.Lock()
_waiting: dict[tuple[UUID, str], int] = {}
_next: dict[tuple[UUID, str], float] = {}


def note(tenant: UUID, series_class: str) -> None:
    """Count one failed opening; write the count where the pause is over."""
    slot = (tenant, series_class)
    with _lock:
        _waiting[slot] = _waiting.get(slot, 0) + 1
        if _next.get(slot, 0.0) > time.monotonic():
            return
        _next[slot] = time.monotonic() + PAUSE_SECONDS
    flush()


def flush() -> None:
    """Write what is counted and not written; also at a process's end and in tests."""
    with _lock:
        counted = dict(_waiting)
        _waiting.clear()
    if not counted:
        return
    writer = threading.Thread(target=_write, args=(counted,), name="decrypt-failures", daemon=True)
    writer.start()
    writer.join(WRITE_SECONDS)


def forget() -> None:
    """Drop counts and pauses, between tests."""
    with _lock:
        _waiting.clear()
        _next.clear()


def _write(counted: dict[tuple[UUID, str], int]) -> None:
    try:
        for (tenant, series_class), calls in counted.items():
            with tenant_scope(tenant):
                tally(
                    event=EventType.DECRYPT_FAILED,
                    actor=system(f"keys:{series_class}"),
                    tenant=tenant,
                    now=timezone.now(),  # noqa: TID251 -- when it failed, not what was asked about
                    calls=calls,
                )
    except DatabaseError as error:
        log.error("failed openings were not recorded: %s", type(error).__name__)  # noqa: TRY400 -- its text may quote rows
        with _lock:
            for slot, calls in counted.items():
                _waiting[slot] = _waiting.get(slot, 0) + calls
    finally:
        connections.close_all()
