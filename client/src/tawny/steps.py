"""What a client does, as scripts of steps that know nothing of how one waits.

A script is a generator: it gives a step and is sent what came of it. ``Client`` takes the steps
one after the other in the calling thread, ``AsyncClient`` awaits them; everything else is written
once. A stream is a script that also gives items to the caller.
"""

from collections.abc import AsyncIterator, Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from tawny.calls import Call

Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Attempt:
    """Make a call once; comes to a ``Reply``, or to the ``TawnyError`` of a lost connection."""

    call: Call[Any]


@dataclass(frozen=True, slots=True)
class Wait:
    """Let some seconds pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Work:
    """Do what takes the processor or the disk a while; comes to what it returns."""

    do: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Draw:
    """Take up to ``count`` items of the caller's source; comes to a list, empty at the end."""

    source: Iterator[Any] | AsyncIterator[Any]
    count: int


@dataclass(frozen=True, slots=True)
class Give(Generic[Item]):
    """Hand an item to the caller; goes on when the caller asks for the next one."""

    item: Item


Step: TypeAlias = Attempt | Wait | Work | Draw
Script: TypeAlias = Generator[Step, Any, Answer]
Stream: TypeAlias = Generator[Step | Give[Item], Any, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the service answered, whatever its status."""

    status: int
    body: bytes
    retry_after: str | None = None
    location: str | None = None


def work(do: Callable[[], Answer]) -> Script[Answer]:
    """Do something that takes a while."""
    done: Answer = yield Work(do)
    return done
