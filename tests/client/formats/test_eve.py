"""What Suricata's records become: one event a question, flows from their start, either version."""

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from tawny.formats import Event
from tawny.formats.eve import Joins, Parser
from tests.client.formats.eve_records import (
    ASK,
    ASKED,
    BACK,
    COMMON,
    ENVELOPE,
    NAME,
    NO_ADDRESS,
    TRAFFIC,
    V1,
    V2,
    V3,
    as_sent,
    at,
    by_time,
    dns,
    line,
    parse,
)


@pytest.mark.parametrize("log", [V1, V2, V3])
def test_the_same_questions_are_the_same_events_in_every_version(log: bytes) -> None:
    events, parser = parse(log)
    assert by_time(events) == TRAFFIC
    assert parser.tally.mapped == {"dns": 3}
    assert parser.tally.skipped == parser.tally.joined == {"dns": log.count(b"\n") - 3}
    assert parser.tally.events == {"dns": 3}


def test_every_question_of_a_request_is_an_event() -> None:
    questions = [{"rrname": NAME, "rrtype": kind} for kind in ("A", "AAAA")] + [{"rrname": ""}]
    events, parser = parse(dns(1, version=3, type="request", id=7, queries=questions))
    assert [(event["query"], event["qtype"]) for event in events] == [(NAME, "A"), (NAME, "AAAA")]
    assert (parser.tally.mapped, parser.tally.events) == ({"dns": 1}, {"dns": 2})


@pytest.mark.parametrize("envelope", [ASK, BACK])
@pytest.mark.parametrize("version", [{}, {"version": 2}])
def test_an_answer_without_its_request_is_an_event_from_client_to_server(
    envelope: dict[str, Any], version: dict[str, int]
) -> None:
    answer: dict[str, Any] = {
        "type": "answer",
        "id": 7,
        "rrname": NAME,
        "rrtype": "A",
        "rcode": "NOERROR",
    }
    events, parser = parse(dns(1, envelope, **answer, rdata="203.0.113.9", **version))
    assert events == [
        ASKED | {
            "ts": "2024-05-01T10:00:01.000000Z", "query": NAME, "qtype": "A", "rcode": "NOERROR",
            "answers": ["203.0.113.9"],
        }
    ]  # fmt: skip
    assert parser.tally.mapped == {"dns": 1}


def test_a_request_asked_twice_is_answered_twice() -> None:
    request: dict[str, Any] = {
        "version": 2,
        "type": "query",
        "id": 7,
        "rrname": NAME,
        "rrtype": "A",
    }
    answer = request | {"type": "answer", "rcode": "NOERROR"}
    events, _ = parse(dns(1, **request) + dns(2, **request) + dns(3, **answer) + dns(4, **answer))
    assert [event["rcode"] for event in events] == ["NOERROR", "NOERROR"]


def test_a_request_waits_a_minute_of_the_log_and_no_longer() -> None:
    parser = Parser()
    request: dict[str, Any] = {
        "version": 2,
        "type": "query",
        "id": 7,
        "rrname": NAME,
        "rrtype": "A",
    }
    tick = {"event_type": "stats"}
    assert not parser.feed(dns(59, **request) + line(61, **tick))
    assert len(parser.feed(line(121, **tick))) == 1
    assert parser.finish() == []


def test_unanswered_requests_are_bounded_in_number() -> None:
    parser = Parser()
    given: list[Event] = []
    for number in range(3000):
        given += parser.feed(
            dns(1, version=2, type="query", id=number, rrname=f"n{number}.example", rrtype="A")
        )
    assert len(given) == 3000 - 1024
    assert len(parser.resume()) < 1 << 20
    assert len(given + parser.finish()) == 3000


@pytest.mark.parametrize("port", [5353, 5355])
def test_questions_to_the_neighbours_and_empty_ones_are_skipped(port: int) -> None:
    near = ASK | {"dest_port": port}
    log = dns(1, near, version=2, type="query", id=7, rrname=NAME) + dns(
        1, version=2, type="query", id=8, rrname=""
    )
    events, parser = parse(log)
    assert not events
    assert parser.tally.skipped == {"dns": 2}
    assert not parser.tally.joined


FLOW = {
    "pkts_toserver": 10, "pkts_toclient": 20, "bytes_toserver": 1500, "bytes_toclient": 30000,
    "start": at(1.000001), "end": at(63.25), "age": 62, "state": "closed", "reason": "shutdown",
}  # fmt: skip


def test_a_flow_begins_at_its_start_and_counts_from_the_client() -> None:
    tcp = {"tcp_flags": "1b", "syn": True}
    log = line(99, **ENVELOPE, event_type="flow", app_proto="tls", flow=FLOW, tcp=tcp)
    assert parse(log)[0] == [
        COMMON | {
            "ts": "2024-05-01T10:00:01.000001Z", "proto": "tcp", "app": "tls", "tcpFlags": "1b",
            "bytesOut": 1500, "bytesIn": 30000, "pktsOut": 10, "pktsIn": 20,
            "duration": 62.249999,
        }
    ]  # fmt: skip


