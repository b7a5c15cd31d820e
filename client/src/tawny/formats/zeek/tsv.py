"""Rows of a Zeek TSV log to events, through a function made once for each set of columns."""

from collections.abc import Callable, Iterable
from math import isfinite
from operator import itemgetter
from typing import Any, TypeAlias, get_args

import msgspec

from tawny.formats.events import DnsEvent, Event, IpEvent
from tawny.formats.parsing import Skipped, Unmappable
from tawny.formats.times import Clockface
from tawny.formats.zeek import kinds
from tawny.formats.zeek.header import Header, unescape
from tawny.formats.zeek.joins import Joins
from tawny.formats.zeek.rows import LOCAL_NAME_PORTS, ROWS, Count, event_of

RowMapper: TypeAlias = Callable[[list[str]], Event]

INT64 = 1 << 63
COUNTS_KEPT = 1 << 16  # every port; some 7 MB when all have been seen
WORDS_KEPT = 4096  # cached values of columns with few values; emptied when full

CONN_COLUMNS = (
    "ts",
    "uid",
    "id.orig_h",
    "id.orig_p",
    "id.resp_h",
    "id.resp_p",
    "proto",
    "service",
    "duration",
    "orig_bytes",
    "resp_bytes",
    "conn_state",
    "local_orig",
    "local_resp",
    "orig_pkts",
    "orig_ip_bytes",
    "resp_pkts",
    "resp_ip_bytes",
    "_node_name",
    "_system_name",
)
DNS_COLUMNS = (
    "ts",
    "uid",
    "id.orig_h",
    "id.orig_p",
    "id.resp_h",
    "id.resp_p",
    "query",
    "qtype",
    "qtype_name",
    "rcode_name",
    "answers",
    "_node_name",
    "_system_name",
)


class Words(dict[str, str | None]):
    """Values of a column with few of them: unset and empty are None."""

    def __init__(self, header: Header) -> None:
        self.absent = {"": None, header.unset: None, header.empty: None}
        super().__init__(self.absent)

    def __missing__(self, value: str) -> str:
        """Keep a value as it is."""
        if len(self) >= WORDS_KEPT:
            self.clear()
            self.update(self.absent)
        self[value] = value
        return value


class Counts(dict[str, int | None]):
    """Counts and ports: unset is None, numbers below ``COUNTS_KEPT`` are parsed once."""

    def __init__(self, header: Header) -> None:
        super().__init__({"": None, header.unset: None})

    def __missing__(self, value: str) -> int:
        """Parse a number; a small one is kept."""
        number = whole_number(value)
        if number < COUNTS_KEPT and len(value) < 6:
            self[value] = number
        return number


def whole_number(value: str) -> int:
    """Parse a count; Unmappable unless it is digits and fits in 64 signed bits."""
    if not (value.isdigit() and value.isascii()):
        raise Unmappable("malformed")
    number = int(value) if len(value) < 20 else INT64
    if number >= INT64:
        raise Unmappable("number_out_of_range")
    return number


LONG = float("inf")


def seconds(value: str) -> float:
    """Parse a duration; Unmappable unless it is a finite number."""
    number = float(value)
    if not isfinite(number):
        raise Unmappable("malformed")
    return number


def picker(header: Header, columns: Iterable[str]) -> Callable[[list[str]], Any]:
    """Pick columns by name from a row to which the unset value was appended."""
    places = {name: place for place, name in enumerate(header.fields)}
    return itemgetter(*(places.get(name, len(header.fields)) for name in columns))


def mapper(header: Header, log: str, clock: Clockface, joins: Joins) -> RowMapper:
    """Make the function that maps a row's columns, the unset value appended, to an event.

    It raises Unmappable, or ValueError for a row that is malformed; Skipped, or Lent, for a good
    row that is no event.
    """
    match kinds.FAMILIES[log]:
        case kinds.CONN:
            return _conn_mapper(header, clock, joins)
        case kinds.DNS:
            return _dns_mapper(header, clock)
        case _:
            return _any_mapper(header, log, clock, joins)


def careful(row_mapper: RowMapper, header: Header, log: str) -> RowMapper:
    """Wrap a mapper for rows with a backslash: columns but vectors are unescaped first."""
    row_type = ROWS[kinds.FAMILIES[log]]
    columns = {
        field.encode_name
        for field in msgspec.structs.fields(row_type)
        if field.type == list[str] | None
    }
    vectors = {place for place, name in enumerate(header.fields) if name in columns}

    def map_row(row: list[str]) -> Event:
        return row_mapper(
            [
                unescape(value) if "\\" in value and place not in vectors else value
                for place, value in enumerate(row)
            ]
        )

    return map_row


