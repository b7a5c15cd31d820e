"""Cutting a body into JSON values, and values into events.

A body is a stream of JSON objects with a newline, blanks or nothing between them, or an array of
objects. The newline-separated case is the fast one: a typed decoder runs on each line. A line that
is no single event is cut where one object follows another, and where that does not explain the line
(two braces may be inside a text) brace by brace. An object that is no event is read by `repair`,
which takes numbers written as text and the like, and otherwise says why not.

What cannot be parsed counts as one ``malformed``, and reading resumes after the next newline.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec

from analytics.ingest.events import MAX_COUNT, MAX_PORT, UNSET, Column, Form, Header, Kind
from analytics.ingest.reasons import Reason

MAX_EVENT = 65_536
"""Bytes of one event (contract): a DNS answer list at its longest, with room."""
MAX_DEPTH = 8
"""Nesting of one event (contract): no field of ours is deeper than two."""

BETWEEN = b" \t\r\n,[]"
"""Bytes that may stand between two values; an array's are among them."""

_BOUNDARY = re.compile(rb"(?<=\})[ \t\r,]*(?=\{)")
_TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
# possessive: an unfinished text fails once, not once for each of its quotes
_BRACE = re.compile(rb'(?:[^"{}]++|' + _TEXT + rb")*+([{}])", re.DOTALL)
_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|' + _TEXT + rb")*+([{}\[\]])", re.DOTALL)
_UNSET = frozenset({"", "-"})
_any = msgspec.json.Decoder()


@dataclass(slots=True)
class Decoded:
    """Events of one stretch of a body, and what was not taken from it."""

    events: list[Header] = field(default_factory=list)
    rejected: dict[Reason, int] = field(default_factory=dict)
    broken: bool = False
    """Whether the last line could not be read to its end: what follows of it is no value either."""

    def reject(self, reason: Reason, count: int = 1) -> None:
        """Count `count` values that are not taken."""
        self.rejected[reason] = self.rejected.get(reason, 0) + count

    def take(self, value: Header | Reason) -> None:
        """Add an event, or count why it is none."""
        if isinstance(value, Header):
            self.events.append(value)
        else:
            self.reject(value)


def decode_values(stretch: bytes, kind: Kind) -> Decoded:
    """Decode a stretch of a body that starts and ends between values or at a newline."""
    decoder = _decoder(kind)
    out = Decoded()
    lines = stretch.split(b"\n")
    try:
        if max(map(len, lines)) <= MAX_EVENT and not _is_nested(stretch, lines):
            out.events = [decoder(line) for line in lines if line]
            return out
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        out.events = []
    for line in lines:
        out.broken = not _decode_line(line.strip(BETWEEN), kind, decoder, out)
    return out


def _decoder(kind: Kind) -> Callable[[bytes], Header]:
    decoder = _DECODERS.get(kind.name)
    if decoder is None:
        decoder = _DECODERS[kind.name] = msgspec.json.Decoder(kind.struct).decode
    return decoder


_DECODERS: dict[str, Callable[[bytes], Header]] = {}


def _is_nested(stretch: bytes, lines: list[bytes]) -> bool:
    """Say whether any line may nest deeper than allowed; an event opens one brace at least."""
    filled = len(lines) - lines.count(b"")
    if stretch.count(b"{") + stretch.count(b"[") < filled + MAX_DEPTH:
        return False
    return max(line.count(b"{") + line.count(b"[") for line in lines) > MAX_DEPTH


def _decode_line(line: bytes, kind: Kind, decoder: Callable[[bytes], Header], out: Decoded) -> bool:
    """Decode a line that may hold one event, several, or none; say whether all of it was read."""
    if not line:
        return True
    taken = [_decode_piece(piece, kind, decoder) for piece in _BOUNDARY.split(line)]
    sure = [each for each in taken if each is not None and each not in _DOUBTFUL]
    if len(sure) == len(taken):
        for one in sure:
            out.take(one)
        return True
    done = 0
    for start, end in objects(line):
        each = (
            None
            if line[done:start].strip(BETWEEN)
            else _decode_piece(line[start:end], kind, decoder)
        )
        if each is None:
            break
        out.take(each)
        done = end
    if line[done:].strip(BETWEEN):
        out.reject(Reason.MALFORMED)
        return False
    return True


_DOUBTFUL = (Reason.MALFORMED, Reason.TOO_LARGE)
"""What a piece may be because it was cut inside a text."""


