"""Rows of a Zeek JSON log to events; keys are dotted (``id.orig_h``), absent or null is unset."""

from math import isfinite
from typing import Annotated

import msgspec

from tawny.formats.events import DnsEvent, Event, IpEvent
from tawny.formats.parsing import Unmappable
from tawny.formats.times import Clockface
from tawny.formats.zeek.kinds import CONN, DNS, MAPPED, OPEN_CONN, by_columns

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


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
    },
):
    """The columns of conn and dns logs, read leniently: ``404.0`` and ``"404"`` are 404."""

    path: str | None = None
    node_name: str | None = None
    system_name: str | None = None
    ts: msgspec.Raw = msgspec.Raw()  # undecoded: a double would cut its digits
    uid: str | None = None
    orig_h: str | None = None
    orig_p: _Count | None = None
    resp_h: str | None = None
    resp_p: _Count | None = None
    proto: str | None = None
    service: str | None = None
    duration: float | None = None
    orig_bytes: _Count | None = None
    resp_bytes: _Count | None = None
    conn_state: str | None = None
    local_orig: bool | None = None
    local_resp: bool | None = None
    orig_pkts: _Count | None = None
    resp_pkts: _Count | None = None
    query: str | None = None
    qtype_name: str | None = None
    rcode_name: str | None = None
    answers: list[str] | None = None


_rows = msgspec.json.Decoder(Row, strict=False)
_any_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode(line: str, hint: str) -> tuple[str, Row | None]:
    """Decode one line to its log kind and, for kinds that are mapped, its row.

    A row whose values have the wrong type is Unmappable if its kind is one of ours;
    ``msgspec.DecodeError`` means that the line is no JSON object.
    """
    try:
        row = _rows.decode(line)
    except msgspec.ValidationError:
        return _kind_of(line, hint), None
    kind = row.path or _usual_kind(row, hint) or _kind_of(line, hint)
    return kind, row if kind in MAPPED else None


def _usual_kind(row: Row, hint: str) -> str:
    """Tell the kind of a row as Zeek usually writes it, or give nothing."""
    if row.orig_h is None:
        return ""
    if row.conn_state is not None:
        return OPEN_CONN if hint == OPEN_CONN else CONN
    return DNS if row.query is not None and row.qtype_name is not None else ""


def _kind_of(line: str, hint: str) -> str:
    """Tell the kind of any object, whatever the types of its values."""
    row = _any_object.decode(line)
    path = bytes(row.get("_path", b"")).decode()
    if path.startswith('"'):
        return msgspec.json.decode(path, type=str)
    return by_columns(row.__contains__, hint)


def to_event(row: Row, log: str, clock: Clockface) -> Event:
    """Map a row; Unmappable with the reason where it cannot be."""
    text = bytes(row.ts).decode().strip('"')
    if text in ("", "null", "-"):
        raise Unmappable("ts_missing")
    if not row.orig_h:
        raise Unmappable("src_missing")
    ts = clock(text)
    if log == DNS:
        return _dns_event(row, ts, row.orig_h)
    if not row.resp_h:
        raise Unmappable("dest_missing")
    return _ip_event(row, ts, row.orig_h, row.resp_h)


def _ip_event(row: Row, ts: str, source: str, dest: str) -> IpEvent:
    if row.duration is not None and not isfinite(row.duration):
        raise Unmappable("malformed")
    icmp = row.proto == "icmp"
    return IpEvent(
        ts=ts,
        src_ip=source,
        src_port=None if icmp else row.orig_p,
        dest_ip=dest,
        dest_port=None if icmp else row.resp_p,
        proto=row.proto or None,
        app=row.service or None,
        duration=row.duration,
        bytes_out=row.orig_bytes,
        bytes_in=row.resp_bytes,
        pkts_out=row.orig_pkts,
        pkts_in=row.resp_pkts,
        conn_state=row.conn_state or None,
        icmp_type=row.orig_p if icmp else None,
        local_orig=row.local_orig,
        local_resp=row.local_resp,
        conn_id=row.uid or None,
        sensor=row.node_name or row.system_name or None,
    )


def _dns_event(row: Row, ts: str, source: str) -> DnsEvent:
    return DnsEvent(
        ts=ts,
        src_ip=source,
        src_port=row.orig_p,
        dest_ip=row.resp_h or None,
        query=row.query or None,
        qtype=row.qtype_name or None,
        rcode=row.rcode_name or None,
        answers=[answer for answer in row.answers if answer] or None if row.answers else None,
        conn_id=row.uid or None,
        sensor=row.node_name or row.system_name or None,
    )
