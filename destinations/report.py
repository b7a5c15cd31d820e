"""What an engine may ask Wisdom, and what Wisdom answers: the wire shape both sides share.

The request types are the privacy boundary: a field that does not exist here cannot be sent, and
an unknown one is refused on arrival. A source, a time, a user or a tenant has no field.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Self

import msgspec

from destinations import addresses, names

MAX_DESTINATIONS = 10_000  # one request; 1 MB of JSON, a few tens of milliseconds to answer
FULL_SCORE = 100_00  # hundredths of a point: nothing is worse than certainly bad

Protocol = Literal["tcp", "udp", "icmp"]
Verdict = Literal["malicious", "suspicious", "noted", "unlisted"]
ReasonKind = Literal["feed", "classifier", "cap"]


class Destination(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False
):
    """A name, or an address with perhaps a port and a protocol, in canonical form.

    Construction (and decoding) raises ``ValueError`` when ``value`` is not the form that
    ``names.normalise`` or ``addresses.render`` gives, and when a name comes with a port.
    """

    kind: Literal["name", "address"]
    value: str
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] | None = None
    protocol: Protocol | None = None

    def __post_init__(self) -> None:
        if self.kind == "name":
            if self.port is not None or self.protocol is not None:
                raise ValueError("a name has neither port nor protocol")
            if names.normalise(self.value).text != self.value:
                raise ValueError("a name in normal form is wanted")
        elif addresses.render(addresses.parse(self.value)) != self.value:
            raise ValueError("an address in its short form is wanted")

    @classmethod
    def of_name(cls, text: str) -> Self:
        """Make the destination of a name in any form; ``ValueError`` as ``names.normalise``."""
        return cls("name", names.normalise(text).text)

    @classmethod
    def of_address(
        cls, packed: bytes, *, port: int | None = None, protocol: Protocol | None = None
    ) -> Self:
        """Make the destination of a packed address."""
        return cls("address", addresses.render(packed), port, protocol)


class ReportsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/wisdom/reports``."""

    destinations: Annotated[tuple[Destination, ...], msgspec.Meta(max_length=MAX_DESTINATIONS)]


class Reason(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One addend of a score: who says what about which indicator, and what it weighs.

    ``points`` are hundredths; the one reason of kind ``cap`` is negative. ``as_of`` is the date
    the source gives its list, else the time it was fetched.
    """

    source: str
    title: str
    kind: ReasonKind
    points: int
    flag: str = ""
    indicator: str = ""
    family: str = ""
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    as_of: datetime | None = None
    licence: str = ""
    reference: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All that is said of one destination.

    ``score`` is the exact sum of the reasons' points, in [0, 10000] hundredths; ``labels`` are
    ``flag:family``; ``domain`` is the registered domain or empty; ``ttl`` is in seconds;
    ``snapshot`` and ``psl`` name the versions that the answer rests on.
    """

    destination: Destination
    flags: tuple[str, ...]
    labels: tuple[str, ...]
    domain: str
    score: int
    verdict: Verdict
    reasons: tuple[Reason, ...]
    ttl: int
    snapshot: str
    psl: str


class ReportsResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: one report for each destination, in the order of the request."""

    reports: tuple[Report, ...]


_encoder = msgspec.json.Encoder()
_request_decoder = msgspec.json.Decoder(ReportsRequest)
_response_decoder = msgspec.json.Decoder(ReportsResponse)


def encode_request(destinations: Sequence[Destination]) -> bytes:
    """Write a request body; only destinations fit in."""
    return _encoder.encode(ReportsRequest(tuple(destinations)))


def decode_request(body: bytes) -> ReportsRequest:
    """Read a request body; ``msgspec.ValidationError`` or ``DecodeError`` names the fault."""
    return _request_decoder.decode(body)


def encode_response(response: ReportsResponse) -> bytes:
    """Write a response body."""
    return _encoder.encode(response)


def decode_response(body: bytes) -> ReportsResponse:
    """Read a response body; ``msgspec.ValidationError`` or ``DecodeError`` names the fault."""
    return _response_decoder.decode(body)
