"""One EVE log from bytes to events."""

import msgspec

from tawny.formats.eve.questions import Questions, Told
from tawny.formats.eve.rows import DNS, MAPPERS, Joins, Row, check
from tawny.formats.events import DnsEvent, Event
from tawny.formats.lines import OVERLONG, LineCutter, as_lines
from tawny.formats.parsing import Lent, Skipped, Tally, Unmappable
from tawny.formats.times import Clockface

DOUBTFUL = 16
"""Lines that may be no EVE before the file is taken to be something else: a log that was cut at
its beginning has one."""

UNKNOWN = "unknown"
_RESUMED = '{"tawny_resumed":'


class _Resumed(msgspec.Struct):
    """What ``resume`` gives: a line that is not the file's own."""

    tawny_resumed: tuple[str, list[str], list[str]]


class _Type(msgspec.Struct):
    event_type: str = ""


_rows = msgspec.json.Decoder(Row)
_types = msgspec.json.Decoder(_Type)
_resumed = msgspec.json.Decoder(_Resumed)


class EveParser:
    """Reads one log, given in pieces of any size; how it is cut changes nothing.

    ``joins`` is shared by the parsers of a run: a flow may end in the file after its handshake's.
    A request of DNS is given when its answer comes, or when none has come for a while: the events
    of ``feed`` are not always those of its lines. ``finish`` gives the ones that still wait.
    """

    clockless = False  # Suricata writes the packet's time with its year

    def __init__(self, *, file_name: str = "", joins: Joins | None = None) -> None:
        self.tally = Tally()
        self.foreign = False
        self.file_name = file_name
        self._cutter = LineCutter()
        self._clock = Clockface()
        self._questions = Questions()
        self._joins = Joins() if joins is None else joins
        self._resumable = 0, b""
        self._line = 0
        self._begun = False
        self._doubtful: list[tuple[int, str, str]] = []  # lines before the first good one

    @property
    def unfinished(self) -> int:
        """Bytes at the end of what was fed that wait for the rest of their line."""
        return len(self._cutter.rest)

    def resume(self) -> bytes:
        """Give a line that holds the lines of the questions without an answer."""
        if self._resumable[0] != self._questions.changes:
            line = msgspec.json.encode(_Resumed(tawny_resumed=self._questions.state())) + b"\n"
            self._resumable = self._questions.changes, line
        return self._resumable[1]

    def feed(self, piece: bytes) -> list[Event]:
        """Take the next bytes; give the events that are whole now."""
        if self.foreign:
            return []
        whole = self._cutter.feed(piece)
        return self._read(as_lines(whole)) if whole else []

    def finish(self) -> list[Event]:
        """Take what is left after the last newline; give the events that still wait."""
        rest = self._cutter.finish()
        events = self._read(as_lines(rest)) if rest and not self.foreign else []
        late = self._questions.finish()
        self.tally.observe(DNS, late)
        self.foreign |= bool(self._doubtful)
        return [*events, *late]

    def _read(self, lines: list[str]) -> list[Event]:
        made: dict[str, list[Event]] = {}
        events: list[Event] = []
        for line in lines:
            self._line += 1
            if not line.strip():
                self.tally.blank += 1
                continue
            for log, event in self._read_line(line):
                made.setdefault(log, []).append(event)
                events.append(event)
            if self.foreign:
                break
        for log, found in made.items():
            self.tally.observe(log, found)
        return events

    def _read_line(self, line: str) -> list[tuple[str, Event]]:
        if line.startswith(_RESUMED) and not self._begun:
            self._restore(line)
            return []
        if line == OVERLONG:
            self._refuse(UNKNOWN, "too_large", "")
            return []
        try:
            row = _rows.decode(line)
        except msgspec.ValidationError:
            self._misfit(line)
            return []
        except (msgspec.DecodeError, RecursionError):
            self._refuse(UNKNOWN, "malformed", line)
            return []
        if not row.event_type:
            self._refuse(UNKNOWN, "malformed", line)
            return []
        self._begin()
        return self._map(row, line)

    def _misfit(self, line: str) -> None:
        """Count a line whose values have the wrong type; by its own type, where it has one."""
        try:
            log = _types.decode(line).event_type
        except msgspec.DecodeError:
            log = ""
        if log:
            self._begin()
        if not log or log in MAPPERS or log == DNS:
            self._refuse(log or UNKNOWN, "malformed", line)
        else:
            self.tally.skip(log)

    def _begin(self) -> None:
        self._begun = True
        for number, reason, line in self._doubtful:
            self.tally.refuse(UNKNOWN, reason, line_number=number, text=line)
        self._doubtful.clear()

    def _refuse(self, log: str, reason: str, line: str) -> None:
        if self._begun:
            self.tally.refuse(log, reason, line_number=self._line, text=line)
            return
        self._doubtful.append((self._line, reason, line))
        self.foreign = len(self._doubtful) > DOUBTFUL

    def _map(self, row: Row, line: str) -> list[tuple[str, Event]]:
        log = row.event_type
        late: list[DnsEvent] = []
        try:
            late = self._questions.advance(self._clock(row.timestamp)) if row.timestamp else []
            if log not in MAPPERS and log != DNS:
                raise Skipped  # noqa: TRY301 -- the one place that counts what is passed over
            check(row)
            events = self._events(row, line)
        except Skipped as passed:
            self.tally.skip(log, lent=isinstance(passed, Lent))
            events = []
        except Unmappable as error:
            if log in MAPPERS or log == DNS:
                self._refuse(log, error.reason, line)
            else:
                self.tally.skip(log)
            events = []
        return [(DNS, event) for event in late] + [(log, event) for event in events]

    def _events(self, row: Row, line: str) -> list[Event]:
        """Map one record and count it."""
        if row.event_type != DNS:
            event = MAPPERS[row.event_type](row, self._clock, self._joins)
            self.tally.mapped[row.event_type] += 1
            return [event]
        if row.dns is None:
            raise Unmappable("malformed")
        events, lent = self._questions.take(row, row.dns, self._clock(row.timestamp), line)
        if lent:
            self.tally.skip(DNS, lent=True)
        else:
            self.tally.mapped[DNS] += 1
        return [*events]

    def _restore(self, line: str) -> None:
        resumed = _resumed.decode(line)
        minute, old, young = resumed.tawny_resumed
        self._questions.restore(minute, map(self._told, old), map(self._told, young))
        self._line -= 1
        self._begun = True

    def _told(self, line: str) -> Told:
        row = _rows.decode(line)
        assert row.dns is not None
        return row, row.dns, self._clock(row.timestamp), line
