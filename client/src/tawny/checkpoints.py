"""Where a reader of alerts is: kept over restarts, moved on only after the caller took the page."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import msgspec

from tawny.errors import CheckpointUnusable


class Checkpoint(Protocol):
    """Keeps a follow token. The next page starts there; repeating a page is harmless."""

    def load(self) -> str:
        """Give the token that was saved last, or an empty text for the oldest."""

    def save(self, follow: str) -> None:
        """Keep the token: everything before it has been taken."""


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    follow: str


@dataclass(frozen=True, slots=True)
class FileCheckpoint:
    """A checkpoint in a small JSON file of mode 0600 that is replaced as a whole.

    After a power cut the file holds the old token or the new one. A file that is not there gives
    the oldest; one that cannot be read or written raises ``CheckpointUnusable``.
    """

    path: str | os.PathLike[str]

    def load(self) -> str:
        """Give the token that was saved last, or an empty text for the oldest."""
        try:
            return msgspec.json.decode(Path(self.path).read_bytes(), type=_Place).follow
        except FileNotFoundError:
            return ""
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise CheckpointUnusable(
                f"the checkpoint {self.path} cannot be read: {error}"
            ) from error

    def save(self, follow: str) -> None:
        """Replace the file; it is on disk when this returns."""
        try:
            _replace(Path(self.path), msgspec.json.encode(_Place(follow=follow)) + b"\n")
        except OSError as error:
            raise CheckpointUnusable(
                f"the checkpoint {self.path} cannot be written: {error.strerror or error}"
            ) from error


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    _synchronise(path.parent)


def _synchronise(folder: Path) -> None:
    """Bring a folder's entries to disk, where folders can be opened (not on Windows)."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
