"""Events with the names of the HTTP API; an absent value is left out of the JSON.

``ts`` is RFC 3339 in UTC with ``Z`` and as many digits of the second as the log gave, nine at most.
Addresses are the log's own text: the server parses, normalises and judges them.
"""

from collections.abc import Iterable
from typing import Literal, TypeAlias

import msgspec

Kind: TypeAlias = Literal["dns", "ip"]

_NAMES = {
    "src_ip": "srcIP",
    "src_port": "srcPort",
    "dest_ip": "destIP",
    "dest_port": "destPort",
    "conn_id": "connID",
    "local_orig": "localOrig",
    "local_resp": "localResp",
    "conn_state": "connState",
    "bytes_in": "bytesIn",
    "bytes_out": "bytesOut",
    "pkts_in": "pktsIn",
    "pkts_out": "pktsOut",
    "icmp_type": "icmpType",
}


class IpEvent(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, rename=_NAMES
):
    """One session between two addresses, counted from the side that opened it.

    ``bytes_out`` and ``pkts_out`` are what the source sent, ``bytes_in`` and ``pkts_in`` what came
    back; bytes are payload. ``duration`` is in seconds.
    """

    ts: str
    src_ip: str
    src_port: int | None = None
    dest_ip: str
    dest_port: int | None = None
    proto: str | None = None
    app: str | None = None
    duration: float | None = None
    bytes_out: int | None = None
    bytes_in: int | None = None
    pkts_out: int | None = None
    pkts_in: int | None = None
    conn_state: str | None = None
    icmp_type: int | None = None
    local_orig: bool | None = None
    local_resp: bool | None = None
    conn_id: str | None = None
    sensor: str | None = None


class DnsEvent(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, rename=_NAMES
):
    """One question to a name server (``dest_ip``) and, where the log has them, its answers."""

    ts: str
    src_ip: str
    src_port: int | None = None
    dest_ip: str | None = None
    query: str | None = None
    qtype: str | None = None
    rcode: str | None = None
    answers: list[str] | None = None
    conn_id: str | None = None
    sensor: str | None = None


Event: TypeAlias = IpEvent | DnsEvent

KINDS: dict[type[Event], Kind] = {IpEvent: "ip", DnsEvent: "dns"}

_encoder = msgspec.json.Encoder()


def kind_of(event: Event) -> Kind:
    """Name the event route, ``/v1/events/<kind>``, that takes this event."""
    return KINDS[type(event)]


def append_line(event: Event, buffer: bytearray) -> None:
    """Append the event's JSON and a newline to ``buffer``."""
    _encoder.encode_into(event, buffer, -1)
    buffer += b"\n"


def encode_lines(events: Iterable[Event]) -> bytes:
    """Encode events as JSON, one a line, the body of a request to ``/v1/events/<kind>``."""
    return _encoder.encode_lines(events)
