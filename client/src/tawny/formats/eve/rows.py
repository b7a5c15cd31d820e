"""The fields that are read of an EVE record, and what its types become except ``dns``."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, TypeAlias

import msgspec

from tawny.formats.certificates import cert_hash, validity
from tawny.formats.events import Event, HttpEvent, IpEvent, LeaseEvent, TlsEvent
from tawny.formats.parsing import Skipped, Unmappable
from tawny.formats.recent import Recent
from tawny.formats.times import Clockface
from tawny.formats.urls import http_url

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]

FLOW, HTTP, TLS, QUIC, DHCP, DNS = "flow", "http", "tls", "quic", "dhcp", "dns"

NO_PROTOCOL = frozenset({"failed", "unknown"})
"""What Suricata writes for ``app_proto`` where it recognised none."""

SESSIONS_KEPT = 1 << 16  # flows that began with a handshake and are not over; some 15 MB

_MICROSECOND = timedelta(microseconds=1)
_certificate_clock = Clockface()


class Question(msgspec.Struct, frozen=True, gc=False):
    """One element of ``queries`` (dns v3)."""

    rrname: str = ""
    rrtype: str | None = None


class Answer(msgspec.Struct, frozen=True, gc=False):
    """One element of ``answers``; types that are not one text have no ``rdata``."""

    rdata: str | None = None


class Dns(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The ``dns`` object of every version."""

    version: int | None = None
    type: str = ""
    id: int | None = None
    rrname: str = ""
    rrtype: str | None = None
    rcode: str | None = None
    rdata: str | None = None
    queries: list[Question] | None = None
    answers: list[Answer] | None = None
    grouped: dict[str, list[str | dict[str, msgspec.Raw]]] | None = None


class Flow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The ``flow`` object."""

    pkts_toserver: Count | None = None
    pkts_toclient: Count | None = None
    bytes_toserver: Count | None = None
    bytes_toclient: Count | None = None
    start: str | None = None
    end: str | None = None


class Tcp(msgspec.Struct, frozen=True, gc=False):
    """The ``tcp`` object of a flow."""

    tcp_flags: str | None = None


class Http(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The ``http`` object; ``length`` is of the answer's body."""

    hostname: str | None = None
    http_port: Count | None = None
    url: str | None = None
    http_user_agent: str | None = None
    http_content_type: str | None = None
    http_refer: str | None = None
    http_method: str | None = None
    protocol: str | None = None
    status: Count | None = None
    length: Count | None = None


class Ja3(msgspec.Struct, frozen=True, gc=False):
    """A JA3 or JA3S object; ``{}`` where there is none."""

    hash: str | None = None


