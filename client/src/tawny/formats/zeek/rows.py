"""The columns that are read of each kind of Zeek log, and what its rows become.

One struct a log, filled from TSV by ``tsv`` and decoded from JSON by ``jsonl``, so that the two
spellings of a row cannot become two events. ``conn`` and ``dns``, nine tenths of all rows, are
mapped from TSV by hand, for speed.
"""

from collections.abc import Callable
from math import isfinite
from typing import Annotated, Any, NoReturn, TypeAlias

import msgspec

from tawny.formats.certificates import cert_hash, validity
from tawny.formats.events import DnsEvent, Event, HttpEvent, IpEvent, LeaseEvent, TlsEvent
from tawny.formats.parsing import Lent, Skipped, Unmappable
from tawny.formats.times import Clockface
from tawny.formats.urls import http_url
from tawny.formats.zeek.joins import Certificate, Joins
from tawny.formats.zeek.kinds import CONN, DHCP, DNS, FAMILIES, HTTP, SSL, X509

MAX_COUNT = 2**63 - 1
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]

LOCAL_NAME_PORTS = frozenset({5353, 5355})
"""mDNS and LLMNR: questions to the neighbours and not to a name server."""

ANY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 -- what a host without an address sends from
ACKNOWLEDGED, RELEASED = "ACK", "RELEASE"

_certificate_clock = Clockface()  # a validity before 1980 is a date and no offset


class Row(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    gc=False,
    rename={
        "path": "_path",
        "node_name": "_node_name",
        "system_name": "_system_name",
        "orig_h": "id.orig_h",
        "orig_p": "id.orig_p",
        "resp_h": "id.resp_h",
        "resp_p": "id.resp_p",
        "cert_subject": "certificate.subject",
        "cert_issuer": "certificate.issuer",
        "cert_from": "certificate.not_valid_before",
        "cert_to": "certificate.not_valid_after",
    },
):
    """What all logs have; JSON is read leniently, ``404.0`` and ``"404"`` are 404.

    ``ts`` stays undecoded: a double would cut its digits.
    """

    path: str | None = None
    node_name: str | None = None
    system_name: str | None = None
    ts: msgspec.Raw = msgspec.Raw()
    uid: str | None = None
    orig_h: str | None = None
    orig_p: Count | None = None
    resp_h: str | None = None
    resp_p: Count | None = None

    @property
    def sensor(self) -> str | None:
        """The sensor that wrote the row, where a package names it."""
        return self.node_name or self.system_name or None


class ConnRow(Row, frozen=True, kw_only=True, gc=False):
    """A connection; ``dns`` has columns of the same names, so one struct reads both."""

    proto: str | None = None
    service: str | None = None
    duration: float | None = None
    orig_bytes: Count | None = None
    resp_bytes: Count | None = None
    orig_ip_bytes: Count | None = None
    resp_ip_bytes: Count | None = None
    conn_state: str | None = None
    local_orig: bool | None = None
    local_resp: bool | None = None
    orig_pkts: Count | None = None
    resp_pkts: Count | None = None
    query: str | None = None
    qtype: Count | None = None
    qtype_name: str | None = None
    rcode_name: str | None = None
    answers: list[str] | None = None


class HttpRow(Row, frozen=True, kw_only=True, gc=False):
    """One request; ``password`` is not among the columns that are read."""

    trans_depth: Count | None = None
    method: str | None = None
    host: str | None = None
    uri: str | None = None
    referrer: str | None = None
    version: str | None = None
    user_agent: str | None = None
    request_body_len: Count | None = None
    response_body_len: Count | None = None
    status_code: Count | None = None
    username: str | None = None
    resp_mime_types: list[str] | None = None


class SslRow(Row, frozen=True, kw_only=True, gc=False):
    """One handshake; the certificate's columns are those of Zeek before 2.2 and of packages."""

    version: str | None = None
    server_name: str | None = None
    established: bool | None = None
    cert_chain_fps: list[str] | None = None
    cert_chain_fuids: list[str] | None = None
    cert_hash: str | None = None
    subject: str | None = None
    issuer: str | None = None
    issuer_subject: str | None = None
    not_valid_before: msgspec.Raw = msgspec.Raw()
    not_valid_after: msgspec.Raw = msgspec.Raw()
    ja3: str | None = None
    ja3s: str | None = None
    ja4: str | None = None
    ja4s: str | None = None