def test_a_flow_without_bytes_is_skipped_and_an_unrecognised_one_has_no_app() -> None:
    empty = FLOW | {"bytes_toserver": 0, "bytes_toclient": 0}
    log = line(99, **ENVELOPE, event_type="flow", flow=empty) + line(
        99, **ENVELOPE, event_type="flow", app_proto="failed", flow=FLOW
    )
    [event], parser = parse(log)
    assert "app" not in event
    assert (parser.tally.mapped, parser.tally.skipped) == ({"flow": 1}, {"flow": 1})


def test_icmp_has_a_type_in_place_of_ports() -> None:
    ends = {"src_ip": "192.0.2.1", "dest_ip": "192.0.2.2", "proto": "ICMP", "icmp_type": 8}
    [event], _ = parse(line(99, **ends, event_type="flow", flow=FLOW))
    assert (event["icmpType"], event["proto"], "srcPort" in event) == (8, "icmp", False)


TLS = {
    "subject": "CN=www.example.com", "issuerdn": "CN=Example CA", "serial": "01", "fingerprint":
    ":".join(["0A"] * 20), "sni": NAME, "version": "TLS 1.2", "notbefore": "2023-11-14T22:13:20",
    "notafter": "2024-11-13T22:13:20", "ja3": {"hash": "a" * 32, "string": "x"},
    "ja3s": {"hash": "b" * 32}, "ja4": "t13d1516h2_8daaf6152771_02713d6af862",
}  # fmt: skip


def test_every_field_of_a_handshake_has_its_place_and_its_flow_is_named() -> None:
    log = line(1, **ENVELOPE, event_type="tls", tls=TLS) + line(
        99, **ENVELOPE, event_type="flow", flow=FLOW
    )
    [handshake, flow], _ = parse(log)
    assert handshake == COMMON | {
        "ts": "2024-05-01T10:00:01.000000Z", "subject": "CN=www.example.com",
        "issuer": "CN=Example CA", "certHash": {"alg": "sha1", "value": "0a" * 20}, "sni": NAME,
        "version": "TLS 1.2", "validFrom": "2023-11-14T22:13:20Z",
        "validTo": "2024-11-13T22:13:20Z", "ja3": "a" * 32, "ja3s": "b" * 32,
        "ja4": "t13d1516h2_8daaf6152771_02713d6af862",
    }  # fmt: skip
    assert (flow["host"], flow["ja3"]) == (NAME, "a" * 32)


def test_quic_is_a_handshake_and_its_nameless_packets_are_skipped() -> None:
    quic = {"version": "1", "sni": NAME, "ja3": {"hash": "a" * 32}, "ja4": "q13d"}
    log = line(1, **ENVELOPE, event_type="quic", quic=quic) + line(
        1, **ENVELOPE, event_type="quic", quic={"version": "1"}
    )
    [event], parser = parse(log)
    assert (event["sni"], event["ja3"], event["ja4"]) == (NAME, "a" * 32, "q13d")
    assert parser.tally.skipped == {"quic": 1}


def test_a_flow_of_another_file_of_the_run_is_named_too_and_joins_are_bounded() -> None:
    joins, again = Joins(sessions=4), Joins()
    for number in range(50):
        parse(
            line(1, **ENVELOPE | {"flow_id": number}, event_type="tls", tls=TLS),
            Parser(joins=joins),
        )
    assert len(joins) == 4
    again.restore(joins.state())
    flow = line(99, **ENVELOPE | {"flow_id": 49}, event_type="flow", flow=FLOW)
    assert parse(flow, Parser(joins=again))[0][0]["host"] == NAME


HTTP = {
    "hostname": NAME, "url": "/form?a=b", "http_user_agent": "Example/1.0", "http_content_type":
    "text/html", "http_refer": "http://www.example.com/", "http_method": "POST", "protocol":
    "HTTP/1.1", "status": 200, "length": 3400,
}  # fmt: skip
WEB = ENVELOPE | {"dest_port": 80, "event_type": "http"}


