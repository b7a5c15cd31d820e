"""What a row of a Zeek log becomes, field by field."""

import json
from typing import Any

import msgspec
import pytest

from tawny.formats import DnsEvent, Event, IpEvent, encode_lines
from tawny.formats.zeek import Parser
from tests.client.zeek_logs import (
    CONN_FIELDS,
    CONN_ROW,
    DNS_FIELDS,
    DNS_ROW,
    conn_log,
    conn_row,
    dns_log,
    dns_row,
    header,
    row,
)


def parse(log: bytes, file_name: str = "") -> tuple[list[Event], Parser]:
    parser = Parser(file_name=file_name)
    events = parser.feed(log) + parser.finish()
    return events, parser


def as_sent(events: list[Event]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in encode_lines(events).splitlines()]


def one(log: bytes, file_name: str = "") -> dict[str, Any]:
    (event,) = as_sent(parse(log, file_name)[0])
    return event


def json_line(**values: Any) -> bytes:
    named = {name.replace("__", "."): value for name, value in values.items()}
    return json.dumps(named).encode() + b"\n"


CONN = {
    "ts": "2024-04-18T23:59:55.943239Z",
    "srcIP": "192.0.2.10",
    "srcPort": 50123,
    "destIP": "198.51.100.7",
    "destPort": 443,
    "proto": "tcp",
    "app": "ssl",
    "duration": 12.345678,
    "bytesOut": 1200,
    "bytesIn": 34000,
    "pktsOut": 14,
    "pktsIn": 30,
    "connState": "SF",
    "localOrig": True,
    "localResp": False,
    "connID": "CYl7H53iN6mY9NyXJ8",
}
DNS = {
    "ts": "2018-03-24T17:15:20.865716Z",
    "srcIP": "192.0.2.10",
    "srcPort": 41772,
    "destIP": "192.0.2.53",
    "query": "www.example.com",
    "qtype": "A",
    "rcode": "NOERROR",
    "answers": ["alias.example.net", "203.0.113.9"],
    "connID": "CqKst53mF3det3eDV9",
}


def test_every_field_of_a_conn_row_has_its_place_in_the_ip_event() -> None:
    assert one(conn_log()) == CONN


def test_every_field_of_a_dns_row_has_its_place_in_the_dns_event() -> None:
    assert one(dns_log()) == DNS


def test_an_open_session_is_an_ip_event_of_its_own_log() -> None:
    events, parser = parse(conn_log(path="open_conn"))
    assert as_sent(events) == [CONN]
    assert parser.tally.mapped == {"open_conn": 1}


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("service", "app"),
        ("duration", "duration"),
        ("orig_pkts", "pktsOut"),
        ("resp_pkts", "pktsIn"),
        ("conn_state", "connState"),
        ("local_orig", "localOrig"),
        ("local_resp", "localResp"),
        ("id.orig_p", "srcPort"),
        ("id.resp_p", "destPort"),
        ("proto", "proto"),
        ("uid", "connID"),
    ],
)
def test_an_unset_column_of_conn_leaves_its_field_out(column: str, field: str) -> None:
    event = one(conn_log(row(CONN_FIELDS, CONN_ROW, **{column: "-"})))
    assert event == {name: value for name, value in CONN.items() if name != field}


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("rcode_name", "rcode"),
        ("answers", "answers"),
        ("id.resp_h", "destIP"),
        ("id.orig_p", "srcPort"),
    ],
)
@pytest.mark.parametrize("nothing", ["-", ""])
def test_an_unset_column_of_dns_leaves_its_field_out(column: str, field: str, nothing: str) -> None:
    event = one(dns_log(row(DNS_FIELDS, DNS_ROW, **{column: nothing})))
    assert event == {name: value for name, value in DNS.items() if name != field}


def test_an_empty_set_and_an_empty_text_are_left_out() -> None:
    event = one(dns_log(dns_row(answers="(empty)", rcode_name="(empty)")))
    assert "answers" not in event
    assert "rcode" not in event


