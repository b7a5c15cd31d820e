"""The spool: parcels on the disk, in the order in which they are sent.

Every parcel is on the disk before it is sent, so a run that was stopped at any point, by whatever,
sends the same bytes again. The spool is therefore both the store for an outage and the record of
what may have been sent. A file bears its sequence number and its state:

``<sequence>.parcel``  may have been sent, is not known to have been taken
``<sequence>.taken``   was taken by the service; kept for its marks until the checkpoint has them
"""

import contextlib
from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import Final

import msgspec

from tawny.sending.folders import Folder
from tawny.sending.marks import Mark
from tawny.sending.parcels import (
    Parcel,
    Part,
    TornParcel,
    decode,
    decode_marks,
    encode,
    head_bytes,
)

SPOOL_BYTES: Final = 1 << 30
WAITS: Final = ".parcel"
TAKEN: Final = ".taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A parcel that an earlier run left."""

    sequence: int
    taken: bool
    marks: list[Mark]


class Spool:
    """Parcels of one state: one thread appends, another one reads, and marks as taken.

    ``limit`` bounds the bytes of the parcels and of the requests that were set aside together;
    ``damaged`` names the files that were not what had been written.
    """

    def __init__(self, folder: Folder, rejected: Folder, *, limit: int = SPOOL_BYTES) -> None:
        self._folder = folder
        self._rejected = rejected
        self._limit = limit
        self._lock = Lock()
        self._waiting: deque[tuple[int, int]] = deque()  # sequence, bytes
        self._taken: list[int] = []
        self._bytes = 0
        self._rejected_bytes = 0
        self._next = 1
        self.damaged: list[str] = []

    def open(self, acknowledged: int) -> list[Found]:
        """Take up what an earlier run left, oldest first.

        ``acknowledged`` is the last parcel whose marks the checkpoint holds. A torn parcel at the
        end was never sent, and no mark has passed it: it is dropped. One before the end is damage
        done by the disk: it is set aside.
        """
        self._folder.make()
        self._rejected.make()
        self._rejected_bytes = sum(map(self._rejected.size, self._rejected.names()))
        self._next = acknowledged + 1
        found: list[Found] = []
        names = [name for name in self._folder.names() if name.endswith((WAITS, TAKEN))]
        for place, name in enumerate(names):
            sequence = int(name.partition(".")[0])
            self._next = max(self._next, sequence + 1)
            if sequence <= acknowledged:
                self._folder.remove(name)
                continue
            try:
                found.append(self._take_up(name, sequence))
            except TornParcel:
                if place == len(names) - 1:
                    self._folder.remove(name)
                else:
                    self._folder.rename(name, f"{name}.damaged")
                    self.damaged.append(str(self._folder.path / f"{name}.damaged"))
        return found

    def _take_up(self, name: str, sequence: int) -> Found:
        file = self._folder.read(name)
        if name.endswith(TAKEN):
            found = Found(sequence=sequence, taken=True, marks=decode_marks(file))
            self._taken.append(sequence)
        else:
            found = Found(sequence=sequence, taken=False, marks=decode(file).marks)
            self._waiting.append((sequence, len(file)))
            self._bytes += len(file)
        return found

    @property
    def waiting(self) -> int:
        """The parcels that the service has not taken."""
        return len(self._waiting)

    @property
    def bytes(self) -> int:
        """What they take on the disk."""
        return self._bytes

    @property
    def full(self) -> bool:
        """True from the limit on, until something has been taken."""
        return self._bytes + self._rejected_bytes >= self._limit

    def append(self, parcel: Parcel) -> int:
        """Bring a parcel to the disk and give its sequence number; ``OSError`` if it cannot be."""
        sequence = self._next
        size = self._folder.write(_name(sequence, WAITS), encode(parcel))
        with self._lock:
            self._next = sequence + 1
            self._waiting.append((sequence, size))
            self._bytes += size
        return sequence

    def oldest(self) -> int | None:
        """Give the sequence number of the parcel to send next."""
        with self._lock:
            return self._waiting[0][0] if self._waiting else None

    def read(self, sequence: int) -> Parcel:
        """Read a parcel; TornParcel if the disk has changed it."""
        return decode(self._folder.read(_name(sequence, WAITS)))

    def took(self, sequence: int) -> None:
        """Hear that the service has the oldest parcel; its marks stay until ``forget``."""
        self._folder.rename(_name(sequence, WAITS), _name(sequence, TAKEN))
        self._drop_oldest()
        self._taken.append(sequence)

    def put_away(self, sequence: int) -> str:
        """Take the oldest parcel, which is damaged, out of the way; give its new path."""
        name = f"{_name(sequence, WAITS)}.damaged"
        with contextlib.suppress(FileNotFoundError):
            self._folder.rename(_name(sequence, WAITS), name)
        self._drop_oldest()
        return str(self._folder.path / name)

    def _drop_oldest(self) -> None:
        with self._lock:
            _, size = self._waiting.popleft()
            self._bytes -= size

    def forget(self) -> None:
        """Remove the parcels that were taken: the checkpoint holds their marks."""
        while self._taken:
            self._folder.remove(_name(self._taken[-1], TAKEN))
            self._taken.pop()

    def hollow(self) -> None:
        """Keep only the marks of parcels that were taken: the disk has no room for more."""
        for sequence in self._taken:
            name = _name(sequence, TAKEN)
            with contextlib.suppress(OSError):  # the next call finds it again
                file = self._folder.read(name)
                if len(file) > (size := head_bytes(file)):
                    self._folder.shorten(name, size)

    def set_aside(self, sequence: int, number: int, part: Part, reason: str) -> str:
        """Keep the ``number``-th request of a parcel that the service will never take.

        The events are plain JSON lines under gzip and the reason lies beside them, for whoever
        looks into it. Gives the path; ``OSError`` if it cannot be kept.
        """
        stem = f"{sequence:016d}-{number}-{part.kind}"
        told = {"kind": part.kind, "events": part.events, "reason": reason}
        name = f"{stem}.ndjson.gz"
        size = self._rejected.write(name, [part.packed])
        size += self._rejected.write(f"{stem}.json", [msgspec.json.encode(told), b"\n"])
        self._rejected_bytes += size
        return str(self._rejected.path / name)


def _name(sequence: int, state: str) -> str:
    return f"{sequence:016d}{state}"
