"""Bytes cut into lines, whatever the pieces they come in."""

from dataclasses import dataclass

MAX_LINE_BYTES = 1 << 20  # 16 times the server's limit for one event: more is no log line
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

OVERLONG = "\x00"
"""What stands in the place of a line longer than ``MAX_LINE_BYTES``; no log has such a line."""

_OVERLONG = OVERLONG.encode()


@dataclass(slots=True)
class LineCutter:
    """Cuts pieces into whole lines, keeping the unfinished one; bounded by ``MAX_LINE_BYTES``.

    A byte order mark at the beginning is cut off. ``rest`` is the line that has no end yet.
    """

    rest: bytes = b""
    dropping: bool = False
    begun: bool = False

    def feed(self, piece: bytes) -> bytes:
        """Give the bytes up to the last newline, or none; ``OVERLONG`` for each overlong line."""
        if not self.begun:
            piece = self._begin(piece)
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
        if len(whole) > MAX_LINE_BYTES:
            whole = _without_overlong(whole)
        if len(self.rest) > MAX_LINE_BYTES:
            self.rest = b""
            self.dropping = True
            whole += _OVERLONG + b"\n"
        return whole

    def _begin(self, piece: bytes) -> bytes:
        piece = self.rest + piece
        self.rest = b""
        if len(piece) < len(BYTE_ORDER_MARK) and BYTE_ORDER_MARK.startswith(piece):
            self.rest = piece
            return b""
        self.begun = True
        return piece.removeprefix(BYTE_ORDER_MARK)

    def finish(self) -> bytes:
        """Give the line that no newline ended."""
        rest, self.rest = self.rest, b""
        return rest


def _without_overlong(whole: bytes) -> bytes:
    return b"\n".join(
        _OVERLONG if len(line) > MAX_LINE_BYTES else line for line in whole.split(b"\n")
    )


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
