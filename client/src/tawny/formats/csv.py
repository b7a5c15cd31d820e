"""Comma-separated values under a header row; also with semicolons, tabs and quoted values."""

import csv
from collections.abc import Mapping

from tawny.formats.counting import Counting
from tawny.formats.events import Event, Kind, kind_of
from tawny.formats.lines import OVERLONG, LineCutter, as_lines
from tawny.formats.names import kind_by_name
from tawny.formats.parsing import Tally
from tawny.formats.vocabularies import CIM, ECS, OWN

DELIMITERS = (",", ";", "\t")
QUOTE = '"'

RECORD_LINES = 64
"""Lines that one quoted value may go over: more is a quotation mark that nobody closed."""

KNOWN: frozenset[str] = frozenset(
    name
    for vocabulary in (OWN, ECS, CIM)
    for fields in vocabulary.values()
    for names in fields.values()
    for name in names
)
"""Every name that a header can have to any use."""


class CsvParser:
    """Reads one file, given in pieces of any size; how it is cut changes nothing.

    Its first line names the columns, by the API's names, ECS's or CIM's, or by those that
    ``columns`` gives for the API's (``{"srcIP": "Client address"}``). ``kind`` is that of every
    event; without it the file's name tells it, else the columns do.
    """

    clockless = False

    def __init__(
        self,
        *,
        file_name: str = "",
        kind: Kind | None = None,
        columns: Mapping[str, str] | None = None,
    ) -> None:
        self._count = Counting(kind=kind or kind_by_name(file_name))
        self._columns = {header: field for field, header in (columns or {}).items()}
        self._cutter = LineCutter()
        self._line = 0
        self._delimiter = ","
        self._names: list[str] = []
        self._header = ""
        self._open: list[str] = []  # lines of a record whose quotation is not closed

    @property
    def tally(self) -> Tally:
        """The rows counted so far."""
        return self._count.tally

    @property
    def foreign(self) -> bool:
        """True once the first line names no column that is known; later pieces are ignored."""
        return self._count.foreign

    @property
    def unfinished(self) -> int:
        """Bytes at the end of what was fed that wait for the rest of their record."""
        return len(self._cutter.rest) + sum(len(line.encode()) + 1 for line in self._open)

    def resume(self) -> bytes:
        """Give the line that names the columns."""
        return self._header.encode() + b"\n" if self._names else b""

    def feed(self, piece: bytes) -> list[Event]:
        """Take the next bytes; give the events of every record completed by them."""
        if self.foreign:
            return []
        whole = self._cutter.feed(piece)
        return self._read(as_lines(whole), last=False) if whole else []

    def finish(self) -> list[Event]:
        """Take what is left as the last record."""
        rest = self._cutter.finish()
        return [] if self.foreign else self._read(as_lines(rest) if rest else [], last=True)

    def _read(self, lines: list[str], *, last: bool) -> list[Event]:
        events: list[Event] = []
        waiting = lines[::-1]  # the next line at the end
        while not self.foreign:
            if waiting:
                self._open.append(waiting.pop())
                self._line += 1
            elif not (last and self._open):
                break
            closed = self._record(tuple(self._open))
            if closed is None and (len(self._open) > RECORD_LINES or (last and not waiting)):
                first, *others = self._open
                self._line -= len(others)
                waiting += others[::-1]
                self._open.clear()
                self._count.refuse("malformed", line_number=self._line, text=first)
            elif closed is not None:
                text = "\n".join(self._open)
                number = self._line - len(self._open) + 1
                self._open.clear()
                self._take(closed, number, text, events)
        self._count.observe(events, [kind_of(event) for event in events])
        return events

    def _record(self, lines: tuple[str, ...]) -> list[str] | None:
        """Cut a record into its values; None while a quotation is open."""
        [first, *_] = lines
        if len(lines) == 1 and QUOTE not in first:
            return first.split(self._delimiter) if self._names else [first]
        if not self._names:
            return [first]
        try:
            rows = list(
                csv.reader([f"{line}\n" for line in lines], delimiter=self._delimiter, strict=True)
            )
        except csv.Error:
            return None
        return rows[0] if rows else []

    def _take(self, values: list[str], number: int, text: str, events: list[Event]) -> None:
        if not text.strip():
            self.tally.blank += 1
        elif text == OVERLONG:
            self._count.refuse("too_large", line_number=number, text="")
        elif not self._names:
            self._take_header(text)
        elif text == self._header:  # again: a file of several, or the one to resume with
            self.tally.headers += 1
        elif len(values) != len(self._names):
            self._count.refuse("malformed", line_number=number, text=text)
        else:
            event = self._count.map(
                dict(zip(self._names, map(str.strip, values), strict=True)),
                line_number=number,
                text=text,
            )
            if event is not None:
                events.append(event)

    def _take_header(self, text: str) -> None:
        self._delimiter = sniff(text)
        try:
            [names] = csv.reader([text], delimiter=self._delimiter)
        except (csv.Error, ValueError):
            names = []
        names = [self._columns.get(name.strip(), name.strip()) for name in names]
        if len(known(names)) < 2:
            self._count.foreign = True
            return
        self._names = names
        self._header = text
        self.tally.headers += 1
        self._count.begin()


def sniff(header: str) -> str:
    """Tell the delimiter of a header: of those there are, the one that it has most often."""
    return max(DELIMITERS, key=header.count)


def known(names: list[str]) -> frozenset[str]:
    """Give the names that a vocabulary has."""
    return KNOWN.intersection(names)


Parser = CsvParser
