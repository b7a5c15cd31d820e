"""What a check found, and what the network showed."""

from dataclasses import dataclass, field
from enum import StrEnum

from tawny.exits import Exit


class State(StrEnum):
    """How a check came out; only ``FAILED`` makes the command fail."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at; ``todo`` is what to do about it, in a line, or empty.

    ``exit`` is what a failure of it makes of the command.
    """

    name: str
    state: State = State.OK
    said: str
    todo: str = ""
    exit: Exit = Exit.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An answer: its status, the first of its body, and when it was asked for and came.

    ``asked`` and ``came`` are seconds of the epoch on this machine, ``seconds`` is the time between
    by a clock that nobody sets. ``certificate`` is the server's end of validity in seconds of the
    epoch, and ``tls`` the protocol's version; both None without TLS.
    """

    status: int
    body: bytes = field(repr=False)
    date: str | None
    location: str | None
    asked: float
    came: float
    seconds: float
    certificate: float | None = None
    tls: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """No answer came: what happened, and what to do about it."""

    said: str
    todo: str
    untrusted: bool = False