class X509Row(Row, frozen=True, kw_only=True, gc=False):
    """One certificate; ``id`` is its file id, in logs that have no fingerprint."""

    id: str | None = None
    fingerprint: str | None = None
    cert_subject: str | None = None
    cert_issuer: str | None = None
    cert_from: msgspec.Raw = msgspec.Raw()
    cert_to: msgspec.Raw = msgspec.Raw()


class DhcpRow(Row, frozen=True, kw_only=True, gc=False):
    """One exchange; ``assigned_ip`` and the addresses of ``id`` are those of Zeek before 2.6."""

    uids: list[str] | None = None
    client_addr: str | None = None
    assigned_addr: str | None = None
    assigned_ip: str | None = None
    mac: str | None = None
    host_name: str | None = None
    client_fqdn: str | None = None
    lease_time: float | None = None
    msg_types: list[str] | None = None


def raw_text(raw: msgspec.Raw) -> str:
    """Give the text of an undecoded number or string; ``""`` where it is unset."""
    text = bytes(raw).decode().strip('"')
    return "" if text in ("null", "-") else text


def ip_event(row: ConnRow, ts: str, joins: Joins) -> IpEvent:
    """Map a connection; bytes of payload, of packets where the log does not count payload."""
    if not row.resp_h:
        raise Unmappable("dest_missing")
    if row.duration is not None and not isfinite(row.duration):
        raise Unmappable("malformed")
    icmp = row.proto == "icmp"
    session = joins.session(row.uid) if row.uid else None
    return IpEvent(
        ts=ts,
        src_ip=row.orig_h or "",
        src_port=None if icmp else row.orig_p,
        dest_ip=row.resp_h,
        dest_port=None if icmp else row.resp_p,
        proto=row.proto or None,
        app=row.service or None,
        duration=row.duration,
        bytes_out=row.orig_ip_bytes if row.orig_bytes is None else row.orig_bytes,
        bytes_in=row.resp_ip_bytes if row.resp_bytes is None else row.resp_bytes,
        pkts_out=row.orig_pkts,
        pkts_in=row.resp_pkts,
        conn_state=row.conn_state or None,
        icmp_type=row.orig_p if icmp else None,
        local_orig=row.local_orig,
        local_resp=row.local_resp,
        conn_id=row.uid or None,
        sensor=row.sensor,
        host=session.host if session else None,
        ja3=session.ja3 if session else None,
    )


def dns_event(row: ConnRow, ts: str, _joins: Joins) -> DnsEvent:
    """Map a question; Skipped where nothing was asked, or only the neighbours were."""
    if not row.query or row.resp_p in LOCAL_NAME_PORTS:
        raise Skipped
    return DnsEvent(
        ts=ts,
        src_ip=row.orig_h or "",
        src_port=row.orig_p,
        dest_ip=row.resp_h or None,
        query=row.query,
        qtype=row.qtype_name or (None if row.qtype is None else str(row.qtype)),
        rcode=row.rcode_name or None,
        answers=[answer for answer in row.answers if answer] or None if row.answers else None,
        conn_id=row.uid or None,
        sensor=row.sensor,
    )


def http_event(row: HttpRow, ts: str, _joins: Joins) -> HttpEvent:
    """Map a request; a missing Host header leaves the address in the URL."""
    if not row.resp_h:
        raise Unmappable("dest_missing")
    return HttpEvent(
        ts=ts,
        src_ip=row.orig_h or "",
        src_port=row.orig_p,
        src_user=row.username or None,
        dest_ip=row.resp_h,
        dest_port=row.resp_p,
        url=http_url(
            method=row.method, host=row.host, uri=row.uri, dest=row.resp_h, port=row.resp_p
        ),
        method=row.method or None,
        status=row.status_code,
        bytes_out=row.request_body_len,
        bytes_in=row.response_body_len,
        content_type=_first(row.resp_mime_types),
        referrer=row.referrer or None,
        user_agent=row.user_agent or None,
        host=row.host or None,
        version=row.version or None,
        conn_id=row.uid or None,
        sensor=row.sensor,
    )


