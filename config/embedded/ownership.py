"""The one process that may run servers on a home."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from config.embedded import locks, processes, state
from config.embedded.errors import AlreadyRunning, Held
from config.embedded.files import make_private_folder

Purpose = Literal["run", "command"]
GLANCE_SECONDS = 0.3
"""Covers the instant in which `state.running` itself has the lock to look at it."""
COMMAND_SECONDS = 600.0
"""How long to wait for a command that runs the servers for its own length."""


@contextmanager
def owned(home: Path, *, purpose: Purpose, say: Callable[[str], None]) -> Iterator[None]:
    """Hold `home` inside; what a killed predecessor left has ended before that begins.

    Raises
    ------
    AlreadyRunning
        A launcher serves from this home, or a command did not let go of it.
    """
    lock = _take(make_private_folder(home) / "lock", home=home, say=say)
    try:
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()} {purpose}\n".encode(), 0)
        state.remove_run(home)  # only a killed predecessor leaves one
        _outlive_survivors(home, say=say)
        yield
    finally:
        os.close(lock)


def _take(lock: Path, *, home: Path, say: Callable[[str], None]) -> int:
    with contextlib.suppress(Held):
        return locks.take(lock, patience=GLANCE_SECONDS)
    pid, purpose = holder(lock)
    if purpose == "command":
        say(f"Waiting for process {pid}, a command that uses the servers of {home}")
        deadline = time.monotonic() + COMMAND_SECONDS
        while time.monotonic() < deadline and holder(lock)[1] == "command":
            with contextlib.suppress(Held):
                return locks.take(lock, patience=GLANCE_SECONDS)
    raise AlreadyRunning(_who(home, lock))


def holder(lock: Path) -> tuple[str, str]:
    """Return the process number and the purpose that the lock's last taker wrote into it."""
    pid, _, purpose = lock.read_text("ascii").strip().partition(" ")
    return pid or "unknown", purpose


def _who(home: Path, lock: Path) -> str:
    record = state.running(home)
    if record:
        return f"Tawny already runs from {home}: process {record.pid}, {record.url}"
    return f"Process {holder(lock)[0]} already uses {home}, and is starting or stopping"


def _outlive_survivors(home: Path, *, say: Callable[[str], None]) -> None:
    deadline = time.monotonic() + processes.SURVIVOR_SECONDS
    for lifeline in sorted((home / "alive").glob("*")):
        if locks.is_held(lifeline):
            say(f"Waiting for {lifeline.name}, which a killed launcher left, to end")
        patience = max(0.0, deadline - time.monotonic())
        os.close(locks.take_from_survivors(lifeline, patience=patience))
