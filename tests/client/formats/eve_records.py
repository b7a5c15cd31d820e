"""Suricata records of one host's traffic, as each version writes them."""

import json
from typing import Any

from tawny.formats import Event, encode_lines
from tawny.formats.eve import Parser

ENVELOPE = {
    "flow_id": 4711, "src_ip": "192.0.2.10", "src_port": 50123, "dest_ip": "198.51.100.7",
    "dest_port": 443, "proto": "TCP", "host": "sensor-1",
}  # fmt: skip
COMMON = {
    "srcIP": "192.0.2.10", "srcPort": 50123, "destIP": "198.51.100.7", "destPort": 443,
    "connID": "4711", "sensor": "sensor-1",
}  # fmt: skip
ASK = ENVELOPE | {"dest_ip": "192.0.2.53", "dest_port": 53, "proto": "UDP", "event_type": "dns"}
BACK = ASK | {"src_ip": "192.0.2.53", "src_port": 53, "dest_ip": "192.0.2.10", "dest_port": 50123}
ASKED = {
    "srcIP": "192.0.2.10", "srcPort": 50123, "destIP": "192.0.2.53", "connID": "4711",
    "sensor": "sensor-1",
}  # fmt: skip
NO_ADDRESS = "0.0.0.0"  # noqa: S104 -- DHCP's word for none
NAME, ALIAS = "www.example.com", "alias.example.net"


def at(second: float) -> str:
    return f"2024-05-01T12:{int(second) // 60:02d}:{second % 60:09.6f}+0200"


def line(second: float = 0, **values: Any) -> bytes:
    return json.dumps({"timestamp": at(second)} | values).encode() + b"\n"


def dns(second: float, envelope: dict[str, Any] = ASK, **message: Any) -> bytes:
    return line(second, **envelope, dns=message)


def parse(log: bytes, parser: Parser | None = None) -> tuple[list[dict[str, Any]], Parser]:
    parser = parser or Parser()
    events = parser.feed(log) + parser.finish()
    assert parser.foreign or parser.tally.lines == log.count(b"\n")
    return as_sent(events), parser


def as_sent(events: list[Event]) -> list[dict[str, Any]]:
    return [json.loads(each) for each in encode_lines(events).splitlines()]


def by_time(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(events, key=lambda event: (event["ts"], event["query"]))


RECORDS = [
    {"rrname": NAME, "rrtype": "CNAME", "ttl": 60, "rdata": ALIAS},
    {"rrname": ALIAS, "rrtype": "A", "ttl": 60, "rdata": "203.0.113.9"},
]
V1 = (
    dns(1, type="query", id=7, rrname=NAME, rrtype="A", tx_id=0)
    + dns(1.5, BACK, type="answer", id=7, rcode="NOERROR", **RECORDS[0])
    + dns(1.5, BACK, type="answer", id=7, rcode="NOERROR", **RECORDS[1])
    + dns(2, type="query", id=8, rrname="no.example", rrtype="AAAA", tx_id=1)
    + dns(2.5, BACK, type="answer", id=8, rcode="NXDOMAIN", rrname="no.example")
    + dns(3, type="query", id=9, rrname="lost.example", rrtype="TXT", tx_id=2)
)
V2 = (
    dns(1, version=2, type="query", id=7, rrname=NAME, rrtype="A", tx_id=0, opcode=0)
    + dns(
        1.5, version=2, type="answer", id=7, flags="8180", qr=True, rrname=NAME, rrtype="A",
        rcode="NOERROR", answers=RECORDS, grouped={"CNAME": [ALIAS], "A": ["203.0.113.9"]},
    )
    + dns(2, version=2, type="query", id=8, rrname="no.example", rrtype="AAAA", tx_id=1)
    + dns(2.5, version=2, type="answer", id=8, rrname="no.example", rcode="NXDOMAIN")
    + dns(3, version=2, type="query", id=9, rrname="lost.example", rrtype="TXT", tx_id=2)
)  # fmt: skip
V3 = (
    dns(1, version=3, type="request", id=7, queries=[{"rrname": NAME, "rrtype": "A"}])
    + dns(
        1.5, version=3, type="response", id=7, queries=[{"rrname": NAME, "rrtype": "A"}],
        rcode="NOERROR", grouped={"CNAME": [ALIAS], "A": ["203.0.113.9"], "SOA": [{"mname": "x"}]},
    )
    + dns(2, version=3, type="request", id=8, queries=[{"rrname": "no.example", "rrtype": "AAAA"}])
    + dns(
        2.5, version=3, type="answer", id=8, queries=[{"rrname": "no.example", "rrtype": "AAAA"}],
        rcode="NXDOMAIN", authorities=[{"rrname": "example", "rrtype": "SOA", "ttl": 60}],
    )
    + dns(3, version=3, type="request", id=9, queries=[{"rrname": "lost.example", "rrtype": "TXT"}])
)  # fmt: skip
TRAFFIC = [
    ASKED | {
        "ts": "2024-05-01T10:00:01.000000Z", "query": NAME, "qtype": "A", "rcode": "NOERROR",
        "answers": [ALIAS, "203.0.113.9"],
    },
    ASKED | {
        "ts": "2024-05-01T10:00:02.000000Z", "query": "no.example", "qtype": "AAAA",
        "rcode": "NXDOMAIN",
    },
    ASKED | {"ts": "2024-05-01T10:00:03.000000Z", "query": "lost.example", "qtype": "TXT"},
]  # fmt: skip
