"""Which logs there are: found, renamed, cut off, copied, compressed, gone.

A log keeps its number through all of that. Where its file is decides device and inode; whether it
is still that log, and which new file is an old log, decides the content (``marks``, ``copies``).
"""

import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from tawny.sending.copies import Copy, Recogniser, Seen
from tawny.sending.gathering import Gathered
from tawny.sending.marks import Mark, Place
from tawny.sending.sources import Damaged, find
from tawny.sending.tails import LogFormat, Replaced, Tail, opened_for

SETTLED_SECONDS = 60.0
"""How long a log that has another name, or none, may still get lines: a writer goes on in it until
it is told of the rotation, which logrotate does within the second."""

IDLE_SECONDS = 3600.0  # a log of the usual name may be quiet for long; then its file is closed
OPEN_FILES = 256  # a quarter of the usual limit of a process


@dataclass(slots=True, kw_only=True)
class Watch:
    """The logs of some paths; ``scan`` looks where they are, ``tails`` are those to be read.

    ``marks`` are those of the logs that are not being read. ``refused`` says why a path could not
    be opened. ``idle`` is how long a log of the usual name, not written to, may still get lines.
    """

    paths: Iterable[str]
    log_format: LogFormat
    gathered: Callable[[], Gathered]
    marks: dict[int, Mark] = field(default_factory=dict)
    next_log: int = 1
    idle: float = IDLE_SECONDS
    tails: dict[int, Tail] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    _homes: dict[Place, int] = field(default_factory=dict)
    _there: dict[Place, Seen] = field(default_factory=dict)
    _rested: dict[int, Seen] = field(default_factory=dict)
    _foreign: dict[Place, int] = field(default_factory=dict)  # the size when it was seen to be none
    _copies: dict[Place, Copy] = field(default_factory=dict)
    _recogniser: Recogniser | None = None

    def __post_init__(self) -> None:
        self._homes = {mark.place: log for log, mark in sorted(self.marks.items())}

    def scan(self, *, now: float) -> None:
        """Look where every log is, and take up what is new; ``now`` is epoch seconds."""
        self._there = self._look()
        self._recogniser = None
        for tail in self.tails.values():
            self._revisit(tail, now=now)
        overdue = any(tail.overdue and tail.content for tail in self.tails.values())
        order = self.log_format.order
        for place, seen in sorted(self._there.items(), key=lambda item: order(str(item[1].path))):
            log = self._homes.get(place)
            asleep = log is not None and log not in self.tails
            if asleep and log is not None and not self._wake(log, place, seen, now=now):
                log = None
            if log is None and not overdue:
                self._meet(place, seen, now=now)
        for places in (self._copies, self._foreign):
            for place in places.keys() - self._there.keys():
                del places[place]

    def in_order(self) -> list[Tail]:
        """Give the logs to read: those that have moved first, then as the format says."""
        order = self.log_format.order
        return sorted(
            self.tails.values(),
            key=lambda tail: (not tail.moved, order(str(tail.path)), tail.log),
        )

    def seen(self, tail: Tail) -> Seen | None:
        """Tell how a log's file was found by the last scan; None if it was not there."""
        return self._there.get(tail.place) if self._homes.get(tail.place) == tail.log else None

    def behind(self) -> int:
        """Count the bytes that are on disk and were not read; of gzip files the packed ones."""
        total = 0
        for tail in self.tails.values():
            if (seen := self.seen(tail)) is not None:
                packed = tail.content is not None and tail.content.packed
                total += seen.size if packed else max(0, seen.size - tail.position)
        return total

    def _look(self) -> dict[Place, Seen]:
        there: dict[Place, Seen] = {}
        for source in find(self.paths):
            if source.path is None:
                continue
            try:
                status = source.path.stat()
            except OSError:
                continue  # gone since it was found, or on its way here
            if stat.S_ISREG(status.st_mode):
                there.setdefault(
                    (status.st_dev, status.st_ino),
                    Seen(path=source.path, size=status.st_size, modified=status.st_mtime),
                )
        return there

    def _revisit(self, tail: Tail, *, now: float) -> None:
        """See what became of a log that is being read."""
        seen = self.seen(tail)
        if seen is None or seen.path != tail.path:
            if not tail.moved:
                tail.grown = now
                tail.overdue = True
            tail.moved = True
        if seen is not None:
            tail.path = seen.path

    def replaced(self, tail: Tail) -> None:
        """Hear that a file holds another log: what this one still had may lie in a copy."""
        tail.close()
        tail.moved = True
        if self._homes.get(tail.place) == tail.log:
            del self._homes[tail.place]
        self._recogniser = None

    def _wake(self, log: int, place: Place, seen: Seen, *, now: float) -> bool:
        """Go on with a log that was put away; False if its file holds another one now."""
        mark = self.marks[log]
        ended = mark.ended and (mark.size, mark.modified) == (seen.size, seen.modified)
        if ended or self._rested.get(log) == seen:
            return True
        if self._resume(mark, place, seen, now=now):
            return True
        del self._homes[place]
        return False

    def _resume(self, mark: Mark, place: Place, seen: Seen, *, now: float) -> bool:
        tail = Tail.resumed(
            mark,
            path=seen.path,
            place=place,
            log_format=self.log_format,
            gathered=self.gathered(),
            primes=now - seen.modified < IDLE_SECONDS,
        )
        tail.moved = str(seen.path) != mark.path
        try:
            tail.open()
        except Replaced:
            return False
        except Damaged as error:
            self.refuse(seen.path, error)
            return True
        self.refused.pop(str(seen.path), None)
        self.tails[mark.log] = tail
        self._homes[place] = mark.log
        if len(self.tails) > OPEN_FILES:
            tail.close()
        return True

    def refuse(self, path: Path, error: Damaged) -> None:
        """Note why a file could not be read."""
        self.refused[str(path)] = str(error)

    def rest(self, tail: Tail, mark: Mark) -> None:
        """Put a log away that gets no more for now; it comes back when its file changes."""
        tail.close()
        del self.tails[tail.log]
        self.marks[tail.log] = mark
        if (seen := self.seen(tail)) is not None:
            self._rested[tail.log] = seen

    def leave(self, tail: Tail) -> None:
        """Put a file away that is no log of the format."""
        tail.close()
        del self.tails[tail.log]
        self._homes.pop(tail.place, None)
        if (seen := self._there.get(tail.place)) is not None:
            self._foreign[tail.place] = seen.size

    def quiet(self, tail: Tail, *, now: float) -> bool:
        """Tell whether a log is not expected to get more."""
        seen = self.seen(tail)
        if seen is None:
            return now - tail.grown >= SETTLED_SECONDS
        if tail.moved:
            return now - max(seen.modified, tail.grown) >= SETTLED_SECONDS
        return now - seen.modified >= self.idle

    def settled(self, tail: Tail, *, now: float) -> bool:
        """Tell whether a file that was written in one go, such as a gzip, is complete."""
        seen = self.seen(tail)
        return seen is None or now - seen.modified >= SETTLED_SECONDS

    def spare(self) -> None:
        """Close the files that have grown least lately, past the number to keep open."""
        if len(self.tails) <= OPEN_FILES:
            return
        held = [tail for tail in self.tails.values() if tail.content is not None]
        there = [tail for tail in held if self.seen(tail) is not None]
        there.sort(key=lambda tail: tail.grown)
        for tail in there[: max(0, len(held) - OPEN_FILES)]:
            tail.close()

    # Files that are new

    def _meet(self, place: Place, seen: Seen, *, now: float) -> None:
        if not seen.size or self._foreign.get(place, seen.size + 1) <= seen.size:
            return  # told from others by nothing yet, or no log
        self._foreign.pop(place, None)
        copy = self._copies.get(place)
        if copy is None or copy.seen != seen:
            try:
                copy = self._recognised(seen, since=now if copy is None else copy.since)
            except Damaged as error:
                self.refuse(seen.path, error)
                return
        if copy is None:
            self._copies.pop(place, None)
            self._begin(place, seen)
        elif copy.whole and self._take_over(copy, place, now=now):
            self._copies.pop(place, None)
        elif copy.whole and self._outgrew(copy, now=now):
            self._copies.pop(place, None)
            self._branch(copy, place, now=now)
        else:
            self._copies[place] = copy

    def _recognised(self, seen: Seen, *, since: float) -> Copy | None:
        if self._recogniser is None:
            self._recogniser = Recogniser(self._current(log) for log in {*self.marks, *self.tails})
        return self._recogniser.recognise(seen, since=since)

    def _current(self, log: int) -> Mark:
        """Give the mark up to which a log was read, which is ahead of the acknowledged one."""
        tail = self.tails.get(log)
        return self.marks[log] if tail is None else tail.mark(now=0)

    def _number(self) -> int:
        self.next_log += 1
        return self.next_log - 1

    def _begin(self, place: Place, seen: Seen) -> None:
        log = self._number()
        self.tails[log] = Tail(
            log=log,
            path=seen.path,
            place=place,
            log_format=self.log_format,
            gathered=self.gathered(),
        )
        self._homes[place] = log

    def _take_over(self, copy: Copy, place: Place, *, now: float) -> bool:
        """Go on with a log in its copy if its own file is gone; False if it is not."""
        tail = self.tails.get(copy.log)
        if tail is None:
            mark = self.marks[copy.log]
            if mark.place in self._there and self._homes.get(mark.place) == copy.log:
                return False
            return self._resume(mark, place, copy.seen, now=now)
        if tail.content is not None or self.seen(tail) is not None:
            return False
        try:
            opened_for(tail, copy.seen.path)
        except (Damaged, Replaced):
            return False
        self._homes[place] = tail.log
        return True

    def _outgrew(self, copy: Copy, *, now: float) -> bool:
        """Tell whether a copy holds more than its log, which has not followed: it is no copy."""
        own = self._there.get(self._current(copy.log).place)
        return (
            own is not None
            and copy.seen.size > own.size
            and now - max(copy.since, own.modified) >= SETTLED_SECONDS
        )

    def _branch(self, copy: Copy, place: Place, *, now: float) -> None:
        """Read a log on its own from where another one began alike."""
        mark = msgspec.structs.replace(self._current(copy.log), log=self._number(), ended=False)
        self._resume(mark, place, copy.seen, now=now)