def test_bytes_of_packets_stand_in_for_bytes_of_payload_and_are_never_added() -> None:
    uncounted = conn_row(orig_bytes="-", resp_bytes="-")
    event = one(conn_log(uncounted))
    assert (event["bytesOut"], event["bytesIn"]) == (1800, 35500)
    line = json_line(
        ts=1, id__orig_h="192.0.2.1", id__resp_h="192.0.2.2", conn_state="S0", orig_ip_bytes=60,
        resp_ip_bytes=0,
    )  # fmt: skip
    event = one(line)
    assert (event["bytesOut"], event["bytesIn"]) == (60, 0)


def test_a_type_without_a_name_is_its_number() -> None:
    assert one(dns_log(dns_row(qtype_name="-", qtype="65")))["qtype"] == "65"
    asked = {"id.orig_h": "192.0.2.1", "query": "www.example.com", "qtype": 65}
    assert one(json_line(_path="dns", ts=1, **asked))["qtype"] == "65"


@pytest.mark.parametrize(
    "changes", [{"query": "-"}, {"query": ""}, {"id__resp_p": "5353"}, {"id__resp_p": "5355"}]
)
def test_a_row_that_asks_nothing_or_only_the_neighbours_is_skipped(
    changes: dict[str, str],
) -> None:
    events, parser = parse(dns_log(dns_row(), dns_row(**changes)))
    assert len(events) == 1
    assert (parser.tally.mapped, parser.tally.skipped) == ({"dns": 1}, {"dns": 1})
    assert not parser.tally.joined


@pytest.mark.parametrize("node", ["_node_name", "_system_name"])
def test_the_sensor_is_named_where_the_log_names_it(node: str) -> None:
    log = header("conn", (node, *CONN_FIELDS)) + "worker-1\t" + conn_row()
    assert one(log.encode()) == CONN | {"sensor": "worker-1"}
    assert (
        one(json_line(_path="conn", ts=1, id__orig_h="192.0.2.1", id__resp_h="192.0.2.2"))["srcIP"]
        == "192.0.2.1"
    )
    named = {node: "worker-2"}
    line = json_line(_path="dns", ts=1, id__orig_h="192.0.2.1", query="a.example", **named)
    assert one(line)["sensor"] == "worker-2"


def test_icmp_has_a_type_in_place_of_ports() -> None:
    event = one(conn_log(conn_row(proto="icmp", id__orig_p="8", id__resp_p="0")))
    assert event["icmpType"] == 8
    assert "srcPort" not in event
    assert "destPort" not in event
    line = json_line(
        ts=1, id__orig_h="192.0.2.1", id__orig_p=3, id__resp_h="192.0.2.2", id__resp_p=3,
        proto="icmp", conn_state="OTH",
    )  # fmt: skip
    assert one(line)["icmpType"] == 3


def test_escaped_characters_in_a_value_are_themselves_again() -> None:
    event = one(dns_log(dns_row(query="a\\x09b\\x0a\\\\c", answers="TXT 3 a\\x2cb,\\x5cx")))
    assert event["query"] == "a\tb\n\\c"
    assert event["answers"] == ["TXT 3 a,b", "\\x"]


def test_escaped_utf_8_is_text_and_other_bytes_stay_escaped() -> None:
    event = one(dns_log(dns_row(query="m\\xc3\\xbcller.example", answers="\\xff\\xfe")))
    assert event["query"] == "müller.example"
    assert event["answers"] == ["\\xff\\xfe"]


def test_a_byte_that_is_not_utf_8_does_not_cost_its_neighbours() -> None:
    log = dns_log(dns_row(), dns_row(query="m\x00ller.example"), dns_row())
    events, parser = parse(log.replace(b"m\x00ller", b"m\xfcller"))
    assert [event["query"] for event in as_sent(events)] == [
        "www.example.com",
        "m\\xfcller.example",
        "www.example.com",
    ]
    assert not parser.tally.reasons


def test_columns_may_come_in_any_order_and_unknown_ones_are_passed_over() -> None:
    fields = ("extra", *reversed(CONN_FIELDS))
    line = "\t".join(("?", *reversed(CONN_ROW))) + "\n"
    assert one((header("conn", fields) + line).encode()) == CONN


