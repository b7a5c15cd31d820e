"""The bytes of one log file from any place on, decompressed."""

import gzip
import os
import zlib
from pathlib import Path
from typing import Protocol

from tawny.sending.sources import GZIP_MAGIC, Damaged

CHUNK_BYTES = 1 << 18


class Content(Protocol):
    """A log file that is open; it stays readable when its name goes."""

    packed: bool
    damage: str  # why the bytes end before the log does, if they do

    def read(self, place: int, size: int) -> bytes:
        """Give up to ``size`` bytes from ``place`` on, fewer only at the end or the damage."""

    def status(self) -> os.stat_result:
        """Tell the file's size, inode and times as they are now."""

    def close(self) -> None:
        """Close the file."""


class Plain:
    """A file that may grow, shrink and be written anew."""

    packed = False

    def __init__(self, descriptor: int) -> None:
        self.damage = ""
        self._descriptor = descriptor

    def read(self, place: int, size: int) -> bytes:
        """Give what the file holds now."""
        try:
            return os.pread(self._descriptor, size, place)
        except OSError as error:
            self.damage = error.strerror or str(error)
            return b""

    def status(self) -> os.stat_result:
        """Tell the file's size, inode and times as they are now."""
        return os.fstat(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


class Packed:
    """A gzip file, read forwards; a place before the last one costs a new beginning."""

    packed = True

    def __init__(self, descriptor: int) -> None:
        self.damage = ""
        self._file = os.fdopen(descriptor, "rb")
        self._stream = gzip.GzipFile(fileobj=self._file)
        self._start = 0  # the place of the first byte kept
        self._kept = bytearray()

    def read(self, place: int, size: int) -> bytes:
        """Give decompressed bytes, up to the damage where there is one."""
        if place < self._start:
            self._file.seek(0)
            self._stream = gzip.GzipFile(fileobj=self._file)
            self._start = 0
            self._kept.clear()
        try:
            while self._start + len(self._kept) < place + size:
                passed = min(max(0, place - self._start), len(self._kept))
                del self._kept[:passed]
                self._start += passed
                piece = self._stream.read1(CHUNK_BYTES)
                if not piece:
                    break
                self._kept += piece
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            self.damage = f"damaged gzip: {error}"
        except OSError as error:
            self.damage = error.strerror or str(error)
        start = place - self._start
        return bytes(self._kept[start : start + size])

    def status(self) -> os.stat_result:
        """Tell the file's size, inode and times as they are now."""
        return os.fstat(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
        self._file.close()


def opened(path: Path) -> Content:
    """Open a log, plain or gzip as its first bytes say; Damaged if it cannot be."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise Damaged(error.strerror or str(error)) from error
    packed = os.pread(descriptor, len(GZIP_MAGIC), 0) == GZIP_MAGIC
    return Packed(descriptor) if packed else Plain(descriptor)
