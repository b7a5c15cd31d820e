"""Notices whether anything was recorded while a request was answered.

An outer layer that knows how a request ended can then record what nobody inside did, and adds no
second entry to what somebody did. What was rolled back is not noticed, because it is not recorded.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

from django.db import transaction

_seen: ContextVar[list[str] | None] = ContextVar("audit_seen", default=None)


@contextmanager
def watching() -> Iterator[list[str]]:
    """Collect the events that are recorded and committed inside, in this thread."""
    seen: list[str] = []
    token = _seen.set(seen)
    try:
        yield seen
    finally:
        _seen.reset(token)


def noted(event: str, *, using: str) -> None:
    """Note an event once its transaction commits; at once where none is open."""
    seen = _seen.get()
    if seen is not None:
        transaction.on_commit(partial(seen.append, event), using=using)


def counted(event: str) -> None:
    """Note an event that is counted in memory, and written with others of its kind."""
    seen = _seen.get()
    if seen is not None:
        seen.append(event)