def test_json_with_dotted_keys_gives_the_same_events_as_tsv() -> None:
    conn = json_line(
        ts=1713484795.943239, uid="CYl7H53iN6mY9NyXJ8", id__orig_h="192.0.2.10",
        id__orig_p=50123, id__resp_h="198.51.100.7", id__resp_p=443, proto="tcp", service="ssl",
        duration=12.345678, orig_bytes=1200, resp_bytes=34000, conn_state="SF", local_orig=True,
        local_resp=False, missed_bytes=0, history="ShADadFf", orig_pkts=14, orig_ip_bytes=1800,
        resp_pkts=30, resp_ip_bytes=35500, community_id="1:x",
    )  # fmt: skip
    dns = json_line(
        _path="dns", ts="2018-03-24T17:15:20.865716Z", uid="CqKst53mF3det3eDV9",
        id__orig_h="192.0.2.10", id__orig_p=41772, id__resp_h="192.0.2.53", id__resp_p=53,
        query="www.example.com", qtype=1, qtype_name="A", rcode=0, rcode_name="NOERROR",
        answers=["alias.example.net", "203.0.113.9"], TTLs=[60.0, 30.0], rejected=False,
    )  # fmt: skip
    assert as_sent(parse(conn + dns)[0]) == [CONN, DNS]


def test_json_null_is_unset_and_whole_floats_are_counts() -> None:
    event = one(
        json_line(
            ts=1, id__orig_h="192.0.2.1", id__resp_h="192.0.2.2", conn_state="S0", service=None,
            orig_bytes=404.0, resp_bytes=None, local_orig=None,
        )
    )  # fmt: skip
    assert event == {
        "ts": "1970-01-01T00:00:01Z",
        "srcIP": "192.0.2.1",
        "destIP": "192.0.2.2",
        "connState": "S0",
        "bytesOut": 404,
    }


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ts": "-"}, "ts_missing"),
        ({"ts": "yesterday"}, "ts_invalid"),
        ({"ts": "-5.0"}, "ts_invalid"),
        ({"id.orig_h": "-"}, "src_missing"),
        ({"id.resp_h": "-"}, "dest_missing"),
        ({"id.orig_p": "x"}, "malformed"),
        ({"orig_bytes": "1_000"}, "malformed"),
        ({"orig_bytes": "-1"}, "malformed"),
        ({"orig_bytes": "9223372036854775808"}, "number_out_of_range"),
        ({"resp_pkts": "9" * 5000}, "number_out_of_range"),
        ({"duration": "nan"}, "malformed"),
        ({"duration": "1e999"}, "malformed"),
        ({"duration": "0.065x"}, "malformed"),
    ],
)
def test_a_conn_row_that_cannot_be_mapped_counts_under_its_reason(
    changes: dict[str, str], reason: str
) -> None:
    log = conn_log(row(CONN_FIELDS, CONN_ROW, **changes), conn_row())
    events, parser = parse(log)
    assert as_sent(events) == [CONN]
    assert parser.tally.reasons == {reason: 1}
    assert parser.tally.malformed == {"conn": 1}
    assert parser.tally.mapped == {"conn": 1}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ts": None}, "ts_missing"),
        ({"ts": "soon"}, "ts_invalid"),
        ({"ts": True}, "ts_invalid"),
        ({"ts": [1]}, "ts_invalid"),
        ({"id.orig_h": None}, "src_missing"),
        ({"id.resp_h": ""}, "dest_missing"),
        ({"id.resp_p": "https"}, "malformed"),
        ({"orig_bytes": -1}, "malformed"),
        ({"orig_bytes": 2**63}, "malformed"),
        ({"service": 5}, "malformed"),
    ],
)
def test_a_json_row_that_cannot_be_mapped_counts_under_its_reason(
    changes: dict[str, Any], reason: str
) -> None:
    good = {"_path": "conn", "ts": 1, "id.orig_h": "192.0.2.1", "id.resp_h": "192.0.2.2"}
    lines = msgspec.json.encode(good) + b"\n" + msgspec.json.encode(good | changes) + b"\n"
    events, parser = parse(lines)
    assert len(events) == 1
    assert parser.tally.reasons == {reason: 1}


def test_events_know_their_type() -> None:
    assert isinstance(parse(conn_log())[0][0], IpEvent)
    assert isinstance(parse(dns_log())[0][0], DnsEvent)
