"""The whole product in a folder that goes away, and the shell beside it."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

REPOSITORY = Path(__file__).resolve().parents[2]
STARTS_SECONDS = 180.0
STOPS_SECONDS = 60.0
_PROC = Path("/proc")


class NotServing(Exception):  # noqa: N818 -- reads as a fact
    """The deployment did not come up, so that nothing could be verified."""


class _FirstLogin(msgspec.Struct):
    api_key: str


class _Run(msgspec.Struct):
    url: str
    state: str
    processes: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A deployment that serves: where, its first tenant's key, its folder and surroundings."""

    url: str
    key: str = field(repr=False)
    home: Path
    environment: dict[str, str] = field(repr=False)

    def manage(self, *words: str) -> Any:
        """Run a command from the machine's own shell; return the JSON that it ends with, if any."""
        command = [sys.executable, "-W", "ignore", "manage.py", *words]
        done = subprocess.run(  # noqa: S603 -- our own
            command, env=self.environment, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE
        )
        last = done.stdout.splitlines()[-1:]
        return msgspec.json.decode(last[0]) if "--json" in words else None

    def tenant(self, name: str) -> tuple[str, str]:
        """Make a tenant on the full plan; return its id and its key."""
        made = self.manage("tenant", "create", name, "--json")
        return made["tenant"], made["api_key"]

    def web(self) -> list[int]:
        """Return the processes that answer requests."""
        run = msgspec.json.decode((self.home / "run.json").read_bytes(), type=_Run)
        return list(_descendants(run.processes["web"]))

    def texts(self) -> Iterator[tuple[Path, bytes]]:
        """Give every file that the deployment wrote, but for its keys and first log-in."""
        for file in sorted(self.home.rglob("*")):
            if file.is_file() and "keys" not in file.parts and file.name != "first-login":
                yield file, file.read_bytes()


def _descendants(root: int) -> Iterator[int]:
    for child in (_PROC / str(root) / "task" / str(root) / "children").read_text("ascii").split():
        yield int(child)
        yield from _descendants(int(child))


@contextmanager
def serving(home: Path, *, processes: int = 2) -> Iterator[Product]:
    """Run everything in a folder, with some web processes and a list that Wisdom knows."""
    environment = {
        **os.environ,
        "TAWNY_HOME": str(home),
        "TAWNY_PORT": "0",
        "TAWNY_SIGNUP": "open",
        "TAWNY_OPEN_WISDOM": "on",
        "TAWNY_WEB_PROCESSES": str(processes),
    }
    command = [sys.executable, "-m", "config.embedded", "run"]
    with subprocess.Popen(command, env=environment, cwd=REPOSITORY) as running:  # noqa: S603 -- our own
        try:
            url = _serves(home, running)
            key = msgspec.json.decode((home / "first-login").read_bytes(), type=_FirstLogin).api_key
            product = Product(url=url, key=key, home=home, environment=environment)
            _publish(product)
            yield product
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(STOPS_SECONDS)


def _publish(product: Product) -> None:
    """Publish a snapshot of a small list, so that there is something to ask about."""
    folder = product.home / "feeds"
    folder.mkdir(exist_ok=True)
    (folder / "verify.txt").write_text("c2.example c2:Example\n192.0.2.66:443\n", "ascii")
    product.manage("feeds", "add", "verify", "--source", "plain_list", "--path", "verify.txt")
    product.manage("feeds", "refresh", "verify")


def _serves(home: Path, running: subprocess.Popen[bytes]) -> str:
    """Wait until the deployment says that it serves; return its address."""
    end = time.monotonic() + STARTS_SECONDS
    while time.monotonic() < end and running.poll() is None:
        try:
            url = msgspec.json.decode((home / "run.json").read_bytes(), type=_Run).url
            if _is_ready(url):
                return url
        except (OSError, msgspec.DecodeError):  # not written yet, or nobody listens yet
            pass
        time.sleep(0.5)
    raise NotServing(f"it did not serve within {STARTS_SECONDS:.0f} s")


def _is_ready(url: str) -> bool:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    finally:
        connection.close()
