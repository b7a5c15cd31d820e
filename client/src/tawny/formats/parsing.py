"""What every log format offers: feed bytes, take events, read the tally."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from tawny.formats.events import Event

MAX_LINE_BYTES = 1 << 20  # 16 times the server's limit for one event: more is no log line


class Unmappable(ValueError):  # noqa: N818 -- a state of the row, counted and gone on from
    """A row that cannot become an event; ``reason`` is one of the server's rejection reasons."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True, kw_only=True)
class Tally:
    """Rows counted by the log kind they came from; read = mapped + malformed for kinds we map.

    ``skipped`` counts rows of kinds that have no event here, ``reasons`` the malformed ones.
    """

    mapped: Counter[str] = field(default_factory=Counter)
    malformed: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def refuse(self, log: str, reason: str) -> None:
        """Count one row of ``log`` that could not be mapped."""
        self.malformed[log] += 1
        self.reasons[reason] += 1

    def add(self, other: "Tally") -> None:
        """Add another tally's counts to this one."""
        self.mapped.update(other.mapped)
        self.malformed.update(other.malformed)
        self.skipped.update(other.skipped)
        self.reasons.update(other.reasons)


class LogParser(Protocol):
    """Reads one log, given in pieces of any size; how it is cut changes nothing."""

    @property
    def tally(self) -> Tally:
        """The rows counted so far."""

    @property
    def foreign(self) -> bool:
        """True once the bytes are seen to be no log of this format; later pieces are ignored."""

    @property
    def clockless(self) -> bool:
        """True once a time before 1980 was taken as an offset from the log's opening."""

    def feed(self, piece: bytes) -> list[Event]:
        """Take the next bytes; give the events of every line completed by them."""

    def finish(self) -> list[Event]:
        """Take what is left after the last newline as the last line."""


@dataclass(slots=True)
class LineCutter:
    """Cuts pieces into whole lines, keeping the unfinished one; bounded by ``MAX_LINE_BYTES``."""

    rest: bytes = b""
    dropping: bool = False
    dropped: int = 0

    def feed(self, piece: bytes) -> bytes:
        """Give the bytes up to the last newline, or none; count overlong lines in ``dropped``."""
        if self.dropping:
            end = piece.find(b"\n")
            if end < 0:
                return b""
            piece = piece[end + 1 :]
            self.dropping = False
        end = piece.rfind(b"\n") + 1
        if not end:
            self.rest += piece
            whole = b""
        else:
            whole = self.rest + piece[:end]
            self.rest = piece[end:]
        if len(self.rest) > MAX_LINE_BYTES:
            self.rest = b""
            self.dropping = True
            self.dropped += 1
        return whole if len(whole) <= MAX_LINE_BYTES else self._short_lines(whole)

    def _short_lines(self, whole: bytes) -> bytes:
        lines = whole.split(b"\n")
        short = [line for line in lines if len(line) <= MAX_LINE_BYTES]
        self.dropped += len(lines) - len(short)
        return b"\n".join(short)

    def finish(self) -> bytes:
        """Give the line that no newline ended."""
        rest, self.rest = self.rest, b""
        return rest


def as_lines(whole: bytes) -> list[str]:
    r"""Split into lines without their ends; a byte that is not UTF-8 becomes ``\xNN``, as in Zeek.

    Only ``\n`` ends a line: other characters that Unicode calls line ends belong to values.
    """
    text = whole.decode("utf-8", "backslashreplace")
    if "\r" in text:
        text = text.replace("\r\n", "\n").removesuffix("\r")
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return lines
