"""One Zeek log, TSV or JSON or several one after the other, from bytes to events."""

import msgspec

from tawny.formats.events import Event
from tawny.formats.parsing import LineCutter, Tally, Unmappable, as_lines
from tawny.formats.times import Clockface
from tawny.formats.zeek import jsonl, kinds, tsv
from tawny.formats.zeek.header import Header

_ROW_ENDS = frozenset({"", "#", "{"})  # how a line starts that is no TSV row


class ZeekParser:
    """Reads one log, given in pieces of any size; how it is cut changes nothing.

    ``file_name`` is the last hint to the kind of a log whose rows do not tell it.
    """

    def __init__(self, *, file_name: str = "") -> None:
        self.tally = Tally()
        self.foreign = False
        self._hint = kinds.name_hint(file_name)
        self._cutter = LineCutter()
        self._clock = Clockface()
        self._object_clock = Clockface()  # JSON has no header, so nothing to count from
        self._header = Header()
        self._fed = False
        self._begun = False  # a header with columns or a JSON row was seen
        self._log = kinds.UNKNOWN
        self._mappers: tuple[tsv.RowMapper, tsv.RowMapper] | None = None

    @property
    def clockless(self) -> bool:
        """True once a time before 1980 was taken as an offset from the log's ``#open``."""
        return self._clock.clockless

    def feed(self, piece: bytes) -> list[Event]:
        """Take the next bytes; give the events of every line completed by them."""
        if self.foreign:
            return []
        if not self._fed and piece:
            self._fed = True
            piece = piece.removeprefix(b"\xef\xbb\xbf")
        dropped = self._cutter.dropped
        whole = self._cutter.feed(piece)
        events = self._read(as_lines(whole)) if whole else []
        for _ in range(self._cutter.dropped - dropped):
            self._refuse_overlong()
        return events

    def finish(self) -> list[Event]:
        """Take what is left after the last newline as the last line."""
        rest = self._cutter.finish()
        events = self._read(as_lines(rest)) if rest and not self.foreign else []
        self.foreign |= self._fed and not self._begun
        return events

    def _refuse_overlong(self) -> None:
        if self._begun:
            self.tally.refuse(self._log, "too_large")
        else:
            self.foreign = True

    def _read(self, lines: list[str]) -> list[Event]:
        events: list[Event] = []
        place = 0
        while place < len(lines) and not self.foreign:
            line = lines[place]
            if line.startswith("#"):
                self._read_header(line)
                place += 1
            elif line.startswith("{"):
                self._read_object(line, events)
                place += 1
            elif not line:
                place += 1
            elif not self._header.fields:
                self.foreign = True
            elif self._mappers:
                place = self._read_rows(lines, place, events)
            else:
                place = self._skip_rows(lines, place)
        return events

    def _read_header(self, line: str) -> None:
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
        if self._log in kinds.MAPPED:
            mapper = tsv.mapper(header, self._log, self._clock)
            self._mappers = mapper, tsv.careful(mapper, header)

    def _read_rows(self, lines: list[str], place: int, events: list[Event]) -> int:
        """Map the rows from ``place`` on; give the place of the first line that is none."""
        assert self._mappers
        plain, careful = self._mappers
        separator, unset = self._header.separator, self._header.unset
        width = len(self._header.fields)
        before = len(events)
        for line in lines[place:] if place else lines:
            if line[:1] in _ROW_ENDS:
                break
            place += 1
            row = line.split(separator)
            if len(row) != width:
                self.tally.refuse(self._log, "malformed")
                continue
            row.append(unset)
            try:
                events.append(careful(row) if "\\" in line else plain(row))
            except Unmappable as error:
                self.tally.refuse(self._log, error.reason)
            except ValueError:
                self.tally.refuse(self._log, "malformed")
        self.tally.mapped[self._log] += len(events) - before
        return place

    def _skip_rows(self, lines: list[str], place: int) -> int:
        start = place
        while place < len(lines) and lines[place][:1] not in _ROW_ENDS:
            place += 1
        self.tally.skipped[self._log] += place - start
        return place

    def _read_object(self, line: str, events: list[Event]) -> None:
        try:
            log, row = jsonl.decode(line, self._hint)
        except msgspec.DecodeError:
            if self._begun:
                self.tally.refuse(self._log, "malformed")
            else:
                self.foreign = True
            return
        self._begun = True
        self._log = log
        if log not in kinds.MAPPED:
            self.tally.skipped[log] += 1
        elif row is None:
            self.tally.refuse(log, "malformed")
        else:
            self._map_object(row, log, events)

    def _map_object(self, row: jsonl.Row, log: str, events: list[Event]) -> None:
        try:
            events.append(jsonl.to_event(row, log, self._object_clock))
        except Unmappable as error:
            self.tally.refuse(log, error.reason)
        else:
            self.tally.mapped[log] += 1
