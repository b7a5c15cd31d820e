"""One log that is followed: its file, its parser, how far it was read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tawny.formats.events import Event
from tawny.formats.lines import MAX_LINE_BYTES
from tawny.formats.parsing import LogParser
from tawny.sending.contents import CHUNK_BYTES, Content, opened
from tawny.sending.gathering import Gathered, Line
from tawny.sending.marks import HEAD_BYTES, TAIL_BYTES, Mark, Place, digest
from tawny.sending.sources import Damaged

PRIMED_BYTES = 32 << 20
"""Bytes before a mark that are read again to know what other logs refer to: more than an hour of
a busy sensor's ssl log."""


class Replaced(Exception):  # noqa: N818 -- a state of the file, told to the caller and gone on from
    """The file is there, but holds another log now."""


class Memory(Protocol):
    """What the parsers of a run know from one log for the events of another."""

    def state(self) -> bytes:
        """Give everything it knows."""

    def restore(self, state: bytes) -> None:
        """Take up what ``state`` gave; ``msgspec.DecodeError`` where it is nothing of the kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFormat:
    """What sending needs to know of a format.

    ``order`` sorts the names of files so that a log comes after those it refers to; ``primes``
    tells the logs to which others refer, which a new run has to read again; ``memory`` is what the
    parsers share.
    """

    name: str
    parser: Callable[[str], LogParser]
    order: Callable[[str], tuple[Any, ...]] = lambda name: (name,)
    primes: Callable[[str], bool] = lambda _name: False
    memory: Memory | None = None


class Tail:
    """A log from its mark, or its start, on; opened when it is read for the first time.

    ``moved`` is true once its name is another's, and ``overdue`` from then until it was read to its
    end: what it holds comes before any new log, which may be a copy of it.
    ``grown`` is the epoch time at which it last gave a line or moved.
    """

    def __init__(
        self, *, log: int, path: Path, place: Place, log_format: LogFormat, gathered: Gathered
    ) -> None:
        self.log = log
        self.path = path
        self.place = place
        self.moved = False
        self.overdue = False
        self.ended = False
        self.position = 0
        self.grown = 0.0
        self.events = False
        self.gathered = gathered
        self.parser = log_format.parser(str(path))
        self._format = log_format
        self._content: Content | None = None
        self._mark: Mark | None = None
        self._primes = False
        self._head = b""
        self._last = b""
        self._header = b""
        self._waiting = b""  # passed to the parser, which waits for more of it

    @classmethod
    def resumed(
        cls,
        mark: Mark,
        *,
        path: Path,
        place: Place,
        log_format: LogFormat,
        gathered: Gathered,
        primes: bool,
    ) -> "Tail":
        """Go on from a mark; opening says whether the file is still that log.

        ``primes`` says that other logs may still refer to what it holds.
        """
        tail = cls(log=mark.log, path=path, place=place, log_format=log_format, gathered=gathered)
        tail._mark = mark
        tail._primes = primes and log_format.primes(str(path))
        tail.position = mark.offset
        tail.events = mark.events
        return tail

    @property
    def content(self) -> Content | None:
        """The open file, if it is."""
        return self._content

    def open(self) -> None:
        """Open the file; Replaced if it holds another log, Damaged if it cannot be read."""
        content = opened(self.path)
        try:
            self._is_at_home(content)
            self.take(content)
        except BaseException:
            content.close()
            raise

    def _is_at_home(self, content: Content) -> None:
        if _place(content) != self.place:
            raise Damaged("has just been renamed")  # the next scan knows more

    def take(self, content: Content) -> None:
        """Go on in this file: Replaced unless it holds the log up to the position."""
        if self._mark is not None:
            self._take_up(self._mark, content)
        elif not self._holds(content):
            raise Replaced
        self.close()
        self._content = content
        self.place = _place(content)

    def _take_up(self, mark: Mark, content: Content) -> None:
        both = ends(mark, content)
        if both is None:
            raise Replaced
        if self._primes:
            self._prime(content, mark)
        self._head, self._last = both
        self._header = mark.header
        self.parser.feed(mark.header)
        self._mark = None

    def _prime(self, content: Content, mark: Mark) -> None:
        """Read the lines before the mark for what they tell of other logs' events."""
        parser = self._format.parser(str(self.path))
        parser.feed(mark.header)
        place = max(0, mark.offset - PRIMED_BYTES)
        first = place > 0  # a piece of a line
        while place < mark.offset:
            piece = content.read(place, min(CHUNK_BYTES, mark.offset - place))
            if not piece:
                return
            place += len(piece)
            if first:
                piece = piece.partition(b"\n")[2]
                first = False
            parser.feed(piece)

    def _holds(self, content: Content) -> bool:
        """Tell whether the file is as it was, up to the position."""
        if not content.packed and content.status().st_size < self.position:
            return False
        start = self.position - len(self._last)
        return (
            content.read(0, len(self._head)) == self._head
            and content.read(start, len(self._last)) == self._last
        )

    def holds(self) -> bool:
        """Tell whether the open file still is this log."""
        content = self._content
        return content is not None and (content.packed or self._holds(content))

    def lines(self) -> list[bytes]:
        """Give the next whole lines, none where there are no more; Replaced, Damaged.

        What was read counts only if the file is the same log after the reading: one that is cut off
        and grows again meanwhile must not pass for the old one.
        """
        content = self._content
        assert content is not None
        place = self.position + len(self._waiting)
        piece = content.read(place, CHUNK_BYTES)
        end = piece.rfind(b"\n") + 1
        if not end and len(piece) == CHUNK_BYTES:
            piece = content.read(place, MAX_LINE_BYTES + 1)
            end = piece.rfind(b"\n") + 1
            if len(piece) > MAX_LINE_BYTES and not end:
                end = len(piece)  # no log line; the parser counts it
        if not self.holds():
            raise Replaced
        if not end and content.damage:
            raise Damaged(content.damage)
        return _cut(piece[:end])

    def rest(self) -> bytes:
        """Give what comes after the last newline."""
        if self._content is None:
            return b""
        return self._content.read(self.position + len(self._waiting), MAX_LINE_BYTES + 1)

    @property
    def unfinished(self) -> bool:
        """True where the parser holds the beginning of something."""
        return bool(self._waiting)

    def feed(self, raw: bytes) -> Line | None:
        """Map one line and pass it; None while what it belongs to goes on in the next one."""
        first = not self.position
        events = self.parser.feed(raw)
        whole = self._waiting + raw
        done = len(whole) - self.parser.unfinished
        self._waiting = whole[done:]
        if not done:
            return None
        if first or not events or done != len(raw):  # there may be something new to resume with
            self._header = self.parser.resume()
        return self._pass(whole[:done], events)

    def finish(self, rest: bytes) -> Line:
        """Take what no newline ended as the last line."""
        self.ended = True
        whole, self._waiting = self._waiting + rest, b""
        return self._pass(whole, self.parser.feed(rest) + self.parser.finish())

    def _pass(self, raw: bytes, events: list[Event]) -> Line:
        if len(self._head) < HEAD_BYTES:
            self._head += raw[: HEAD_BYTES - len(self._head)]
        self.position += len(raw)
        self._last = raw[-TAIL_BYTES:] or self._last
        self.events = self.events or bool(events)
        return Line(
            end=self.position,
            size=len(raw),
            tail=self._last,
            header=self._header,
            events=events,
            known=self.events,
        )

    def mark(self, *, now: float, line: Line | None = None) -> Mark:
        """Give the mark of a line that was passed, or of the position."""
        if self._mark is not None:
            return self._mark
        end = line.end if line else self.position
        head = self._head[:end]
        last = line.tail if line else self._last
        ended = self.ended and end == self.position
        status = self._content.status() if ended and self._content else None
        return Mark(
            log=self.log,
            path=str(self.path),
            device=self.place[0],
            inode=self.place[1],
            offset=end,
            head_bytes=len(head),
            head=digest(head),
            tail_bytes=len(last),
            tail=digest(last),
            header=line.header if line else self._header,
            events=line.known if line else self.events,
            ended=ended,
            size=status.st_size if status else 0,
            modified=status.st_mtime if status else 0.0,
            seen=int(now),
        )

    def close(self) -> None:
        """Close the file; the next reading opens it again."""
        if self._content is not None:
            self._content.close()
            self._content = None


def opened_for(tail: Tail, path: Path) -> None:
    """Go on with a log in another file; Replaced if that does not hold it, Damaged."""
    content = opened(path)
    try:
        tail.take(content)
    except BaseException:
        content.close()
        raise
    tail.path = path


def ends(mark: Mark, content: Content) -> tuple[bytes, bytes] | None:
    """Give the head and the last line of a mark's log; None if the file does not begin with it."""
    head = content.read(0, mark.head_bytes)
    if digest(head) != mark.head:
        return None
    last = content.read(mark.offset - mark.tail_bytes, mark.tail_bytes)
    return (head, last) if digest(last) == mark.tail else None


def _place(content: Content) -> Place:
    status = content.status()
    return status.st_dev, status.st_ino


def _cut(whole: bytes) -> list[bytes]:
    lines = [line + b"\n" for line in whole.split(b"\n")]
    rest = lines.pop().removesuffix(b"\n")
    return [*lines, rest] if rest else lines  # a piece of an overlong line
