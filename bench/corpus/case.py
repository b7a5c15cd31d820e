"""One body of the corpus: how it is made and what must become of it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

IP: Mapping[str, Any] = {
    "ts": "2026-05-01T12:00:00Z",
    "srcIP": "192.0.2.1",
    "destIP": "198.51.100.7",
}


def event(**fields: Any) -> bytes:
    """Write a connection that is accepted as it stands."""
    return json.dumps({**IP, **fields}, separators=(",", ":")).encode()


LINE = event() + b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A request to ``/v1/events/ip`` and its answer.

    A `status` of 200 goes with the counts; any other says that nothing is taken. `length` is what
    the Content-Length says, where it is not the truth; ``None`` leaves the header out.
    """

    name: str
    body: Callable[[], bytes] = field(repr=False)
    encoding: str = ""
    length: str | None = "true"
    status: int = 200
    accepted: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)

    @property
    def received(self) -> int:
        """Values that are read, taken or not."""
        return self.accepted + sum(self.rejected.values())


def taken(name: str, body: bytes, accepted: int, **rejected: int) -> Case:
    """Return a plain body of which something is read."""
    return Case(name=name, body=lambda: body, accepted=accepted, rejected=rejected)


def refused(name: str, body: bytes, status: int = 400) -> Case:
    """Return a plain body of which nothing is."""
    return Case(name=name, body=lambda: body, status=status)
