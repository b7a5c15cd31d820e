"""Using the servers from a command: the running ones, or ones of its own while it lasts."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from config.embedded import locks, state
from config.embedded.errors import AlreadyRunning, Damaged
from config.embedded.ownership import holder, owned
from config.embedded.preparation import prepare
from config.embedded.programs import environment
from config.embedded.progress import on_stderr
from config.embedded.servers import Servers
from config.embedded.state import LAUNCHED, Connection

STARTING_SECONDS = 180.0
"""How long a command waits for a launcher to serve: a first start on a slow machine."""
POLL_SECONDS = 0.1


@contextmanager
def attached(*, migrated: bool = True) -> Iterator[Connection]:
    """Give the home's servers: the running ones, else ones that stop when the context ends.

    The latter are migrated first, unless the caller is about to do that itself.

    Raises
    ------
    EmbeddedError
        Nothing runs, and the servers cannot start.
    """
    home = state.home()
    if os.environ.get(LAUNCHED) == str(home) or _is_served(home):
        yield _reach(home)
        return
    progress = on_stderr()
    with owned(home, purpose="command", say=progress.say):
        servers = Servers(home)
        connection = servers.start()
        try:
            if migrated:
                prepare(servers, progress)
            with _launched(home):
                yield connection
        finally:
            servers.stop()


def execute(command: Sequence[str]) -> int:
    """Run `command` with the servers within reach; return its exit status."""
    with attached():
        # The terminal sends Ctrl-C to the command as well; what it does about it decides.
        former = signal.signal(signal.SIGINT, lambda _number, _frame: None)
        try:
            done = subprocess.run(  # noqa: S603 -- to run what the caller typed is its purpose
                command, check=False, env=environment(state.home())
            )
        finally:
            signal.signal(signal.SIGINT, former)
    return done.returncode if done.returncode >= 0 else 128 - done.returncode


def _is_served(home: Path) -> bool:
    """Tell whether a launcher serves from `home`; wait while one gets ready."""
    lock = home / "lock"
    deadline = time.monotonic() + STARTING_SECONDS
    while locks.is_held(lock) and holder(lock)[1] == "run":
        record = state.running(home)
        if record and record.state == "serving":
            return True
        if time.monotonic() >= deadline:
            raise AlreadyRunning(
                f"process {holder(lock)[0]} has {home} and did not get ready"
                f" in {STARTING_SECONDS:.0f} s"
            )
        time.sleep(POLL_SECONDS)
    return False


def _reach(home: Path) -> Connection:
    connection = state.connection(home)
    if connection is None:
        raise Damaged(f"{home} has no sockets or no keys/database.json, yet its servers run")
    return connection


@contextmanager
def _launched(home: Path) -> Iterator[None]:
    """Tell the commands that this one starts that they may use its servers."""
    os.environ[LAUNCHED] = str(home)
    try:
        yield
    finally:
        del os.environ[LAUNCHED]
