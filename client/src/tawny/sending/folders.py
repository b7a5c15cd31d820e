"""A folder whose files are whole or absent, whatever stops the process or the machine."""

import os
from collections.abc import Iterable
from pathlib import Path

OWNER_ONLY_FOLDER = 0o700
OWNER_ONLY_FILE = 0o600
UNFINISHED = ".unfinished"  # the end of a name until its content is on the disk


class Folder:
    """Small files of one folder, readable by their owner only; ``OSError`` is the caller's."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def make(self) -> None:
        """Make the folder, close it to others and remove what an earlier run left unfinished."""
        self.path.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
        self.path.chmod(OWNER_ONLY_FOLDER)
        for name in self.names():
            if name.endswith(UNFINISHED):
                self.remove(name)

    def names(self) -> list[str]:
        """Name the files, sorted."""
        return sorted(entry.name for entry in os.scandir(self.path) if entry.is_file())

    def size(self, name: str) -> int:
        """Give a file's bytes on disk."""
        return (self.path / name).stat().st_size

    def read(self, name: str) -> bytes:
        """Give a file's content."""
        return (self.path / name).read_bytes()

    def write(self, name: str, pieces: Iterable[bytes]) -> int:
        """Put a file in place once its content is on the disk; give its size.

        After an ``OSError`` the file is what it was before, or has the new content whole.
        """
        unfinished = self.path / (name + UNFINISHED)
        try:
            size = _written(unfinished, pieces)
            unfinished.replace(self.path / name)
            self.sync()
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise
        return size

    def rename(self, old: str, new: str) -> None:
        """Give a file another name."""
        (self.path / old).rename(self.path / new)

    def shorten(self, name: str, size: int) -> None:
        """Cut a file off after ``size`` bytes; its name is on the disk before."""
        self.sync()
        os.truncate(self.path / name, size)

    def remove(self, name: str) -> None:
        """Remove a file; none is no error."""
        (self.path / name).unlink(missing_ok=True)

    def sync(self) -> None:
        """Bring the names to the disk."""
        folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _written(path: Path, pieces: Iterable[bytes]) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, OWNER_ONLY_FILE), "wb") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())
        return file.tell()
