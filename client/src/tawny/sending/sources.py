"""Where logs come from: files, folders, ``-``; plain or gzip, told by content and not by name."""

import gzip
import os
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

PIECE_BYTES = 1 << 18
GZIP_MAGIC = b"\x1f\x8b"
STDIN = "-"


class Damaged(Exception):  # noqa: N818 -- a state of the file, told to the user and gone on from
    """The file cannot be read to its end; what came before is good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One log to read; ``size`` is its bytes on disk, None where nobody knows."""

    name: str
    path: Path | None
    size: int | None

    @property
    def label(self) -> str:
        """What to call it towards the user."""
        return self.name or "standard input"


def find(paths: Iterable[str]) -> Iterator[Source]:
    """Give the files of the arguments in their order, a folder's by path; each file once."""
    seen: set[Path] = set()
    for argument in paths:
        if argument == STDIN:
            yield Source(name="", path=None, size=None)
            continue
        for path in _files(Path(argument)):
            real = path.resolve()
            if real not in seen:
                seen.add(real)
                yield _source(path)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found: list[Path] = []

    def closed(error: OSError) -> None:  # kept: opening it says why it cannot be read
        found.append(Path(error.filename))

    for folder, _, names in os.walk(path, onerror=closed):
        found += [file for name in names if _may_be_log(file := Path(folder, name))]
    return sorted(found, key=lambda file: file.as_posix())


def _may_be_log(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return True


def _source(path: Path) -> Source:
    try:
        status = path.stat()
    except OSError:  # gone since it was found, or closed to us: opening it says so
        return Source(name=str(path), path=path, size=None)
    size = status.st_size if stat.S_ISREG(status.st_mode) else None
    return Source(name=str(path), path=path, size=size)


def pieces(
    source: Source, *, stdin: "BufferedReader[Any]", read: Callable[[int], None] | None = None
) -> Iterator[bytes]:
    """Give the log's bytes, decompressed, in pieces; Damaged where they cannot be had.

    ``read`` is told how far into the file on disk the reading has come, in bytes.
    """
    try:
        with ExitStack() as stack:
            raw = stdin if source.path is None else stack.enter_context(source.path.open("rb"))
            stream: BufferedReader | gzip.GzipFile = raw
            if raw.peek(2)[:2] == GZIP_MAGIC:
                stream = stack.enter_context(gzip.GzipFile(fileobj=raw))
            # read1: a read that must fill its size loses what came before the damage
            while piece := stream.read1(PIECE_BYTES):
                yield piece
                if read and source.size is not None:
                    read(raw.tell())
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Damaged(f"damaged gzip: {error}") from error
    except OSError as error:
        raise Damaged(error.strerror or str(error)) from error
