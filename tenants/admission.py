"""Large bodies wait at a gate, so that one tenant's cannot hold every thread of a web process.

A thread is busy with a body for as long as the body takes to arrive and to be decoded: half a
second for a large batch over a fast line, minutes over a slow one. Small bodies pass; of large ones
a tenant has `OF_TENANT` under way in a process and everybody together `OF_ALL`, and `WAITING` of a
tenant wait a while for a place. Any more are told at once to come again, before they are read.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from uuid import UUID

from tenants.errors import Crowded

LARGE = 1 << 20
"""Octets from which a body is large: 20 ms of one core. One of no stated length is large."""
OF_TENANT = 4
"""Half of a process's threads (`config.embedded.programs.WEB_THREADS`)."""
OF_ALL = 6
"""So that two threads are left for what takes milliseconds."""
WAITING = 1
"""Of one tenant; each waits in a thread."""
PATIENCE = 2.0
"""Seconds that one waits: most batches of an ordinary client are decoded by then."""


class Gate:
    """The places of one process."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside: Counter[UUID] = Counter()
        self._waiting: Counter[UUID] = Counter()

    @contextmanager
    def place(self, tenant: UUID) -> Iterator[None]:
        """Hold a place for the block; raises `Crowded` where there is none, or none in time."""
        with self._changed:
            if not self._has_place(tenant):
                self._wait(tenant)
            self._inside[tenant] += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside[tenant] -= 1
                self._inside += Counter()  # drops tenants without one
                self._changed.notify_all()

    def _wait(self, tenant: UUID) -> None:
        if self._waiting[tenant] >= WAITING:
            raise Crowded
        self._waiting[tenant] += 1
        try:
            if not self._changed.wait_for(lambda: self._has_place(tenant), PATIENCE):
                raise Crowded
        finally:
            self._waiting[tenant] -= 1
            self._waiting += Counter()

    def _has_place(self, tenant: UUID) -> bool:
        return self._inside[tenant] < OF_TENANT and self._inside.total() < OF_ALL


_gate = Gate()


def admitted(tenant: UUID, *, octets: int | None) -> AbstractContextManager[None]:
    """Return what a body of so many octets, None where it does not say, is to be read inside."""
    if octets is not None and octets < LARGE:
        return nullcontext()
    return _gate.place(tenant)
