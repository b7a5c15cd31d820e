"""Zeek logs from disk as the bodies that the client would send of them."""

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.bodies import KINDS, Body, Kind, cut
from tawny.formats import Event, kind_of
from tawny.formats.zeek import Parser

GZIP_MAGIC = b"\x1f\x8b"


def bodies(paths: Iterable[Path], *, batch: int, by_file: bool) -> Iterator[Body]:
    """Map the logs below `paths` and cut their events into bodies of `batch` events, by kind.

    With `by_file` no body holds events of two files, as ``tawny send`` does it; otherwise a kind's
    events are one stream, in the order of the files' paths. What is no Zeek log is passed over.

    Raises ``OSError`` for a path that cannot be read.
    """
    waiting: dict[Kind, list[Event]] = {kind: [] for kind in KINDS}
    for path in _files(paths):
        for event in _events(path):
            kind = kind_of(event)
            if kind in waiting:  # the others have no synthetic twin to be compared with
                waiting[kind].append(event)
        for kind, events in waiting.items():
            whole = len(events) if by_file else len(events) - len(events) % batch
            yield from cut(kind, events[:whole], batch=batch)
            del events[:whole]
    for kind, events in waiting.items():
        yield from cut(kind, events, batch=batch)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(each for each in path.rglob("*") if each.is_file())
        else:
            yield path


def _events(path: Path) -> list[Event]:
    content = path.read_bytes()
    if content.startswith(GZIP_MAGIC):
        content = gzip.decompress(content)
    parser = Parser(file_name=path.name)
    return parser.feed(content) + parser.finish()