def test_every_field_of_a_request_has_its_place() -> None:
    assert parse(line(1, **WEB, http=HTTP))[0] == [
        COMMON | {
            "ts": "2024-05-01T10:00:01.000000Z", "destPort": 80,
            "url": "http://www.example.com/form?a=b", "method": "POST", "status": 200,
            "bytesIn": 3400, "contentType": "text/html", "referrer": "http://www.example.com/",
            "userAgent": "Example/1.0", "host": NAME, "version": "1.1",
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("http", "url"),
    [
        ({"http_port": 8080}, "http://www.example.com:8080/form?a=b"),
        ({"url": "http://other.example/x"}, "http://other.example/x"),
        ({"url": "other.example:443", "http_method": "CONNECT"}, "https://other.example:443"),
        ({"hostname": None}, "http://198.51.100.7/form?a=b"),
    ],
)
def test_a_url_is_relative_or_absolute(http: dict[str, Any], url: str) -> None:
    assert parse(line(1, **WEB, http=HTTP | http))[0][0]["url"] == url


DHCP = {
    "type": "reply", "id": 1, "client_mac": "02:00:5e:10:00:01", "assigned_ip": "192.0.2.20",
    "client_ip": NO_ADDRESS, "dhcp_type": "ack", "hostname": "desk-1", "lease_time": 3600,
    "client_id": "id-1",
}  # fmt: skip
SERVER = {"src_ip": "192.0.2.254", "src_port": 67, "dest_ip": "192.0.2.20", "event_type": "dhcp"}


def test_a_lease_is_the_clients_and_not_the_servers() -> None:
    assert parse(line(1, **SERVER, dhcp=DHCP))[0] == [
        {
            "ts": "2024-05-01T10:00:01.000000Z", "srcIP": "192.0.2.20", "type": "dhcp",
            "srcMac": "02:00:5e:10:00:01", "srcHost": "desk-1", "srcID": "id-1", "duration": 3600,
            "termination": False,
        }
    ]  # fmt: skip


def test_only_acknowledgements_and_releases_are_leases() -> None:
    release = {"type": "request", "dhcp_type": "release", "client_ip": "192.0.2.20"}
    log = (
        line(1, **SERVER, dhcp=DHCP | {"assigned_ip": NO_ADDRESS, "client_ip": "192.0.2.21"})
        + line(1, **SERVER, dhcp=release)
        + line(1, **SERVER, dhcp=DHCP | {"dhcp_type": "offer"})
        + line(1, **SERVER, dhcp=DHCP | {"assigned_ip": NO_ADDRESS})
    )
    events, parser = parse(log)
    assert [(each["srcIP"], each["termination"]) for each in events] == [
        ("192.0.2.21", False),
        ("192.0.2.20", True),
    ]
    assert parser.tally.skipped == {"dhcp": 1}
    assert parser.tally.reasons == {"src_missing": 1}


def test_other_types_are_skipped_by_type_whatever_their_values() -> None:
    log = (
        line(1, **ENVELOPE, event_type="alert", alert={}, http={"status": "x"})
        + line(1, **ENVELOPE, event_type="netflow", netflow={"bytes": 5})
        + b'{"event_type":"stats","timestamp":5}\n\n'
    )
    events, parser = parse(log)
    assert not events
    assert parser.tally.skipped == {"alert": 1, "netflow": 1, "stats": 1}
    assert (parser.tally.blank, parser.tally.reasons) == (1, {})


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (WEB | {"http": HTTP, "src_ip": ""}, "src_missing"),
        (WEB | {"http": HTTP | {"status": "x"}}, "malformed"),
        (WEB | {"http": HTTP, "timestamp": ""}, "ts_missing"),
        (WEB | {"http": HTTP, "timestamp": "soon"}, "ts_invalid"),
        (WEB, "malformed"),
        (ENVELOPE | {"event_type": "flow", "flow": FLOW | {"end": "x"}}, "malformed"),
        (ENVELOPE | {"event_type": "flow", "flow": FLOW, "dest_ip": ""}, "dest_missing"),
    ],
)
def test_a_record_that_cannot_be_mapped_counts_under_its_reason(
    values: dict[str, Any], reason: str
) -> None:
    events, parser = parse(line(1, **WEB, http=HTTP) + line(1, **values))
    assert len(events) == 1
    assert parser.tally.reasons == {reason: 1}
    assert parser.tally.samples[reason].line_number == 2


def test_a_log_cut_at_its_beginning_has_one_malformed_line_and_other_files_are_foreign() -> None:
    events, parser = parse(b'"dns":{}}\n' + V2)
    assert len(events) == 3
    assert (parser.foreign, parser.tally.reasons) == (False, {"malformed": 1})
    for text in (b"some words\n", b"\x00\x01" * 50, b"a,b\n" * 1000):
        _, parser = parse(text)
        assert parser.foreign
        assert not parser.tally.reasons


MIXED = V1 + line(4, **WEB, http=HTTP) + b"{bad\n" + V3 + line(200, event_type="stats") + V2


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(MIXED)), max_size=12))
def test_how_a_log_is_cut_into_pieces_changes_nothing(cuts: list[int]) -> None:
    whole, parser = parse(MIXED)
    cut = Parser()
    events: list[Event] = []
    start = 0
    for end in (*sorted(cuts), len(MIXED)):
        events += cut.feed(MIXED[start:end])
        start = end
    events += cut.finish()
    assert as_sent(events) == whole
    assert cut.tally == parser.tally


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(MIXED)))
def test_a_parser_resumes_at_any_place_and_gives_nothing_twice(place: int) -> None:
    whole, parser = parse(MIXED)
    first, second = Parser(), Parser()
    events = first.feed(MIXED[:place])
    assert second.feed(first.resume()) == []
    events += second.feed(MIXED[place - first.unfinished :]) + second.finish()
    assert as_sent(events) == whole
    assert first.tally.lines + second.tally.lines == parser.tally.lines