def objects(text: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each whole object starts and ends, braces inside texts left out.

    What stands between objects is not looked at; nothing is yielded past a brace or a text that
    has no partner.
    """
    position = depth = start = 0
    while (brace := _BRACE.match(text, position)) is not None:
        position = brace.end()
        if text[position - 1] == _OPEN:
            if not depth:
                start = position - 1
            depth += 1
        elif not depth:
            return
        else:
            depth -= 1
            if not depth:
                yield start, position


_OPEN = ord("{")


def end_of_values(text: bytes) -> int:
    """Return where the last whole object ends that is known to, 0 where none is.

    Two braces back to back outside a text are the end of one value and the start of the next; an
    odd number of quotes before them says that they are inside one.
    """
    end = text.rfind(b"}{") + 1
    if end:
        quotes = text.count(b'"', 0, end)
        if text.find(b"\\", 0, end) >= 0:
            quotes -= text[:end].replace(b"\\\\", b"").count(b'\\"')
        if quotes % 2 == 0:
            return end
    return max((end for _, end in objects(text)), default=0)


def _decode_piece(
    piece: bytes, kind: Kind, decoder: Callable[[bytes], Header]
) -> Header | Reason | None:
    """Decode one object; ``None`` where it is none."""
    if len(piece) > MAX_EVENT:
        return Reason.TOO_LARGE
    if piece.count(b"{") + piece.count(b"[") > MAX_DEPTH and _depth(piece) > MAX_DEPTH:
        return Reason.MALFORMED
    try:
        return decoder(piece)
    except msgspec.ValidationError:
        return _repaired(piece, kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def _depth(piece: bytes) -> int:
    """Count the deepest nesting, braces and brackets inside texts left out."""
    position = deepest = depth = 0
    while (bracket := _BRACKET.match(piece, position)) is not None:
        position = bracket.end()
        depth += 1 if bracket[1] in b"{[" else -1
        deepest = max(deepest, depth)
    return deepest


def _repaired(piece: bytes, kind: Kind) -> Header | Reason | None:
    try:
        value = _any.decode(piece)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    return repair(value, kind) if isinstance(value, dict) else None


def repair(value: dict[str, object], kind: Kind) -> Header | Reason:
    """Make an event of a JSON object whose fields are not all of the expected type.

    Numbers may be written as text and texts as numbers; ``null``, ``""`` and ``"-"`` mean unset.
    """
    fields: dict[str, object] = {}
    for column in kind.columns:
        raw = value.get(column.name)
        if raw is None or (isinstance(raw, str) and raw in _UNSET):
            continue
        mended = _mended(raw, column)
        if isinstance(mended, Reason):
            return mended
        fields[column.name] = mended
    return kind.make(fields)


def _mended(raw: object, column: Column) -> object:
    if column.form in {Form.ADDRESS, Form.NAME}:
        return raw if isinstance(raw, str) else column.invalid
    if column.form is Form.PORT:
        return _whole(raw, MAX_PORT)
    return _MENDED[column.form](raw)


def _spelling(raw: object) -> object:
    sound = isinstance(raw, str | int | float) and not isinstance(raw, bool)
    return raw if sound else Reason.TS_INVALID


def _plain(raw: object) -> str | Reason:
    sound = isinstance(raw, str | int | float) and not isinstance(raw, bool)
    return str(raw) if sound else Reason.MALFORMED


def _list(raw: object) -> list[str] | Reason:
    texts = [_plain(each) for each in (raw if isinstance(raw, list) else [raw])]
    sound = [text for text in texts if not isinstance(text, Reason)]
    return sound if len(sound) == len(texts) else Reason.MALFORMED


def _flag(raw: object) -> bool | Reason:
    return _FLAGS.get(raw, Reason.MALFORMED) if isinstance(raw, str | int) else Reason.MALFORMED


_FLAGS: dict[str | int, bool] = {
    True: True,
    False: False,
    "true": True,
    "false": False,
    "T": True,
    "F": False,
}  # fmt: skip -- the spellings side by side


def _whole(raw: object, limit: int) -> int | Reason:
    if isinstance(raw, str):
        try:
            raw = int(raw) if raw.lstrip("-").isdecimal() and len(raw) < 21 else float(raw)
        except ValueError:
            return Reason.NUMBER_OUT_OF_RANGE
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return Reason.NUMBER_OUT_OF_RANGE
    if isinstance(raw, float) and not raw.is_integer():
        return Reason.NUMBER_OUT_OF_RANGE
    number = int(raw)
    return number if UNSET < number <= limit else Reason.NUMBER_OUT_OF_RANGE


def _seconds(raw: object) -> float | Reason:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        return Reason.NUMBER_OUT_OF_RANGE
    try:
        number = float(raw)
    except (ValueError, OverflowError):
        return Reason.NUMBER_OUT_OF_RANGE
    return number if 0 <= number <= 1e12 else Reason.NUMBER_OUT_OF_RANGE


_MENDED: dict[Form, Callable[[object], object]] = {
    Form.TIME: _spelling,
    Form.TEXT: _plain,
    Form.LOWER: _plain,
    Form.TEXTS: _list,
    Form.FLAG: _flag,
    Form.COUNT: lambda raw: _whole(raw, MAX_COUNT),
    Form.SECONDS: _seconds,
}
