"""JSON objects with the API's names, or those of ECS or CIM, one a line or one after the other.

A file may also be one array of objects, or have objects over several lines.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, TypeAlias

import msgspec

from tawny.formats.counting import Counting
from tawny.formats.events import Event, Kind, kind_of
from tawny.formats.lines import BYTE_ORDER_MARK, MAX_LINE_BYTES
from tawny.formats.names import kind_by_name
from tawny.formats.parsing import SAMPLE_CHARACTERS, Tally

SAMPLE_BYTES = 4 * SAMPLE_CHARACTERS  # the longest a character is

_BETWEEN = re.compile(r"[\s,\[\]]*", re.ASCII)  # stands between objects of a stream or an array
_UNTERMINATED = "Unterminated string starting at"

# digits stay digits: a time that is a number of seconds does not pass through a double
_objects = msgspec.json.Decoder(dict[str, Any], float_hook=str)
_extents = json.JSONDecoder(parse_int=str, parse_float=str)


_Value: TypeAlias = tuple[dict[str, Any], bytes]  # an object and the bytes that it is of


class _Unfinished(Exception):  # noqa: N818 -- a state of the bytes at hand
    """The value goes on in bytes that have not come yet."""


class NdjsonParser:
    """Reads one file, given in pieces of any size; how it is cut changes nothing.

    ``kind`` is that of every event; without it the file's name tells it, else each object's fields.
    After a value that cannot be read, reading goes on after the next newline, as in the service.
    """

    clockless = False

    def __init__(self, *, file_name: str = "", kind: Kind | None = None) -> None:
        self._count = Counting(kind=kind or kind_by_name(file_name))
        self._begun = False
        self._rest = b""  # from the beginning of a value on that is not whole
        self._dropping = False  # what is left of an unreadable line
        self._line = 1

    @property
    def tally(self) -> Tally:
        """The rows counted so far."""
        return self._count.tally

    @property
    def foreign(self) -> bool:
        """True once the bytes are seen to be no such objects; later pieces are ignored."""
        return self._count.foreign

    @property
    def unfinished(self) -> int:
        """Bytes at the end of what was fed that wait for the rest of their value."""
        return len(self._rest)

    def resume(self) -> bytes:
        """Give nothing: a value needs none that came before."""
        return b""

    def feed(self, piece: bytes) -> list[Event]:
        """Take the next bytes; give the events of every value completed by them."""
        if self.foreign:
            return []
        buffer = self._rest + piece
        if not self._begun:
            if len(buffer) < len(BYTE_ORDER_MARK) and BYTE_ORDER_MARK.startswith(buffer):
                self._rest = buffer
                return []
            self._begun = True
            buffer = buffer.removeprefix(BYTE_ORDER_MARK)
        return self._read(buffer)

    def finish(self) -> list[Event]:
        """Take what is left as the last value; it is malformed unless it is whole."""
        events = [] if self.foreign else self._read(self._rest + b"\n")
        if self._rest and not self.foreign:
            self._refuse("malformed", self._rest)
        self._rest = b""
        self._count.finish()
        return events

    def _read(self, buffer: bytes) -> list[Event]:
        end = max(buffer.rfind(b"\n"), buffer.rfind(b"}")) + 1  # no number or word is cut there
        events: list[Event] = []
        kinds: list[Kind] = []
        for value, raw in self._values(buffer, end):
            text = raw[:SAMPLE_BYTES].decode("utf-8", "backslashreplace")
            event = self._count.map(value, line_number=self._line, text=text)
            if event is not None:
                events.append(event)
                kinds.append(kind_of(event))
            self._line += raw.count(b"\n")
        self._count.observe(events, kinds)
        return events

    def _values(self, buffer: bytes, end: int) -> Iterator[_Value]:
        """Give the objects up to ``end`` with their bytes; keep what is left in ``_rest``."""
        text = buffer[:end].decode(
            "latin-1"
        )  # one character a byte: places in it are places in bytes
        place = 0
        while not self.foreign:
            if self._dropping:
                place = self._drop(buffer, place)
            begin = _beginning(text, place)
            self._line += buffer.count(b"\n", place, begin)
            place = begin
            if place >= end:
                break
            try:
                value, after = _value_at(buffer, text, place, end)
            except _Unfinished:
                if len(buffer) - place <= MAX_LINE_BYTES:
                    break
                value, after = None, len(buffer)
            if after - place > MAX_LINE_BYTES:
                self._refuse("too_large", buffer[place:])
            elif value is None:
                self._refuse("malformed", buffer[place:])
            else:
                yield value, buffer[place:after]
                place = after
        self._rest = buffer[place:]

    def _drop(self, buffer: bytes, place: int) -> int:
        newline = buffer.find(b"\n", place)
        if newline < 0:
            return len(buffer)
        self._dropping = False
        self._line += 1
        return newline + 1

    def _refuse(self, reason: str, raw: bytes) -> None:
        text = raw[:SAMPLE_BYTES].partition(b"\n")[0].decode("utf-8", "backslashreplace")
        self._count.refuse(reason, line_number=self._line, text=text)
        self._dropping = True


def _beginning(text: str, place: int) -> int:
    between = _BETWEEN.match(text, place)
    return between.end() if between else place


def _value_at(buffer: bytes, text: str, place: int, end: int) -> tuple[dict[str, Any] | None, int]:
    """Give the object that begins at ``place``, None for what is none, and where it ends.

    Raises _Unfinished where it does not end before ``end``.
    """
    newline = buffer.find(b"\n", place, end)
    if newline >= 0 and (value := _decoded(buffer[place:newline])) is not None:
        return value, newline
    try:
        _, after = _extents.raw_decode(text, place)
    except RecursionError:
        return None, place
    except json.JSONDecodeError as error:
        in_string = error.msg.startswith(_UNTERMINATED) and "\n" not in text[error.pos :]
        if in_string or not text[error.pos :].strip():
            raise _Unfinished from error
        return None, place
    return _decoded(buffer[place:after]), after


def _decoded(raw: bytes) -> dict[str, Any] | None:
    try:
        return _objects.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    except UnicodeDecodeError:
        return _decoded(raw.decode("utf-8", "backslashreplace").encode())


Parser = NdjsonParser
