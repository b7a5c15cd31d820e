"""The checkpoint: up to where the service has every log, and the folder that holds it."""

import fcntl
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import msgspec

from tawny.sending.errors import StateError, StateInUse
from tawny.sending.folders import OWNER_ONLY_FILE, Folder
from tawny.sending.marks import Mark, digest

CHECKPOINT = "checkpoint.json"
LOCK = "lock"
SCHEMA = 1

GONE_SECONDS = 8 * 86_400
"""How long a log that is no longer there is remembered: it may come back compressed, which after a
weekly rotation that leaves the newest file alone is a week later."""

_KEY_ID = re.compile(r"tw[a-z]_([A-Za-z0-9]+)_")


class _Stored(msgspec.Struct, frozen=True, kw_only=True):
    schema: int
    acknowledged: int = 0
    marks: list[Mark] = []


def state_folder(environment: Mapping[str, str]) -> Path:
    """Give the folder of all states, by the XDG base directory specification."""
    given = environment.get("XDG_STATE_HOME", "")
    root = Path(given) if given.startswith("/") else Path.home() / ".local" / "state"
    return root / "tawny"


def state_name(*, url: str, key: str, log_format: str) -> str:
    """Name the state of one service, key and format; the key cannot be found from it."""
    match = _KEY_ID.match(key)
    whose = match[1] if match else digest(key.encode())
    host = re.sub(r"[^A-Za-z0-9.-]", "_", urlsplit(url).hostname or "")
    return f"{log_format}-{host}-{digest(f'{url} {whose}'.encode())[:16]}"


class Checkpoint:
    """The marks up to which everything was acknowledged, by log; written whole or not at all."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._lock: int | None = None
        self.acknowledged = 0
        self.marks: dict[int, Mark] = {}

    def __enter__(self) -> Self:
        try:
            self._folder.make()
            self._hold()
            self._load()
        except OSError as error:
            self.close()
            raise StateError(f"{self._folder.path}: {error.strerror or error}") from error
        except StateError:
            self.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let another run have the state."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _hold(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._lock = os.open(self._folder.path / LOCK, flags, OWNER_ONLY_FILE)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateInUse(f"{self._folder.path}: another run is sending from it") from error

    def _load(self) -> None:
        try:
            stored = msgspec.json.decode(self._folder.read(CHECKPOINT), type=_Stored)
        except FileNotFoundError:
            return
        except msgspec.DecodeError as error:
            raise StateError(f"{self._folder.path / CHECKPOINT}: {error}") from error
        if stored.schema != SCHEMA:
            raise StateError(f"{self._folder.path / CHECKPOINT}: of version {stored.schema}")
        self.acknowledged = stored.acknowledged
        self.marks = {mark.log: mark for mark in stored.marks}

    def acknowledge(self, sequence: int, marks: Iterable[Mark]) -> None:
        """Pass a parcel, in memory until ``save``."""
        self.acknowledged = max(self.acknowledged, sequence)
        self.marks.update((mark.log, mark) for mark in marks)

    def save(self) -> None:
        """Bring the checkpoint to the disk; ``OSError`` leaves the one before."""
        stored = _Stored(
            schema=SCHEMA, acknowledged=self.acknowledged, marks=list(self.marks.values())
        )
        self._folder.write(CHECKPOINT, [msgspec.json.encode(stored)])

    def forget_gone(self, *, now: float) -> None:
        """Drop the marks of logs that have not been there for long."""
        self.marks = {
            log: mark
            for log, mark in self.marks.items()
            if now - mark.seen < GONE_SECONDS or _is_there(mark)
        }

    def start_again(self) -> None:
        """Forget every log, so that all is sent from the start."""
        self.marks = {}


def _is_there(mark: Mark) -> bool:
    try:
        status = Path(mark.path).stat()
    except OSError:
        return False
    return (status.st_dev, status.st_ino) == mark.place
