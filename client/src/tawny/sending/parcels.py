"""Parcels: the bodies of requests as they lie on the disk, with the marks that they reach.

A parcel is what is sent and what is remembered at once: the marks say up to where its logs have
been taken when it is on the disk, so neither can be there without the other. Its first line holds
the digest of its head, the head those of the bodies, so that a torn file is known as such.
"""

import gzip

import msgspec

from tawny.calls import compressed
from tawny.formats.events import Kind
from tawny.sending.marks import Mark, digest

FORMAT = b"tawny-parcel 1 "
NEAR_MIDDLE = 64  # events on both sides of a split among which equal ones are looked for


class TornParcel(Exception):  # noqa: N818 -- a state of the file, decided on by whoever reads it
    """The file is not what was written."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """The body of one request to ``/v1/events/<kind>``, gzip, and the number of events in it."""

    kind: Kind
    events: int
    packed: bytes

    @property
    def body(self) -> bytes:
        """The events, one a line."""
        return gzip.decompress(self.packed)


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """Requests of one range of one log, and the marks that are reached with them."""

    marks: list[Mark]
    parts: list[Part]

    @property
    def events(self) -> int:
        """The events in all its parts."""
        return sum(part.events for part in self.parts)


class _PartHead(msgspec.Struct, frozen=True, kw_only=True):
    kind: Kind
    events: int
    size: int
    digest: str


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    marks: list[Mark]
    parts: list[_PartHead]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Head).decode


def part(kind: Kind, body: bytes, *, events: int) -> Part:
    """Pack events, one a line; equal events give equal bytes."""
    return Part(kind=kind, events=events, packed=compressed(body))


def halves(whole: Part) -> list[Part]:
    """Split a part that is too large for the service, always in the same place.

    Equal events near the middle stay together, because the service counts equal events of one
    request apart and takes those of two requests for the same.
    """
    lines = whole.body.splitlines(keepends=True)
    middle = len(lines) // 2
    places = sorted(range(1, len(lines)), key=lambda place: (abs(place - middle), place))
    for place in places[: 2 * NEAR_MIDDLE]:
        before = lines[max(0, place - NEAR_MIDDLE) : place]
        if set(before).isdisjoint(lines[place : place + NEAR_MIDDLE]):
            middle = place
            break
    return [
        part(whole.kind, b"".join(half), events=len(half))
        for half in (lines[:middle], lines[middle:])
    ]


def encode(parcel: Parcel) -> list[bytes]:
    """Give the pieces of the file."""
    head = _encode(
        _Head(
            marks=parcel.marks,
            parts=[
                _PartHead(
                    kind=each.kind,
                    events=each.events,
                    size=len(each.packed),
                    digest=digest(each.packed),
                )
                for each in parcel.parts
            ],
        )
    )
    first = FORMAT + digest(head).encode() + b"\n"
    return [first, head, b"\n", *(each.packed for each in parcel.parts)]


def decode(file: bytes) -> Parcel:
    """Read a parcel; TornParcel unless it is whole."""
    head, place = _head(file)
    parts: list[Part] = []
    for each in head.parts:
        packed = file[place : place + each.size]
        place += each.size
        if digest(packed) != each.digest:
            raise TornParcel("a body is not what was written")
        parts.append(Part(kind=each.kind, events=each.events, packed=packed))
    if place != len(file):
        raise TornParcel("the file is longer than what was written")
    return Parcel(marks=head.marks, parts=parts)


def decode_marks(file: bytes) -> list[Mark]:
    """Read the marks of a parcel, of which the bodies may be gone; TornParcel if they are."""
    return _head(file)[0].marks


def head_bytes(file: bytes) -> int:
    """Give the size of what comes before the bodies."""
    return _head(file)[1]


def _head(file: bytes) -> tuple[_Head, int]:
    first, _, rest = file.partition(b"\n")
    encoded, ended, _ = rest.partition(b"\n")
    if not ended or first != FORMAT + digest(encoded).encode():
        raise TornParcel("the head is not what was written")
    try:
        return _decode(encoded), len(first) + len(encoded) + 2
    except msgspec.DecodeError as error:
        raise TornParcel(f"the head is another version's: {error}") from error