class Tls(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The ``tls`` and the ``quic`` object."""

    subject: str | None = None
    issuerdn: str | None = None
    fingerprint: str | None = None
    sni: str | None = None
    version: str | None = None
    notbefore: str | None = None
    notafter: str | None = None
    ja3: Ja3 | None = None
    ja3s: Ja3 | None = None
    ja4: str | None = None
    ja4s: str | None = None


class Dhcp(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The ``dhcp`` object."""

    type: str | None = None
    dhcp_type: str | None = None
    client_mac: str | None = None
    assigned_ip: str | None = None
    client_ip: str | None = None
    hostname: str | None = None
    lease_time: Count | None = None
    client_id: str | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One EVE record: the envelope and the object of its type."""

    timestamp: str = ""
    event_type: str = ""
    flow_id: int | None = None
    src_ip: str = ""
    src_port: Count | None = None
    dest_ip: str = ""
    dest_port: Count | None = None
    proto: str | None = None
    app_proto: str | None = None
    icmp_type: Count | None = None
    host: str | None = None
    dns: Dns | None = None
    flow: Flow | None = None
    tcp: Tcp | None = None
    http: Http | None = None
    tls: Tls | None = None
    quic: Tls | None = None
    dhcp: Dhcp | None = None

    @property
    def conn_id(self) -> str | None:
        """The flow's number as text."""
        return None if self.flow_id is None else str(self.flow_id)


class Session(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a handshake says of its flow."""

    host: str | None
    ja3: str | None


class Joins:
    """The handshakes read lately by the parsers of one run, for the flows they belong to."""

    __slots__ = ("_sessions", "session")

    def __init__(self, *, sessions: int = SESSIONS_KEPT) -> None:
        self._sessions: Recent[int, Session] = Recent(kept=sessions)
        self.session = self._sessions.get

    def __len__(self) -> int:
        return len(self._sessions)

    def add_session(self, flow: int, *, host: str | None, ja3: str | None) -> None:
        """Keep what a handshake says of the flow numbered ``flow``."""
        if host or ja3:
            self._sessions.put(flow, Session(host, ja3))

    def state(self) -> bytes:
        """Give everything kept, so that a run that goes on another day joins the same records."""
        return msgspec.msgpack.encode(self._sessions.state())

    def restore(self, state: bytes) -> None:
        """Take up what ``state`` gave; ``msgspec.DecodeError`` where it is nothing of the kind."""
        self._sessions.restore(msgspec.msgpack.decode(state, type=list[tuple[int, int, Session]]))


def _ip_event(row: Row, clock: Clockface, joins: Joins) -> IpEvent:
    """Map a flow, which begins at ``flow.start``: its timestamp is when it was written."""
    flow = row.flow
    if flow is None:
        raise Unmappable("malformed")
    if not row.dest_ip:
        raise Unmappable("dest_missing")
    ts = clock(flow.start or row.timestamp)
    if not flow.bytes_toserver and not flow.bytes_toclient:
        raise Skipped
    session = None if row.flow_id is None else joins.session(row.flow_id)
    return IpEvent(
        ts=ts,
        src_ip=row.src_ip,
        src_port=row.src_port,
        dest_ip=row.dest_ip,
        dest_port=row.dest_port,
        proto=row.proto.lower() if row.proto else None,
        app=row.app_proto if row.app_proto not in NO_PROTOCOL else None,
        duration=_duration(flow.start, flow.end),
        bytes_out=flow.bytes_toserver,
        bytes_in=flow.bytes_toclient,
        pkts_out=flow.pkts_toserver,
        pkts_in=flow.pkts_toclient,
        tcp_flags=row.tcp.tcp_flags if row.tcp else None,
        icmp_type=row.icmp_type,
        host=session.host if session else None,
        ja3=session.ja3 if session else None,
        conn_id=row.conn_id,
        sensor=row.host,
    )


def _duration(start: str | None, end: str | None) -> float | None:
    """Give end less start in seconds, exact to the microsecond: ``age`` is whole seconds."""
    if not start or not end:
        return None
    try:
        microseconds = (datetime.fromisoformat(end) - datetime.fromisoformat(start)) // _MICROSECOND
    except (TypeError, ValueError) as error:
        raise Unmappable("malformed") from error
    return microseconds / 1_000_000


def _http_event(row: Row, clock: Clockface, _joins: Joins) -> HttpEvent:
    http = row.http
    if http is None:
        raise Unmappable("malformed")
    port = row.dest_port if http.http_port is None else http.http_port
    protocol = http.protocol
    return HttpEvent(
        ts=clock(row.timestamp),
        src_ip=row.src_ip,
        src_port=row.src_port,
        dest_ip=row.dest_ip or None,
        dest_port=row.dest_port,
        url=http_url(
            method=http.http_method, host=http.hostname, uri=http.url, dest=row.dest_ip, port=port
        ),
        method=http.http_method,
        status=http.status,
        bytes_in=http.length,
        content_type=http.http_content_type,
        referrer=http.http_refer,
        user_agent=http.http_user_agent,
        host=http.hostname,
        version=protocol.removeprefix("HTTP/") if protocol else None,
        conn_id=row.conn_id,
        sensor=row.host,
    )


def _tls_event(row: Row, clock: Clockface, joins: Joins) -> TlsEvent:
    """Map a handshake of TLS or QUIC and lend its names to the flow it belongs to."""
    tls = row.tls if row.event_type == TLS else row.quic
    if tls is None:
        raise Unmappable("malformed")
    ja3 = tls.ja3.hash if tls.ja3 else None
    ja3s = tls.ja3s.hash if tls.ja3s else None
    if row.event_type == QUIC and not (tls.sni or ja3 or ja3s or tls.ja4):
        raise Skipped  # a packet of a connection that another record names
    ts = clock(row.timestamp)
    if row.flow_id is not None:
        joins.add_session(row.flow_id, host=tls.sni, ja3=ja3)
    return TlsEvent(
        ts=ts,
        src_ip=row.src_ip,
        src_port=row.src_port,
        dest_ip=row.dest_ip or None,
        dest_port=row.dest_port,
        cert_hash=cert_hash(tls.fingerprint),
        subject=tls.subject,
        issuer=tls.issuerdn,
        valid_from=validity(tls.notbefore, _certificate_clock),
        valid_to=validity(tls.notafter, _certificate_clock),
        ja3=ja3,
        ja3s=ja3s,
        ja4=tls.ja4,
        ja4s=tls.ja4s,
        sni=tls.sni,
        version=tls.version,
        conn_id=row.conn_id,
        sensor=row.host,
    )


def _lease_event(row: Row, clock: Clockface, _joins: Joins) -> LeaseEvent:
    """Map an acknowledgement, whose ``src_ip`` is the server, or a release; skip the rest."""
    dhcp = row.dhcp
    if dhcp is None:
        raise Unmappable("malformed")
    acknowledged = dhcp.type == "reply" and dhcp.dhcp_type == "ack"
    released = dhcp.dhcp_type == "release"
    if not acknowledged and not released:
        raise Skipped
    address = next(filter(_is_one, (dhcp.assigned_ip, dhcp.client_ip)), None)
    if address is None:
        raise Unmappable("src_missing")
    return LeaseEvent(
        ts=clock(row.timestamp),
        type="dhcp",
        src_ip=address,
        src_mac=dhcp.client_mac,
        src_host=dhcp.hostname,
        src_id=dhcp.client_id,
        duration=dhcp.lease_time,
        termination=released,
        conn_id=row.conn_id,
        sensor=row.host,
    )


def _is_one(address: str | None) -> bool:
    return bool(address) and address != "0.0.0.0"  # noqa: S104 -- DHCP's word for no address


MAPPERS: dict[str, Callable[[Row, Clockface, Joins], Event]] = {
    FLOW: _ip_event,
    HTTP: _http_event,
    TLS: _tls_event,
    QUIC: _tls_event,
    DHCP: _lease_event,
}
"""The mapper of each type that is read, ``dns`` apart: its records are joined with each other."""


def check(row: Row) -> None:
    """Raise Unmappable where the envelope lacks what every event needs."""
    if not row.timestamp:
        raise Unmappable("ts_missing")
    if not row.src_ip:
        raise Unmappable("src_missing")
