"""What the parsers of values of any schema share: mapping one of them, and counting it."""

from collections.abc import Mapping
from typing import Any

from tawny.formats.events import Event, Kind
from tawny.formats.fields import event_of, kind_by_fields, vocabulary_of
from tawny.formats.flat import flat
from tawny.formats.parsing import Skipped, Tally, Unmappable
from tawny.formats.times import Clockface

UNKNOWN = "unknown"

DOUBTFUL = 16
"""Values that may be unreadable before the file is taken to be something else: one that was cut at
its beginning has one."""


class Counting:
    """Maps named values to events and counts them; the log kind is the event's.

    Values that are unreadable before the first good one are kept back: a file of nothing else is
    foreign and has no malformed rows.
    """

    def __init__(self, *, kind: Kind | None) -> None:
        self.tally = Tally()
        self.foreign = False
        self.begun = False
        self.kind = kind
        self._clock = Clockface()
        self._doubtful: list[tuple[int, str, str]] = []

    def map(self, values: Mapping[str, Any], *, line_number: int, text: str) -> Event | None:
        """Map one value; None where it is refused or passed over."""
        self.begin()
        values = flat(values)
        kind = self.kind or kind_by_fields(values)
        if kind is None:
            self.refuse("malformed", line_number=line_number, text=text)
            return None
        try:
            event = event_of(values, kind, vocabulary_of(values), self._clock)
        except Skipped:
            self.tally.skip(kind)
            return None
        except Unmappable as error:
            self.tally.refuse(kind, error.reason, line_number=line_number, text=text)
            return None
        self.tally.mapped[kind] += 1
        return event

    def begin(self) -> None:
        """Hear that the file is one of this format."""
        self.begun = True
        for number, reason, text in self._doubtful:
            self.tally.refuse(self.kind or UNKNOWN, reason, line_number=number, text=text)
        self._doubtful.clear()

    def refuse(self, reason: str, *, line_number: int, text: str) -> None:
        """Count a value that cannot be read, once the file is known to have good ones."""
        if self.begun:
            log = self.kind or UNKNOWN
            self.tally.refuse(log, reason, line_number=line_number, text=text)
            return
        self._doubtful.append((line_number, reason, text))
        self.foreign = len(self._doubtful) > DOUBTFUL

    def observe(self, events: list[Event], kinds: list[Kind]) -> None:
        """Enter the events of one piece, in their order."""
        for kind in dict.fromkeys(kinds):
            self.tally.observe(
                kind, [event for event, of in zip(events, kinds, strict=True) if of == kind]
            )

    def finish(self) -> None:
        """Hear that nothing follows."""
        self.foreign |= bool(self._doubtful)
