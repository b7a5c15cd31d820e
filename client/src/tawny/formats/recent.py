"""A bounded memory of what was read lately, for joining one row with another."""

from collections import deque
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Keeps the last ``kept`` entries, of them those put within ``seconds`` of the log's own time.

    The oldest goes first; putting an entry again renews its value and not its age. What is kept
    follows from the entries alone. ``get`` gives a value, None where it is unknown or forgotten.
    """

    __slots__ = ("_ages", "_entries", "_kept", "_seconds", "get")

    def __init__(self, *, kept: int, seconds: int | None = None) -> None:
        self._kept = kept
        self._seconds = seconds
        self._entries: dict[Key, Value] = {}
        self._ages: deque[tuple[Key, int]] = deque()
        self.get = self._entries.get  # the dict's own: asked once for every row of conn

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, key: Key, value: Value, *, at: int = 0) -> None:
        """Keep ``value``; ``at`` is the row's time in seconds."""
        if key not in self._entries:
            self._ages.append((key, at))
        self._entries[key] = value
        while len(self._ages) > self._kept or self._has_aged(at):
            oldest, _ = self._ages.popleft()
            del self._entries[oldest]

    def _has_aged(self, now: int) -> bool:
        return self._seconds is not None and now - self._ages[0][1] > self._seconds

    def state(self) -> list[tuple[Key, int, Value]]:
        """Give everything kept, oldest first, for ``restore``."""
        return [(key, at, self._entries[key]) for key, at in self._ages]

    def restore(self, state: list[tuple[Key, int, Value]]) -> None:
        """Put everything that ``state`` gave."""
        for key, at, value in state:
            self.put(key, value, at=at)
