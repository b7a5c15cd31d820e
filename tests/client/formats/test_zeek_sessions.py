"""What http, ssl, x509 and dhcp rows become, and what logs lend each other."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tawny.formats import Event, encode_lines
from tawny.formats.zeek import Joins, Parser, reading_order
from tests.client.formats.zeek_sessions import (
    DHCP,
    HTTP,
    SHA1,
    SHA256,
    SSL,
    UID,
    X509,
    jsonl,
    tsv,
)
from tests.client.zeek_logs import conn_log, conn_row

WRITERS = pytest.mark.parametrize("write", [tsv, jsonl])
Write = Callable[..., bytes]

CERTIFICATE = {
    "certHash": {"alg": "sha256", "value": SHA256},
    "issuer": "CN=Example CA",
    "subject": "CN=www.example.com,O=Example\\, Inc",
    "validFrom": "2023-11-14T22:13:20Z",
    "validTo": "2024-11-13T22:13:20Z",
}
TLS = {
    "ts": "2024-04-18T23:59:55.95Z",
    "srcIP": "192.0.2.10",
    "srcPort": 50123,
    "destIP": "198.51.100.7",
    "destPort": 443,
    "connID": UID,
    "sni": "www.example.com",
    "version": "TLSv12",
    "ja3": "a" * 32,
    "ja3s": "b" * 32,
    "ja4": "t13d1516h2_8daaf6152771_02713d6af862",
    "ja4s": "t120300_c030_5e2616a54c73",
}


def read(*logs: bytes, joins: Joins | None = None, name: str = "") -> list[dict[str, Any]]:
    shared = Joins() if joins is None else joins
    events: list[Event] = []
    for log in logs:
        parser = Parser(file_name=name, joins=shared)
        events += parser.feed(log) + parser.finish()
        assert not parser.tally.reasons
        assert parser.tally.lines == log.count(b"\n")
    return [timed(json.loads(line)) for line in encode_lines(events).splitlines()]


def timed(event: dict[str, Any]) -> dict[str, Any]:
    """Cut the zeros that only one of two spellings has."""
    return event | {"ts": event["ts"].rstrip("Z").rstrip("0").rstrip(".") + "Z"}


@WRITERS
def test_every_field_of_an_http_row_has_its_place_and_the_password_none(write: Write) -> None:
    [event] = read(write("http", HTTP))
    assert event == {
        "ts": "2024-04-18T23:59:56.000001Z",
        "srcIP": "192.0.2.10",
        "srcPort": 50123,
        "srcUser": "alice",
        "destIP": "198.51.100.7",
        "destPort": 80,
        "url": "http://www.example.com/form?a=b",
        "method": "POST",
        "status": 200,
        "bytesOut": 12,
        "bytesIn": 3400,
        "contentType": "text/html",
        "referrer": "http://www.example.com/",
        "userAgent": "Example/1.0",
        "host": "www.example.com",
        "version": "1.1",
        "connID": UID,
    }


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        ({"id.resp_p": 8080}, "http://www.example.com:8080/form?a=b"),
        (
            {"id.resp_p": 8080, "host": "www.example.com:8080"},
            "http://www.example.com:8080/form?a=b",
        ),
        ({"host": "www.example.com:80"}, "http://www.example.com/form?a=b"),
        ({"host": None}, "http://198.51.100.7/form?a=b"),
        ({"host": None, "id.resp_h": "2001:db8::7"}, "http://[2001:db8::7]/form?a=b"),
        (
            {"host": None, "id.resp_h": "2001:db8::7", "id.resp_p": 81},
            "http://[2001:db8::7]:81/form?a=b",
        ),
        ({"uri": None}, "http://www.example.com"),
        ({"uri": "*"}, "http://www.example.com"),
        ({"uri": "fox a 1"}, "http://www.example.com/fox a 1"),
        ({"uri": "http://other.example:81/x", "id.resp_p": 3128}, "http://other.example:81/x"),
        ({"uri": "HTTP://user:pw@other.example/x@y"}, "http://other.example/x@y"),
        (
            {"method": "CONNECT", "uri": "other.example:443", "id.resp_p": 3128},
            "https://other.example:443",
        ),
        ({"method": "CONNECT", "uri": None, "id.resp_p": 3128}, "https://www.example.com:3128"),
    ],
)
@WRITERS
def test_a_url_is_put_together_as_the_client_meant_it(
    write: Write, changes: dict[str, Any], url: str
) -> None:
    assert read(write("http", HTTP | changes))[0]["url"] == url


@WRITERS
def test_a_handshake_has_the_certificate_that_its_chain_begins_with(write: Write) -> None:
    assert read(write("x509", X509), write("ssl", SSL)) == [TLS | CERTIFICATE]


@WRITERS
def test_a_handshake_whose_certificate_was_not_read_still_has_its_hash(write: Write) -> None:
    assert read(write("ssl", SSL)) == [TLS | {"certHash": CERTIFICATE["certHash"]}]


@WRITERS
def test_older_logs_join_by_file_id_and_name_the_certificate_themselves(write: Write) -> None:
    old = {name: value for name, value in X509.items() if name != "fingerprint"} | {"id": "Fa"}
    ssl = {name: value for name, value in SSL.items() if name != "cert_chain_fps"}
    [event] = read(write("x509", old), write("ssl", ssl | {"cert_chain_fuids": ["Fa", "Fb"]}))
    assert event == TLS | {k: v for k, v in CERTIFICATE.items() if k != "certHash"}
    oldest = {
        "subject": "CN=a.example", "issuer_subject": "CN=b", "cert_hash": "5C" * 16,
        "not_valid_before": "1700000000.000000", "not_valid_after": "1731536000.000000",
    }  # fmt: skip
    [event] = read(write("ssl", ssl | oldest))
    assert event["certHash"] == {"alg": "md5", "value": "5c" * 16}
    assert (event["subject"], event["issuer"]) == ("CN=a.example", "CN=b")
    assert (event["validFrom"], event["validTo"]) == (
        "2023-11-14T22:13:20Z",
        "2024-11-13T22:13:20Z",
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [(SHA1, {"alg": "sha1", "value": SHA1}), ("abc", "abc"), ("z" * 40, "z" * 40)],
)
def test_a_hash_says_its_algorithm_where_its_length_does(text: str, told: object) -> None:
    ssl = SSL | {"cert_chain_fps": None, "cert_hash": text}
    assert read(tsv("ssl", ssl))[0]["certHash"] == told


@WRITERS
def test_a_connection_has_the_name_and_the_fingerprint_of_its_handshake(write: Write) -> None:
    plain = read(conn_log())
    [_, event] = read(write("ssl", SSL), conn_log())
    assert event == plain[0] | {"host": "www.example.com", "ja3": "a" * 32}
    [_, event] = read(write("ssl", SSL | {"uid": "C2"}), conn_log())
    assert event == plain[0]


def test_a_json_connection_is_joined_as_a_tsv_one_is() -> None:
    line = b'{"_path":"conn","ts":1.5,"uid":"%s","id.orig_h":"192.0.2.1","id.resp_h":"192.0.2.2"}'
    [_, event] = read(jsonl("ssl", SSL), line % UID.encode() + b"\n")
    assert (event["host"], event["ja3"]) == ("www.example.com", "a" * 32)


def test_certificates_are_rows_that_lend_and_are_no_events() -> None:
    parser = Parser()
    assert parser.feed(tsv("x509", X509, X509)) == []
    assert parser.tally.skipped == parser.tally.joined == {"x509": 2}
    assert not parser.tally.mapped


@WRITERS
def test_every_field_of_a_lease_has_its_place(write: Write) -> None:
    lease = {
        "ts": "2024-04-18T23:59:57.5Z",
        "srcIP": "192.0.2.20",
        "srcMac": "02:00:5e:10:00:01",
        "srcHost": "desk-1",
        "type": "dhcp",
        "termination": False,
        "duration": 3600,
        "connID": UID,
    }
    assert read(write("dhcp", DHCP)) == [lease]
    assert read(write("dhcp", DHCP | {"host_name": None}))[0]["srcHost"] == "desk-1.example.com"
    given_back = DHCP | {"assigned_addr": None, "msg_types": ["RELEASE"], "lease_time": None}
    [event] = read(write("dhcp", given_back))
    assert (event["srcIP"], event["termination"], "duration" in event) == ("192.0.2.1", True, False)


@WRITERS
@pytest.mark.parametrize("kinds", [["DISCOVER", "OFFER"], ["REQUEST", "NAK"]])
def test_an_exchange_that_gave_no_address_is_skipped(write: Write, kinds: list[str]) -> None:
    parser = Parser()
    assert parser.feed(write("dhcp", DHCP | {"msg_types": kinds})) == []
    assert parser.tally.skipped == {"dhcp": 1}


@WRITERS
def test_a_lease_of_an_old_log_is_read_by_its_own_names(write: Write) -> None:
    old = {
        "ts": "1713484797.500000", "uid": "C1", "id.orig_h": "192.0.2.9", "id.orig_p": 68,
        "id.resp_h": "192.0.2.254", "id.resp_p": 67, "mac": "02:00:5e:10:00:01",
        "assigned_ip": "192.0.2.20", "lease_time": "86400.000000", "trans_id": 7,
    }  # fmt: skip
    [event] = read(write("dhcp", old))
    assert (event["srcIP"], event["duration"], event["connID"]) == ("192.0.2.20", 86400, "C1")
    assert "termination" not in event
    assert read(write("dhcp", old | {"assigned_ip": None}))[0]["srcIP"] == "192.0.2.9"


@pytest.mark.parametrize(("log", "row"), [("http", HTTP), ("ssl", SSL), ("dhcp", DHCP)])
def test_json_without_a_path_is_known_by_its_keys(log: str, row: dict[str, Any]) -> None:
    named, unnamed = jsonl(log, row), jsonl(log, row, named=False)
    assert read(unnamed) == read(named)


@pytest.mark.parametrize(
    ("log", "row", "changes", "reason"),
    [
        ("http", HTTP, {"id.orig_h": None}, "src_missing"),
        ("http", HTTP, {"id.resp_h": None}, "dest_missing"),
        ("http", HTTP, {"status_code": "OK"}, "malformed"),
        ("ssl", SSL, {"ts": "never"}, "ts_invalid"),
        ("x509", X509, {"fingerprint": None}, "malformed"),
        ("dhcp", DHCP, {"assigned_addr": None, "client_addr": None}, "src_missing"),
        ("dhcp", DHCP, {"lease_time": "1e300"}, "number_out_of_range"),
        ("dhcp", DHCP, {"lease_time": "nan"}, "malformed"),
    ],
)
def test_a_row_that_cannot_be_mapped_counts_and_its_password_is_in_no_sample(
    log: str, row: dict[str, Any], changes: dict[str, Any], reason: str
) -> None:
    parser = Parser()
    assert parser.feed(tsv(log, row | changes)) == []
    assert parser.tally.reasons == {reason: 1}
    assert parser.tally.malformed == {log: 1}
    sample = parser.tally.samples[reason]
    assert (sample.log, sample.line_number) == (log, 9)
    assert "hunter2" not in sample.text


def test_a_json_sample_has_no_password() -> None:
    parser = Parser()
    parser.feed(jsonl("http", HTTP | {"id.resp_h": None, "uri": "/"}))
    [sample] = parser.tally.samples.values()
    assert "hunter2" not in sample.text


def test_snapshots_are_read_as_their_logs_are() -> None:
    for log, row in (("open_ssl", SSL), ("open_http", HTTP)):
        parser = Parser(file_name=f"{log}.log")
        assert len(parser.feed(tsv(log, row))) == 1
        assert parser.tally.mapped == {log: 1}
        parser = Parser(file_name=f"{log}.log")
        assert len(parser.feed(jsonl(log, row, named=False))) == 1
        assert parser.tally.mapped == {log: 1}


def test_what_is_kept_for_joining_is_bounded_by_number_and_by_the_logs_time() -> None:
    joins = Joins(sessions=8, certificates=8)
    for number in range(100):
        read(tsv("ssl", SSL | {"uid": f"C{number}"}), joins=joins)
        read(tsv("x509", X509 | {"fingerprint": f"{number:064x}"}), joins=joins)
    assert len(joins) == 16
    assert joins.session("C91") is None
    assert joins.session("C92") is not None
    later = X509 | {"ts": "1713581195.960000", "fingerprint": "d" * 64}  # 26 h 46 min
    read(tsv("x509", later), joins=joins)
    assert joins.certificate(f"{99:064x}") is None
    assert joins.certificate("d" * 64) is not None


def test_joins_go_on_from_their_state() -> None:
    joins, again = Joins(), Joins()
    read(tsv("x509", X509), tsv("ssl", SSL), joins=joins)
    again.restore(joins.state())
    assert len(again) == 2
    assert read(tsv("ssl", SSL), conn_log(), joins=again)[0] == TLS | CERTIFICATE


def test_a_parser_resumes_in_mid_file_with_the_header_alone() -> None:
    log = conn_log(conn_row(), conn_row(ts="1.5"), conn_row(service="x\\x09y"))
    whole = Parser()
    events = whole.feed(log)
    for cut in range(log.index(b"1713484795"), len(log), 37):
        first = Parser()
        before = first.feed(log[:cut])
        second = Parser()
        assert second.feed(first.resume()) == []
        assert second.tally.lines == 0
        after = second.feed(log[cut - first.unfinished :]) + second.finish()
        assert before + after == events
        assert second.tally.lines + first.tally.lines == whole.tally.lines
    assert Parser().resume() == b""


def test_files_are_read_in_the_order_in_which_they_lend() -> None:
    names = [
        "logs/2024-04-19/conn.23:00:00-00:00:00.log.gz",
        "logs/2024-04-19/x509.23:00:00-00:00:00.log.gz",
        "logs/2024-04-19/conn.00:00:00-01:00:00.log.gz",
        "logs/2024-04-19/open_ssl.00_10_07-01_00_00.log.gz",
        "logs/2024-04-19/ssl.00:05:00-01:00:00.log.gz",
        "logs/2024-04-18/conn.log",
        "logs/2024-04-18/x509.log",
        "logs/2024-04-18/dns.log",
        "logs/2024-04-18/ssl.log",
    ]
    assert sorted(names, key=reading_order) == [
        "logs/2024-04-18/x509.log",
        "logs/2024-04-18/ssl.log",
        "logs/2024-04-18/conn.log",
        "logs/2024-04-18/dns.log",
        "logs/2024-04-19/open_ssl.00_10_07-01_00_00.log.gz",
        "logs/2024-04-19/ssl.00:05:00-01:00:00.log.gz",
        "logs/2024-04-19/conn.00:00:00-01:00:00.log.gz",
        "logs/2024-04-19/x509.23:00:00-00:00:00.log.gz",
        "logs/2024-04-19/conn.23:00:00-00:00:00.log.gz",
    ]
