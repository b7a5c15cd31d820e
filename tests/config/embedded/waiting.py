"""Waiting for what other processes do."""

import time
from collections.abc import Callable
from pathlib import Path

PATIENCE_SECONDS = 30.0


def eventually(said: Callable[[], object], *, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until `said` is true."""
    deadline = time.monotonic() + seconds
    while not said():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Tell whether a process lives; a zombie, which some PID 1 never reaps, does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in {"Z", "X"}
