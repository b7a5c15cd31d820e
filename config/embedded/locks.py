"""Locks that the kernel releases when their holder ends, however it ends.

Two kinds of file carry one. ``lock`` says who may run servers on a home. A lifeline
(``alive/NAME``) is inherited by a child and by what the child forks, so it is free exactly when all
of them are gone: a killed launcher's late children, a killed postmaster's late backends. Process
numbers cannot say that: they are used again, and under a PID 1 that never reaps, a zombie keeps
one for ever.
"""

import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from config.embedded.errors import Held

POLL_SECONDS = 0.02


def take(path: Path, *, patience: float) -> int:
    """Lock `path` and return its descriptor; wait at most `patience` seconds.

    Raises
    ------
    Held
        Another process kept it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + patience
    while not _try_lock(descriptor):
        if time.monotonic() >= deadline:
            os.close(descriptor)
            raise Held(f"{path} is held by another process")
        time.sleep(POLL_SECONDS)
    return descriptor


def take_from_survivors(path: Path, *, patience: float) -> int:
    """Lock `path` like `take`, but end those that keep it past `patience` seconds.

    Only for a lifeline, and only under the home's lock: whoever holds a lifeline then is a child
    that its launcher did not survive.
    """
    try:
        return take(path, patience=patience)
    except Held:
        for pid in holders(path):
            os.kill(pid, signal.SIGKILL)
        return take(path, patience=patience)


def is_held(path: Path) -> bool:
    """Tell whether another process has `path` locked; a missing file is not."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def holders(path: Path) -> Iterator[int]:
    """Yield the other processes that have `path` open, as far as this user may look (Linux)."""
    if sys.platform != "linux":
        return
    target = path.stat()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        if _has_open(entry / "fd", target):
            yield int(entry.name)


def _has_open(folder: Path, target: os.stat_result) -> bool:
    try:
        return any(
            (seen.st_dev, seen.st_ino) == (target.st_dev, target.st_ino)
            for seen in (link.stat() for link in folder.iterdir())
        )
    except OSError:  # it ended meanwhile, or is another user's
        return False


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
