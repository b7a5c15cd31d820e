"""PostgreSQL and Valkey of one home, up and ready, with the product's roles and databases."""

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Protocol

from config.embedded import sockets, state
from config.embedded.errors import Damaged, ServerFailed
from config.embedded.files import make_private_folder
from config.embedded.postgres import Postgres
from config.embedded.processes import Process, last_words
from config.embedded.roles import make_roles_and_databases
from config.embedded.state import Connection
from config.embedded.valkey import Valkey

READY_SECONDS = 60.0
"""PostgreSQL may first have to replay its log after a crash."""
POLL_SECONDS = 0.01
STOP_SECONDS = {"valkey": 3.0, "postgres": 8.0}


class Server(Protocol):
    """A server that can be started and asked whether it is ready."""

    @property
    def name(self) -> str:
        """The name that people know it by."""

    def launch(self) -> Process:
        """Start it."""

    def is_ready(self, process: Process) -> bool:
        """Tell whether it answers."""


class Servers:
    """The servers of `home`, as a context: started and ready inside, stopped after.

    `are_new` says after a start whether databases were made by it. `fast` gives up durability, for
    a throwaway home, and lets tawny_owner create databases. Whoever shares a home with others
    takes its lock first; a throwaway home needs none.
    """

    def __init__(self, home: Path, *, fast: bool = False) -> None:
        self.home = home.resolve()
        self.processes: dict[str, Process] = {}
        self.are_new = False
        self._fast = fast
        self._connection: Connection | None = None
        self._postgres: Postgres | None = None
        self._valkey: Valkey | None = None

    def __enter__(self) -> Connection:
        """Start the servers; return how to reach them."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the servers."""
        self.stop()

    def start(self) -> Connection:
        """Start what is needed, make what is missing, and return how to reach it.

        Raises
        ------
        EmbeddedError
            A server did not get ready; nothing is left running.
        """
        make_private_folder(self.home)
        sockets.place(self.home)
        passwords = state.read_passwords(self.home)
        if passwords is None and (self.home / "pg").exists():
            raise Damaged(f"{self.home}/keys/database.json is missing, and {self.home}/pg needs it")
        passwords = passwords or state.make_passwords(self.home)
        self._valkey = Valkey(self.home, fast=self._fast)
        self._postgres = Postgres(self.home, passwords=passwords, fast=self._fast)
        try:
            self.processes["valkey"] = self._valkey.launch()
            self.are_new = self._postgres.initialise()
            self.processes["postgres"] = self._postgres.launch()
            for server in self.all:
                await_ready(self.processes[server.name], server.is_ready)
            connection = state.connection(self.home)
            assert connection is not None, "its folder and its passwords were just made"
            made = make_roles_and_databases(connection, may_create_databases=self._fast)
            self.are_new = self.are_new or made
        except BaseException:
            self.stop()
            raise
        return connection

    @property
    def all(self) -> tuple[Server, Server]:
        """Both servers, in the order in which they stop."""
        if self._valkey is None or self._postgres is None:
            raise ServerFailed("the servers were not started")
        return self._valkey, self._postgres

    def stop(self) -> None:
        """Stop Valkey, then PostgreSQL; a server that was not started is none to stop."""
        for name, seconds in STOP_SECONDS.items():
            process = self.processes.pop(name, None)
            if process:
                process.ask_to_stop()
                if not process.wait(until=time.monotonic() + seconds):
                    process.kill()


def await_ready(process: Process, is_ready: Callable[[Process], bool]) -> None:
    """Wait until the server that is `process` answers.

    Raises
    ------
    ServerFailed
        It ended, or did not answer in time; the message has the end of its log.
    """
    deadline = time.monotonic() + READY_SECONDS
    while not is_ready(process):
        name, log = process.program.name, process.program.log
        status = process.ended()
        if status is not None:
            raise ServerFailed(f"{name} ended with status {status}{last_words(log)}")
        if time.monotonic() >= deadline:
            raise ServerFailed(f"{name} did not answer in {READY_SECONDS:.0f} s{last_words(log)}")
        time.sleep(POLL_SECONDS)
