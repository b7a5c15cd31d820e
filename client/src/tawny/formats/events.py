"""Events with the names of the HTTP API; an absent value is left out of the JSON.

``ts`` is RFC 3339 in UTC with ``Z`` and as many digits of the second as the log gave, nine at most.
Addresses are the log's own text: the server parses, normalises and judges them.
"""

from collections.abc import Iterable
from typing import Literal, TypeAlias

import msgspec

Kind: TypeAlias = Literal["dns", "ip", "http", "tls", "lease"]

_NAMES = {
    "src_ip": "srcIP",
    "src_port": "srcPort",
    "src_host": "srcHost",
    "src_mac": "srcMac",
    "src_user": "srcUser",
    "src_id": "srcID",
    "dest_ip": "destIP",
    "dest_port": "destPort",
    "conn_id": "connID",
    "local_orig": "localOrig",
    "local_resp": "localResp",
    "conn_state": "connState",
    "tcp_flags": "tcpFlags",
    "bytes_in": "bytesIn",
    "bytes_out": "bytesOut",
    "pkts_in": "pktsIn",
    "pkts_out": "pktsOut",
    "icmp_type": "icmpType",
    "content_type": "contentType",
    "user_agent": "userAgent",
    "cert_hash": "certHash",
    "valid_from": "validFrom",
    "valid_to": "validTo",
}


class Header(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, rename=_NAMES
):
    """What every kind of event carries: when, who, and where the log says it from."""

    ts: str
    src_ip: str
    src_port: int | None = None
    conn_id: str | None = None
    sensor: str | None = None
    src_host: str | None = None
    src_mac: str | None = None
    src_user: str | None = None
    src_id: str | None = None
    labels: list[str] | None = None
    local_orig: bool | None = None
    local_resp: bool | None = None


class IpEvent(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, rename=_NAMES):
    """One session between two addresses, counted from the side that opened it.

    ``bytes_out`` and ``pkts_out`` are what the source sent, ``bytes_in`` and ``pkts_in`` what came
    back; bytes are payload where the log has that, whole packets else. ``duration`` is in seconds.
    ``host`` is the server's name as the client gave it (SNI), ``ja3`` the client's fingerprint.

    It has the fields of ``Header`` in an order of its own: of the events of a sensor nine tenths
    are these, and one made by position takes a quarter of the time of one made by keyword.
    """

    ts: str
    src_ip: str
    dest_ip: str
    src_port: int | None = None
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
    host: str | None = None
    ja3: str | None = None
    action: str | None = None
    tcp_flags: str | None = None
    src_host: str | None = None
    src_mac: str | None = None
    src_user: str | None = None
    src_id: str | None = None
    labels: list[str] | None = None


class DnsEvent(Header, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One question to a name server (``dest_ip``) and, where the log has them, its answers."""

    dest_ip: str | None = None
    query: str | None = None
    qtype: str | None = None
    rcode: str | None = None
    answers: list[str] | None = None


class HttpEvent(Header, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One request over HTTP and its answer; ``bytes_out`` is the request's body.

    ``app`` is the fingerprint of a web application, ``host`` the name the client asked for.
    """

    url: str | None = None
    method: str | None = None
    status: int | None = None
    app: str | None = None
    action: str | None = None
    bytes_out: int | None = None
    bytes_in: int | None = None
    content_type: str | None = None
    referrer: str | None = None
    user_agent: str | None = None
    dest_ip: str | None = None
    dest_port: int | None = None
    host: str | None = None
    version: str | None = None


class CertHash(msgspec.Struct, frozen=True, gc=False):
    """A certificate's hash in lower-case hexadecimal and the algorithm (``sha256``) it is of."""

    alg: str
    value: str


class TlsEvent(Header, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One TLS handshake; ``valid_from`` and ``valid_to`` are RFC 3339.

    ``cert_hash`` is the plain text of the log where its length fits no known algorithm.
    """

    cert_hash: CertHash | str | None = None
    issuer: str | None = None
    subject: str | None = None
    valid_from: str | None = None
    valid_to: str | None = None
    dest_ip: str | None = None
    dest_port: int | None = None
    ja3: str | None = None
    ja3s: str | None = None
    ja4: str | None = None
    ja4s: str | None = None
    sni: str | None = None
    version: str | None = None


class LeaseEvent(Header, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """An address given to a host (``type`` is ``dhcp`` or ``vpn``); ``duration`` is in seconds."""

    type: str | None = None
    termination: bool | None = None
    duration: int | None = None


Event: TypeAlias = IpEvent | DnsEvent | HttpEvent | TlsEvent | LeaseEvent

KINDS: dict[type[Event], Kind] = {
    IpEvent: "ip",
    DnsEvent: "dns",
    HttpEvent: "http",
    TlsEvent: "tls",
    LeaseEvent: "lease",
}

EVENTS: dict[Kind, type[Event]] = {kind: event for event, kind in KINDS.items()}

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
