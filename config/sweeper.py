"""The sweeper in every worker: offers again what waits, whatever the broker forgot.

It also ends what has its own time (approvals, emergency access), so that none of it needs a beat.
"""

import gc
import logging
import threading
from typing import Any

from celery.signals import worker_init, worker_ready, worker_shutting_down
from django.db import Error as DatabaseError, close_old_connections, connections
from django.utils import timezone

from config.celery import QUEUES
from tenants import approvals, break_glass
from tenants.offers import sweep

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
"""Seconds between sweeps (contract)."""
_stop = threading.Event()


@worker_init.connect
def settle(**_signal: Any) -> None:
    """Keep the collector off what every child inherits, and the pages shared (see config.wsgi)."""
    gc.collect()
    gc.freeze()


@worker_ready.connect
def start(**_signal: Any) -> None:
    """Start the sweeper beside the worker's consumer."""
    _stop.clear()
    threading.Thread(target=run, name="sweeper", daemon=True).start()


@worker_shutting_down.connect
def stop(**_signal: Any) -> None:
    """Stop offering: what is not done is another worker's."""
    _stop.set()


def keep_time() -> None:
    """End what is over, and tell a worker of deeds whose time has come."""
    now = timezone.now()  # noqa: TID251 -- the sweeper is a loop of its own, no caller has a clock
    break_glass.close_ended(now=now)
    approvals.take_turn(now=now)


def run() -> None:
    """Sweep until stopped; a database that is away is asked again at the next turn."""
    while not _stop.is_set():
        try:
            sweep(queues=QUEUES)
            keep_time()
        except DatabaseError as error:
            log.warning("the sweep failed: %s", type(error).__name__)
            close_old_connections()
        _stop.wait(EVERY_SECONDS)
    connections.close_all()
