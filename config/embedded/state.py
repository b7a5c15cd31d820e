"""What the launcher leaves in its home for others to read.

``$TAWNY_HOME`` (default ``.tawny`` in the repository) holds::

    lock            held by the one process that runs servers on this home
    run.json        who runs, where, and its processes; absent while nothing serves
    keys/           0700; database.json has the database roles' passwords
    sockets         the servers' sockets: a folder, or a link to a shorter path
    pg/ valkey/     the servers' data
    alive/          one lock file a child, held by it and its descendants while they live
    logs/           one file a child

Settings import this module, so it imports nothing heavy and starts nothing.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from config.embedded.files import make_private_folder, write_private
from config.embedded.locks import is_held
from crypto.random import random_bytes

REPOSITORY = Path(__file__).resolve().parents[2]
POSTGRES_PORT = 5432
"""Only part of the socket's file name: nothing listens on TCP."""
SUPERUSER = "postgres"
LOGIN_ROLES = ("tawny_owner", "tawny_app", "tawny_staff")
LAUNCHED = "TAWNY_LAUNCHED"
"""Set in everything that a launcher started to the home whose servers it may use."""

RunState = Literal["starting", "serving"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where a home's servers listen, and the password of each role that may log in."""

    socket_dir: Path
    port: int
    valkey_socket: Path
    passwords: Mapping[str, str] = field(repr=False)


class PostgresRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The running PostgreSQL."""

    socket_dir: str
    port: int
    pid: int


class ValkeyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The running Valkey."""

    socket: str
    pid: int


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The content of ``run.json``; `state` is ``serving`` once ``/readyz`` answered 200."""

    pid: int
    url: str
    port: int
    bind: str
    postgres: PostgresRecord
    valkey: ValkeyRecord
    processes: dict[str, int]
    started_at: str
    state: RunState


def home() -> Path:
    """Return the home's absolute path; a relative ``TAWNY_HOME`` counts from the repository."""
    return (REPOSITORY / Path(os.environ.get("TAWNY_HOME") or ".tawny").expanduser()).resolve()


def sockets(of: Path) -> Path:
    """Return the folder of `of`'s sockets, through the link that a long path needs."""
    return (of / "sockets").resolve()


def connection(of: Path | None = None) -> Connection | None:
    """Say how to reach the home's servers; None before its first start.

    Whether they run at this moment is another question: `is_running`.
    """
    of = of or home()
    passwords = read_passwords(of)
    if passwords is None or not (of / "sockets").exists():
        return None
    folder = sockets(of)
    return Connection(
        socket_dir=folder,
        port=POSTGRES_PORT,
        valkey_socket=folder / "valkey.sock",
        passwords=passwords,
    )


def read_passwords(of: Path) -> Mapping[str, str] | None:
    """Return the password of each role, or None where none were ever made."""
    try:
        content = (of / "keys" / "database.json").read_bytes()
    except FileNotFoundError:
        return None
    return msgspec.json.decode(content, type=dict[str, str])


def make_passwords(of: Path) -> Mapping[str, str]:
    """Make and keep a password of 256 random bits for each role that may log in."""
    passwords = {role: random_bytes(32).hex() for role in (SUPERUSER, *LOGIN_ROLES)}
    keys = make_private_folder(of / "keys")
    write_private(keys / "database.json", json.dumps(passwords, indent=1).encode(), mode=0o400)
    return passwords


def write_run(of: Path, record: RunRecord) -> None:
    """Replace ``run.json``."""
    write_private(of / "run.json", msgspec.json.format(msgspec.json.encode(record), indent=1))


def remove_run(of: Path) -> None:
    """Remove ``run.json``: nothing serves from now on."""
    (of / "run.json").unlink(missing_ok=True)


def running(of: Path | None = None) -> RunRecord | None:
    """Return what ``run.json`` says if the process that wrote it still lives, else None."""
    of = of or home()
    try:
        content = (of / "run.json").read_bytes()
    except FileNotFoundError:
        return None
    # A killed launcher leaves the file behind, and its number may be another process's by now;
    # the kernel releases its lock in every case.
    return msgspec.json.decode(content, type=RunRecord) if is_held(of / "lock") else None


def is_running(of: Path | None = None) -> bool:
    """Tell whether a launcher serves, or is about to serve, from this home."""
    return running(of) is not None


def url(of: Path | None = None) -> str | None:
    """Return the address that the launcher's web server has, or None where nothing runs."""
    record = running(of)
    return record.url if record else None
