"""One Zeek log, TSV or JSON or several one after the other, from bytes to events."""

import re

import msgspec

from tawny.formats.events import Event
from tawny.formats.lines import OVERLONG, LineCutter, as_lines
from tawny.formats.parsing import Lent, Skipped, Tally, Unmappable
from tawny.formats.times import Clockface
from tawny.formats.zeek import jsonl, kinds, rows, tsv
from tawny.formats.zeek.header import RESUMED, Header
from tawny.formats.zeek.joins import Joins

_ROW_ENDS = frozenset({"", "#", "{", OVERLONG})  # how a line starts that is no TSV row

_AFTER_HASH = "$"  # rows begin with a digit or a letter: a line below this may be no row

_PASSWORD = re.compile(r'("password"\s*:\s*)"(?:[^"\\]|\\.)*"?')


class ZeekParser:
    """Reads one log, given in pieces of any size; how it is cut changes nothing.

    ``file_name`` is the last hint to the kind of a log whose rows do not tell it. ``joins`` is
    shared by the parsers of a run, which read their files in ``reading_order``.
    """

    def __init__(self, *, file_name: str = "", joins: Joins | None = None) -> None:
        self.tally = Tally()
        self.foreign = False
        self._joins = Joins() if joins is None else joins
        self._hint = kinds.name_hint(file_name)
        self._cutter = LineCutter()
        self._clock = Clockface()
        self._object_clock = Clockface()  # JSON has no header, so nothing to count from
        self._header = Header()
        self._fed = False
        self._begun = False  # a header with columns or a JSON row was seen
        self._restoring = False  # the header comes from ``resume`` and is no line of the file
        self._log = kinds.UNKNOWN
        self._escaped = False  # a backslash stands somewhere in the lines at hand
        self._line = 0  # of the file: those before the ones at hand
        self._mappers: tuple[tsv.RowMapper, tsv.RowMapper] | None = None

    @property
    def clockless(self) -> bool:
        """True once a time before 1980 was taken as an offset from the log's ``#open``."""
        return self._clock.clockless

    @property
    def unfinished(self) -> int:
        """Bytes at the end of what was fed that wait for the rest of their line."""
        return len(self._cutter.rest)

    def resume(self) -> bytes:
        """Give the header that the next row is read by; nothing for JSON, which has none.

        It begins with a mark of its own, so that its lines are not counted as the file's.
        """
        return self._header.as_bytes() if self._header.fields else b""

    def feed(self, piece: bytes) -> list[Event]:
        """Take the next bytes; give the events of every line completed by them."""
        if self.foreign:
            return []
        self._fed |= bool(piece)
        whole = self._cutter.feed(piece)
        return self._read(whole) if whole else []

    def finish(self) -> list[Event]:
        """Take what is left after the last newline as the last line."""
        rest = self._cutter.finish()
        events = self._read(rest) if rest and not self.foreign else []
        self.foreign |= self._fed and not self._begun
        return events

    def _read(self, whole: bytes) -> list[Event]:
        lines = as_lines(whole)
        self._escaped = b"\\" in whole or not whole.isascii()
        events: list[Event] = []
        objects: dict[str, list[Event]] = {}
        place = 0
        while place < len(lines) and not self.foreign:
            line = lines[place]
            if line.startswith("{"):
                self._read_object(line, place, events, objects)
                place += 1
            elif line.startswith("#"):
                self._read_header(line)
                place += 1
            elif not line:
                self.tally.blank += 1
                place += 1
            elif line == OVERLONG:
                self._refuse_overlong(place)
                place += 1
            elif not self._header.fields:
                self.foreign = True
            elif self._mappers:
                place = self._read_rows(lines, place, events)
            else:
                place = self._skip_rows(lines, place)
        for log, made in objects.items():
            self.tally.observe(log, made)
        self._line += len(lines)
        return events

    def _refuse_overlong(self, place: int) -> None:
        if self._begun:
            self._refuse(self._log, "too_large", place)
        else:
            self.foreign = True

    def _refuse(self, log: str, reason: str, place: int, text: str = "") -> None:
        self.tally.refuse(log, reason, line_number=self._line + place + 1, text=text)

    def _read_header(self, line: str) -> None:
        if line.startswith(RESUMED):
            self._restoring = line.endswith("begin")
            self._line -= 1
            return
        if self._restoring:
            self._line -= 1
        else:
            self.tally.headers += 1
        header = self._header.read(line)
        if header == self._header:
            return
        self._header = header
        self._clock.count_from(header.opened)
        self._mappers = None
        if not header.fields:
            return
        self._begun = True
        self._log = header.path or kinds.by_columns(header.fields.__contains__, self._hint)
        if self._log in kinds.FAMILIES:
            mapper = tsv.mapper(header, self._log, self._clock, self._joins)
            self._mappers = mapper, tsv.careful(mapper, header, self._log)

    def _read_rows(self, lines: list[str], place: int, events: list[Event]) -> int:
        """Map the rows from ``place`` on; give the place of the first line that is none."""
        assert self._mappers
        plain, careful = self._mappers
        separator, unset = self._header.separator, self._header.unset
        width = len(self._header.fields)
        before = len(events)
        block = lines[place:] if place else lines
        end = len(lines)
        for number, line in enumerate(block, place):
            row = line.split(separator)
            if (len(row) != width or line < _AFTER_HASH or width == 1) and line[:1] in _ROW_ENDS:
                end = number
                break
            if len(row) == width:
                row.append(unset)
            elif row[width:] == [""]:  # some tools end a row in a separator
                row[width] = unset
            else:
                self._refuse(self._log, "malformed", number, line)
                continue
            try:
                events.append(careful(row) if self._escaped and "\\" in line else plain(row))
            except Skipped as passed:
                self.tally.skip(self._log, lent=isinstance(passed, Lent))
            except Unmappable as error:
                self._refuse(self._log, error.reason, number, self._without_password(row))
            except ValueError:
                self._refuse(self._log, "malformed", number, self._without_password(row))
        if len(events) > before:
            self.tally.mapped[self._log] += len(events) - before
            self.tally.observe(self._log, events[before:])
        return end

    def _without_password(self, row: list[str]) -> str:
        """Write the row again, for a sample; it may be one of http."""
        return self._header.separator.join(
            self._header.unset if name == "password" else value
            for name, value in zip(self._header.fields, row, strict=False)
        )

    def _skip_rows(self, lines: list[str], place: int) -> int:
        start = place
        while place < len(lines) and lines[place][:1] not in _ROW_ENDS:
            place += 1
        self.tally.skipped[self._log] += place - start
        return place

    def _read_object(
        self, line: str, place: int, events: list[Event], made: dict[str, list[Event]]
    ) -> None:
        try:
            log, row = jsonl.decode(line, self._hint, self._log)
        except msgspec.DecodeError:
            if self._begun:
                self._refuse(self._log, "malformed", place, _PASSWORD.sub(r'\1"-"', line))
            else:
                self.foreign = True
            return
        self._begun = True
        self._log = log
        if log not in kinds.FAMILIES:
            self.tally.skip(log)
            return
        if row is None:
            self._refuse(log, "malformed", place, _PASSWORD.sub(r'\1"-"', line))
            return
        try:
            event = rows.event_of(row, log, self._object_clock, self._joins)
        except Skipped as passed:
            self.tally.skip(log, lent=isinstance(passed, Lent))
        except Unmappable as error:
            self._refuse(log, error.reason, place, _PASSWORD.sub(r'\1"-"', line))
        else:
            self.tally.mapped[log] += 1
            events.append(event)
            made.setdefault(log, []).append(event)
