"""Bodies of requests to ``/v1/events/<kind>``, as a client sends them."""

import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal, get_args

from tawny.formats import Event, encode_lines

Kind = Literal["dns", "ip"]
KINDS: tuple[Kind, ...] = get_args(Kind)
GZIP_LEVEL = 6
"""What `gzip` and most clients' libraries take unless told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """One request's gzip bytes, how many events they hold and how many bytes they inflate to."""

    kind: Kind
    packed: bytes
    events: int
    inflated: int


def pack(kind: Kind, events: list[Event]) -> Body:
    """Encode events as JSON, one a line, and compress them; the same events give the same bytes."""
    plain = encode_lines(events)
    packed = gzip.compress(plain, GZIP_LEVEL, mtime=0)
    return Body(kind=kind, packed=packed, events=len(events), inflated=len(plain))


def cut(kind: Kind, events: Iterable[Event], *, batch: int) -> Iterator[Body]:
    """Cut events into bodies of `batch` events; the last holds what is left."""
    rest = iter(events)
    while taken := list(islice(rest, batch)):
        yield pack(kind, taken)