def _require(header: Header, **values: str) -> None:
    for name, value in values.items():
        if value in ("", header.unset):
            raise Unmappable(f"{name}_missing")


def _conn_mapper(header: Header, clock: Clockface, joins: Joins) -> RowMapper:
    pick = picker(header, CONN_COLUMNS)
    unset, words, counts = header.unset, Words(header), Counts(header)
    flags = {"T": True, "F": False}
    nothing = frozenset({"", unset})
    named = "_node_name" in header.fields or "_system_name" in header.fields
    session_of = joins.session

    def map_row(row: list[str]) -> IpEvent:
        (
            ts, uid, source, source_port, dest, dest_port, proto, service, duration, sent, received,
            state, local_orig, local_resp, sent_pkts, sent_ip, received_pkts, received_ip, node,
            system,
        ) = pick(row)  # fmt: skip
        if not nothing.isdisjoint((ts, source, dest)):
            _require(header, ts=ts, src=source, dest=dest)
        icmp = proto == "icmp"
        length = None
        if duration not in nothing and not -LONG < (length := float(duration)) < LONG:
            raise Unmappable("malformed")  # infinite, or no number
        bytes_out, bytes_in = counts[sent], counts[received]
        session = session_of(uid)
        return IpEvent(  # by position, in the order of its fields: see there
            clock(ts),
            source,
            dest,
            None if icmp else counts[source_port],
            None if icmp else counts[dest_port],
            words[proto],
            words[service],
            length,
            counts[sent_ip] if bytes_out is None else bytes_out,
            counts[received_ip] if bytes_in is None else bytes_in,
            counts[sent_pkts],
            counts[received_pkts],
            words[state],
            counts[source_port] if icmp else None,
            flags.get(local_orig),
            flags.get(local_resp),
            None if uid in nothing else uid,
            words[node] or words[system] if named else None,
            session.host if session else None,
            session.ja3 if session else None,
        )

    return map_row


def _dns_mapper(header: Header, clock: Clockface) -> RowMapper:
    pick = picker(header, DNS_COLUMNS)
    words, counts, elements = Words(header), Counts(header), elements_of(header)
    absent = ("", header.unset, header.empty)
    local = {str(port) for port in LOCAL_NAME_PORTS}

    def map_row(row: list[str]) -> DnsEvent:
        (
            ts,
            uid,
            source,
            port,
            dest,
            dest_port,
            query,
            number,
            qtype,
            rcode,
            answers,
            node,
            system,
        ) = pick(row)
        if ts in absent or source in absent:
            _require(header, ts=ts, src=source)
        time = clock(ts)
        if query in absent or dest_port in local:
            raise Skipped
        return DnsEvent(
            ts=time,
            src_ip=source,
            src_port=counts[port],
            dest_ip=None if dest in absent else dest,
            query=query,
            qtype=words[qtype] or words[number],
            rcode=words[rcode],
            answers=None if answers in absent else elements(answers),
            conn_id=None if uid in absent else uid,
            sensor=words[node] or words[system],
        )

    return map_row


def elements_of(header: Header) -> Callable[[str], list[str] | None]:
    """Make the function that cuts a set or vector into its elements, unescaped."""
    absent = frozenset({"", header.unset, header.empty})
    comma = header.set_separator

    def elements(value: str) -> list[str] | None:
        if value in absent:
            return None
        parts = [part for part in value.split(comma) if part not in absent]
        if "\\" in value:
            parts = [unescape(part) for part in parts]
        return parts or None

    return elements


def _any_mapper(header: Header, log: str, clock: Clockface, joins: Joins) -> RowMapper:
    """Fill the log's struct from whichever of its columns the header has, and map that."""
    row_type = ROWS[kinds.FAMILIES[log]]
    columns = {field.encode_name: field for field in msgspec.structs.fields(row_type)}
    plan = [
        (field.name, place, _converter(field.type, header))
        for place, name in enumerate(header.fields)
        if (field := columns.get(name)) is not None and name != "_path"
    ]

    def map_row(row: list[str]) -> Event:
        values = {name: convert(row[place]) for name, place, convert in plan}
        return event_of(row_type(**values), log, clock, joins)

    return map_row


def _converter(kind: Any, header: Header) -> Callable[[str], Any]:
    """Give the function that reads a column of a struct's field's type."""
    nothing = ("", header.unset)
    if kind is msgspec.Raw:
        return lambda value: msgspec.Raw(b"" if value in nothing else value.encode())
    [inner, _] = get_args(kind)
    if inner == list[str]:
        return elements_of(header)
    if inner == Count:
        return Counts(header).__getitem__
    if inner is float:
        return lambda value: None if value in nothing else seconds(value)
    if inner is bool:
        return {"T": True, "F": False}.get
    empty = header.empty
    return lambda value: None if value in nothing or value == empty else value
