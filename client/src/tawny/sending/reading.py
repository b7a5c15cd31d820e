"""Reads what the logs have got, cuts it into parcels and brings those to the spool."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tawny.sending.account import Account
from tawny.sending.gathering import Line, Range
from tawny.sending.marks import Mark
from tawny.sending.parcels import Parcel
from tawny.sending.sources import Damaged
from tawny.sending.spool import Spool
from tawny.sending.tails import Replaced, Tail
from tawny.sending.watch import Watch

AGE_SECONDS = 5.0  # how long an event waits for others to be sent with
AHEAD = 8  # parcels in the spool while the service takes them: the logs keep the rest


@dataclass(slots=True, kw_only=True)
class Reader:
    """Goes over the logs of a watch; every step takes the clocks as arguments.

    ``now`` is epoch seconds, ``tick`` seconds of a clock that never jumps. ``outage`` tells whether
    the service takes nothing: then logs are read into the spool to its limit, before they rotate
    away. ``waits_for`` says what keeps the reading back, if anything does; ``caught_up`` that the
    last poll came to the end of every log. ``unended`` says to take what no newline ends as the
    last line even of a log that has not moved, once it is not written to any more.
    """

    watch: Watch
    spool: Spool
    account: Account
    outage: Callable[[], bool]
    said: Callable[[str], None]
    age: float = AGE_SECONDS
    unended: bool = False
    read: int = 0  # bytes
    waits_for: str = ""
    caught_up: bool = False
    _unstored: list[Parcel] = field(default_factory=list)
    _passed: dict[int, Mark] = field(default_factory=dict)  # without events, for the next parcel
    _passed_since: float = 0.0
    _stalled: dict[int, int] = field(default_factory=dict)  # log, size at which it was damaged

    def poll(self, *, now: float, tick: float) -> bool:
        """Look where the logs are and read on; True if there is more to read."""
        self.watch.scan(now=now)
        return self.go_on(now=now, tick=tick)

    def go_on(self, *, now: float, tick: float) -> bool:
        """Read on in the logs as they were last seen; True if there is more to read."""
        self.caught_up = False
        if not self._has_room():
            return not self.waits_for
        for tail in self.watch.in_order():
            if not self._read(tail, now=now, tick=tick):
                return not self.waits_for
        self._send_aged(now=now, tick=tick)
        self.watch.spare()
        self.caught_up = True
        return False

    def flush(self, *, now: float, tick: float) -> bool:
        """Bring everything that was read to the spool; False if the disk does not take it."""
        for tail in self.watch.in_order():
            self._ship(tail, tail.gathered.all(tick=tick), now=now)
        if self._passed and not self._unstored:
            self._store(Parcel(marks=self._taken_marks(), parts=[]))
        return self._store_again()

    def close(self) -> None:
        """Close the files and enter what was read in the account."""
        for tail in list(self.watch.tails.values()):
            if tail.log in self._stalled:
                self._say_damaged(tail, "damaged, or still being written")
            self._settle(tail)
            tail.close()
        self.account.damaged.update(self.watch.refused)

    @property
    def behind(self) -> int:
        """The bytes of the logs that were not read."""
        return self.watch.behind()

    # One log

    def _read(self, tail: Tail, *, now: float, tick: float) -> bool:
        """Read a log to its end; False if something keeps the reading back."""
        if tail.content is None and not self._opened(tail, now=now):
            gone = self.watch.seen(tail) is None and self.watch.quiet(tail, now=now)
            return self._end(tail, now=now, tick=tick) if gone else True
        while True:
            try:
                lines = tail.lines()
            except Replaced:
                self.watch.replaced(tail)
                return True
            except Damaged as error:
                return self._stall(tail, error, now=now, tick=tick)
            if not lines:
                return self._pause(tail, now=now, tick=tick)
            tail.grown = now
            for raw in lines:
                self._take(tail, tail.feed(raw), now=now, tick=tick)
            self.read += sum(map(len, lines))
            if tail.parser.foreign:
                self._leave(tail)
                return True
            if not self._has_room():
                return False

    def _take(self, tail: Tail, line: Line | None, *, now: float, tick: float) -> None:
        if line is not None:
            self._ship(tail, tail.gathered.add(line, tick=tick), now=now)

    def _opened(self, tail: Tail, *, now: float) -> bool:
        seen = self.watch.seen(tail)
        if seen is None:
            return False
        if self._stalled.get(tail.log) == seen.size and not self.watch.settled(tail, now=now):
            return False
        self.watch.spare()
        try:
            tail.open()
        except Replaced:
            self.watch.replaced(tail)
            return False
        except Damaged as error:
            self.watch.refuse(tail.path, error)
            return False
        self.watch.refused.pop(str(tail.path), None)
        return True

    def _stall(self, tail: Tail, error: Damaged, *, now: float, tick: float) -> bool:
        """Wait whether a damaged file is one that is being written; if not, take what there is."""
        seen = self.watch.seen(tail)
        if seen is not None and not self.watch.settled(tail, now=now):
            self._stalled[tail.log] = seen.size
            tail.close()
            return True
        self._say_damaged(tail, str(error))
        return self._end(tail, now=now, tick=tick)

    def _say_damaged(self, tail: Tail, why: str) -> None:
        self.account.damaged[str(tail.path)] = why
        self.said(f"{tail.path}: {why}; the rows before the damage count")

    def _pause(self, tail: Tail, *, now: float, tick: float) -> bool:
        """Leave a log at its end, for good if it is not expected to get more."""
        tail.overdue = False
        packed = tail.content is not None and tail.content.packed
        if packed or self.watch.quiet(tail, now=now):
            return self._end(tail, now=now, tick=tick)
        return True

    def _end(self, tail: Tail, *, now: float, tick: float) -> bool:
        packed = tail.content is not None and tail.content.packed
        takes = packed or tail.moved or self.unended
        rest = tail.rest() if takes else b""
        if packed or rest or (takes and tail.unfinished):
            self._take(tail, tail.finish(rest), now=now, tick=tick)
        self._ship(tail, tail.gathered.all(tick=tick), now=now)
        self._stalled.pop(tail.log, None)
        if tail.parser.foreign:
            self._leave(tail)
        else:
            tail.ended = tail.content is not None and not (tail.unfinished or tail.rest())
            mark = tail.mark(now=now)
            if mark.offset:
                self._passed[tail.log] = mark
            self._settle(tail)
            self.watch.rest(tail, mark)
        return self._has_room()

    def _leave(self, tail: Tail) -> None:
        self.account.foreign.append(str(tail.path))
        self._settle(tail)
        self.watch.leave(tail)

    def _settle(self, tail: Tail) -> None:
        """Enter a log's rows in the account."""
        self.account.files += 1
        self.account.tally.add(tail.parser.tally)
        if tail.parser.clockless:
            self.account.clockless.append(str(tail.path))

    # To the spool

    def _ship(self, tail: Tail, cut: Range | None, *, now: float) -> None:
        if cut is None:
            return
        mark = tail.mark(now=now, line=cut.last)
        if cut.parts:
            self._passed.pop(tail.log, None)
            self._store(Parcel(marks=[mark, *self._taken_marks()], parts=cut.parts))
        else:
            self._passed[tail.log] = mark

    def _taken_marks(self) -> list[Mark]:
        marks = list(self._passed.values())
        self._passed.clear()
        return marks

    def _send_aged(self, *, now: float, tick: float) -> None:
        for tail in self.watch.in_order():
            if tail.gathered and tick - tail.gathered.since >= self.age:
                self._ship(tail, tail.gathered.aged(tick=tick), now=now)
        if not self._passed:
            self._passed_since = tick
        elif tick - self._passed_since >= self.age:
            self._store(Parcel(marks=self._taken_marks(), parts=[]))

    def _store(self, parcel: Parcel) -> None:
        self._unstored.append(parcel)
        self._store_again()

    def _store_again(self) -> bool:
        """Bring to the disk what it did not take before, in its order."""
        while self._unstored:
            try:
                self.spool.append(self._unstored[0])
            except OSError as error:
                self._wait_for(f"the disk of the spool ({error.strerror or error})")
                return False
            self._unstored.pop(0)
        return True

    def _has_room(self) -> bool:
        """Tell whether more may be read; what keeps it back is said once."""
        if not self._store_again():
            return False
        if self.spool.full:
            self._wait_for("room in the spool")
            return False
        if self.waits_for:
            self.said("reading goes on")
            self.waits_for = ""
        return self.spool.waiting < AHEAD or self.outage()

    def _wait_for(self, what: str) -> None:
        if what != self.waits_for:
            self.waits_for = what
            self.said(f"reading waits for {what}; nothing is lost, the logs keep it")
