"""New files that are old logs: copied, compressed, moved from elsewhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tawny.sending.contents import Content, opened
from tawny.sending.marks import Mark, digest
from tawny.sending.tails import ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A file as it was found; times in epoch seconds."""

    path: Path
    size: int
    modified: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A file that begins as the log ``log`` does; it is read if that one has no other file.

    ``whole`` says that it reaches the log's mark. ``since`` is when it was found, epoch seconds.
    """

    log: int
    whole: bool
    seen: Seen
    since: float


class Recogniser:
    """Knows logs by their beginnings.

    Only logs that have given an event are known: before its first one a log has a header at most,
    and every CSV log of a kind has the same.
    """

    def __init__(self, marks: Iterable[Mark]) -> None:
        self._by_head: dict[tuple[int, str], list[Mark]] = {}
        for mark in sorted(marks, key=lambda mark: -mark.offset):
            if mark.events:
                self._by_head.setdefault((mark.head_bytes, mark.head), []).append(mark)
        self._lengths = sorted({length for length, _ in self._by_head}, reverse=True)

    def recognise(self, seen: Seen, *, since: float) -> Copy | None:
        """Find the log that a file is a copy of; of several, the one that was read furthest.

        Damaged if the file cannot be opened.
        """
        if not self._lengths:
            return None
        content = opened(seen.path)
        try:
            alike = self._alike(content)
            for mark in alike:
                if ends(mark, content) is not None:
                    return Copy(log=mark.log, whole=True, seen=seen, since=since)
            if alike and not content.read(alike[0].offset, 1):  # a copy that is being made
                return Copy(log=alike[0].log, whole=False, seen=seen, since=since)
        finally:
            content.close()
        return None

    def _alike(self, content: Content) -> list[Mark]:
        head = content.read(0, self._lengths[0])
        return [
            mark
            for length in self._lengths
            if length <= len(head)
            for mark in self._by_head.get((length, digest(head[:length])), ())
        ]