def tls_event(row: SslRow, ts: str, joins: Joins) -> TlsEvent:
    """Map a handshake with the certificate its chain begins with, and lend it to its connection."""
    fingerprint, file_id = _first(row.cert_chain_fps), _first(row.cert_chain_fuids)
    key = fingerprint or file_id
    known = (joins.certificate(key) if key else None) or _NO_CERTIFICATE
    if row.uid:
        joins.add_session(row.uid, host=row.server_name or None, ja3=row.ja3 or None)
    clock = _certificate_clock
    return TlsEvent(
        ts=ts,
        src_ip=row.orig_h or "",
        src_port=row.orig_p,
        dest_ip=row.resp_h or None,
        dest_port=row.resp_p,
        cert_hash=cert_hash(fingerprint or row.cert_hash or known.fingerprint),
        subject=row.subject or known.subject,
        issuer=row.issuer or row.issuer_subject or known.issuer,
        valid_from=validity(raw_text(row.not_valid_before), clock) or known.valid_from,
        valid_to=validity(raw_text(row.not_valid_after), clock) or known.valid_to,
        ja3=row.ja3 or None,
        ja3s=row.ja3s or None,
        ja4=row.ja4 or None,
        ja4s=row.ja4s or None,
        sni=row.server_name or None,
        version=row.version or None,
        conn_id=row.uid or None,
        sensor=row.sensor,
    )


def keep_certificate(row: X509Row, ts: str, joins: Joins) -> NoReturn:
    """Keep a certificate for the handshakes to come, and raise Lent: it is no event."""
    key = row.fingerprint or row.id
    if not key:
        raise Unmappable("malformed")
    certificate = Certificate(
        fingerprint=row.fingerprint or None,
        subject=row.cert_subject or None,
        issuer=row.cert_issuer or None,
        valid_from=validity(raw_text(row.cert_from), _certificate_clock),
        valid_to=validity(raw_text(row.cert_to), _certificate_clock),
    )
    joins.add_certificate(key, certificate, ts=ts)
    raise Lent


def lease_event(row: DhcpRow, ts: str, _joins: Joins) -> LeaseEvent:
    """Map an exchange that gave an address or gave it back; Skipped where it did neither."""
    kinds = row.msg_types
    released = RELEASED in kinds if kinds else None
    if kinds and not released and ACKNOWLEDGED not in kinds:
        raise Skipped
    address = row.assigned_addr or row.assigned_ip or row.client_addr or row.orig_h
    if not address or address in ANY_ADDRESS:
        raise Unmappable("src_missing")
    return LeaseEvent(
        ts=ts,
        type="dhcp",
        src_ip=address,
        src_mac=row.mac or None,
        src_host=row.host_name or row.client_fqdn or None,
        duration=_whole_seconds(row.lease_time),
        termination=released,
        conn_id=_first(row.uids) or row.uid or None,
        sensor=row.sensor,
    )


def _whole_seconds(value: float | None) -> int | None:
    if value is None:
        return None
    if not (isfinite(value) and value >= 0):
        raise Unmappable("malformed")
    if value >= MAX_COUNT:
        raise Unmappable("number_out_of_range")
    return int(value)


_NO_CERTIFICATE = Certificate(None, None, None, None, None)


def _first(values: list[str] | None) -> str | None:
    return values[0] or None if values else None


ROWS: dict[str, type[Row]] = {
    CONN: ConnRow,
    DNS: ConnRow,
    HTTP: HttpRow,
    SSL: SslRow,
    X509: X509Row,
    DHCP: DhcpRow,
}
"""The struct of each log that is read, by family."""

_MAPPERS: dict[str, Callable[[Any, str, Joins], Event]] = {
    CONN: ip_event,
    DNS: dns_event,
    HTTP: http_event,
    SSL: tls_event,
    X509: keep_certificate,
    DHCP: lease_event,
}

_WITHOUT_ID = frozenset({X509, DHCP})


def event_of(row: Row, log: str, clock: Clockface, joins: Joins) -> Event:
    """Map a row of ``log``.

    Unmappable with the reason where it cannot be, Skipped where it is no event, Lent where it only
    has something for others.
    """
    family = FAMILIES[log]
    text = raw_text(row.ts)
    if not text:
        raise Unmappable("ts_missing")
    if not row.orig_h and family not in _WITHOUT_ID:
        raise Unmappable("src_missing")
    return _MAPPERS[family](row, clock(text), joins)
