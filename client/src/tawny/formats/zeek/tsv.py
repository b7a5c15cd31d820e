"""Rows of a Zeek TSV log to events, through a function made once for each set of columns."""

from collections.abc import Callable, Iterable
from math import isfinite
from operator import itemgetter
from typing import Any, TypeAlias

from tawny.formats.events import DnsEvent, Event, IpEvent
from tawny.formats.parsing import Unmappable
from tawny.formats.times import Clockface
from tawny.formats.zeek.header import Header, unescape
from tawny.formats.zeek.kinds import DNS

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
    "resp_pkts",
    "_node_name",
    "_system_name",
)
DNS_COLUMNS = (
    "ts",
    "uid",
    "id.orig_h",
    "id.orig_p",
    "id.resp_h",
    "query",
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


def mapper(header: Header, log: str, clock: Clockface) -> RowMapper:
    """Make the function that maps a row's columns, the unset value appended, to an event.

    It raises Unmappable, or ValueError for a row that is malformed.
    """
    return _dns_mapper(header, clock) if log == DNS else _conn_mapper(header, clock)


def careful(row_mapper: RowMapper, header: Header) -> RowMapper:
    """Wrap a mapper for rows with a backslash: columns but ``answers`` are unescaped first."""
    vectors = {place for place, name in enumerate(header.fields) if name == "answers"}

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


def _conn_mapper(header: Header, clock: Clockface) -> RowMapper:
    pick = picker(header, CONN_COLUMNS)
    unset, words, counts = header.unset, Words(header), Counts(header)
    flags = {"T": True, "F": False}
    nothing = ("", unset)

    def map_row(row: list[str]) -> IpEvent:
        (
            ts, uid, source, source_port, dest, dest_port, proto, service, duration, sent, received,
            state, local_orig, local_resp, sent_pkts, received_pkts, node, system,
        ) = pick(row)  # fmt: skip
        if ts in nothing or source in nothing or dest in nothing:
            _require(header, ts=ts, src=source, dest=dest)
        icmp = proto == "icmp"
        return IpEvent(
            ts=clock(ts),
            src_ip=source,
            src_port=None if icmp else counts[source_port],
            dest_ip=dest,
            dest_port=None if icmp else counts[dest_port],
            proto=words[proto],
            app=words[service],
            duration=None if duration in nothing else seconds(duration),
            bytes_out=counts[sent],
            bytes_in=counts[received],
            pkts_out=counts[sent_pkts],
            pkts_in=counts[received_pkts],
            conn_state=words[state],
            icmp_type=counts[source_port] if icmp else None,
            local_orig=flags.get(local_orig),
            local_resp=flags.get(local_resp),
            conn_id=None if uid in nothing else uid,
            sensor=words[node] or words[system],
        )

    return map_row


def _dns_mapper(header: Header, clock: Clockface) -> RowMapper:
    pick = picker(header, DNS_COLUMNS)
    words, counts = Words(header), Counts(header)
    absent = ("", header.unset, header.empty)
    comma = header.set_separator

    def elements(value: str) -> list[str] | None:
        parts = [part for part in value.split(comma) if part not in absent]
        if "\\" in value:
            parts = [unescape(part) for part in parts]
        return parts or None

    def map_row(row: list[str]) -> DnsEvent:
        ts, uid, source, port, dest, query, qtype, rcode, answers, node, system = pick(row)
        if ts in absent or source in absent:
            _require(header, ts=ts, src=source)
        return DnsEvent(
            ts=clock(ts),
            src_ip=source,
            src_port=counts[port],
            dest_ip=None if dest in absent else dest,
            query=None if query in absent else query,
            qtype=words[qtype],
            rcode=words[rcode],
            answers=None if answers in absent else elements(answers),
            conn_id=None if uid in absent else uid,
            sensor=words[node] or words[system],
        )

    return map_row
