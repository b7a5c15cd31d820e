"""Holding a lease while the work is done.

A lease is short, so that the work of a killed worker is taken over within seconds, and renewed
beside the work, so that a slow batch keeps it. Whoever cannot renew goes on without harm: the
fencing token decides at the end.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import Error as DatabaseError, connections

from tenants.models.work import Lease, renew

log = logging.getLogger(__name__)

TERM = timedelta(seconds=20)
"""How long a lease lasts: what the work of a killed worker waits at the most, sweep apart."""
RENEWED_EVERY = 5.0
"""Seconds between renewals: three may fail before the lease runs out."""


@contextmanager
def held(lease: Lease) -> Iterator[None]:
    """Renew a lease until the block ends."""
    done = threading.Event()
    keeper = threading.Thread(target=_keep, args=(lease, done), name="lease", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join(timeout=RENEWED_EVERY)


def _keep(lease: Lease, done: threading.Event) -> None:
    try:
        while not done.wait(RENEWED_EVERY):
            try:
                if not renew(lease, term=TERM):
                    log.warning("work %s was taken over by another worker", lease.work)
                    return
            except DatabaseError as error:
                log.warning("a lease was not renewed: %s", type(error).__name__)
                connections.close_all()  # the next renewal connects anew
    finally:
        connections.close_all()  # this thread's own, opened only where a renewal was needed
