"""Events by the API's names, ECS's and CIM's, from NDJSON and CSV."""

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from tawny.formats import Event, Kind, csv, encode_lines, kind_of, ndjson
from tawny.formats.flat import flat
from tawny.formats.lines import MAX_LINE_BYTES
from tawny.formats.vocabularies import CIM, ECS, OWN

TIME = "2024-05-01T10:00:00.5Z"
SHA256 = "0a" * 32

OURS: dict[Kind, dict[str, Any]] = {
    "dns": {
        "ts": TIME, "srcIP": "192.0.2.10", "srcPort": 5000, "srcHost": "desk-1",
        "destIP": "192.0.2.53", "query": "www.example.com", "qtype": "A", "rcode": "NOERROR",
        "answers": ["203.0.113.9"],
    },
    "ip": {
        "ts": TIME, "srcIP": "192.0.2.10", "srcPort": 5000, "destIP": "198.51.100.7",
        "destPort": 443, "proto": "tcp", "bytesOut": 1500, "bytesIn": 30000, "app": "tls",
        "action": "allowed", "duration": 1.5,
    },
    "http": {
        "ts": TIME, "srcIP": "192.0.2.10", "srcPort": 5000, "srcUser": "alice",
        "url": "http://www.example.com/x", "method": "POST", "status": 200, "action": "allowed",
        "bytesOut": 12, "bytesIn": 3400, "contentType": "text/html", "referrer":
        "http://www.example.com/", "userAgent": "Example/1.0",
    },
    "tls": {
        "ts": TIME, "srcIP": "192.0.2.10", "srcPort": 5000, "destIP": "198.51.100.7",
        "destPort": 443, "certHash": {"alg": "sha256", "value": SHA256}, "issuer": "CN=Example CA",
        "subject": "CN=www.example.com", "validFrom": "2023-11-14T22:13:20Z",
        "validTo": "2024-11-13T22:13:20Z",
    },
    "lease": {
        "ts": TIME, "srcIP": "192.0.2.20", "srcMac": "02:00:5e:10:00:01", "srcHost": "desk-1",
        "srcUser": "alice", "type": "dhcp", "duration": 3600,
    },
}  # fmt: skip

ELASTIC: dict[Kind, dict[str, Any]] = {
    "dns": {
        "@timestamp": "2024-05-01T10:00:00.5Z", "source": {"ip": "192.0.2.10", "port": 5000},
        "host": {"name": "desk-1"}, "destination": {"ip": "192.0.2.53", "port": 53},
        "dns": {
            "question": {"name": "www.example.com", "type": "A"}, "response_code": "NOERROR",
            "answers": [{"data": "203.0.113.9", "ttl": 60}], "resolved_ip": ["192.0.2.99"],
        },
    },
    "ip": {
        "@timestamp": "2024-05-01T10:00:09Z", "event": {
            "start": TIME, "duration": 1_500_000_000, "action": "allowed",
        },
        "source": {"ip": "192.0.2.10", "port": 5000, "bytes": 1500},
        "destination": {"ip": "198.51.100.7", "port": 443, "bytes": 30000},
        "network": {"transport": "tcp", "protocol": "tls"},
    },
    "http": {
        "@timestamp": TIME, "source.ip": "192.0.2.10", "source.port": 5000, "user.name": "alice",
        "url.full": "http://www.example.com/x", "http.request.method": "POST",
        "http.response.status_code": 200, "event.action": "allowed", "http.request.bytes": 12,
        "http.response.bytes": 3400, "http.response.mime_type": "text/html",
        "http.request.referrer": "http://www.example.com/", "user_agent.original": "Example/1.0",
    },
    "tls": {
        "@timestamp": TIME, "source": {"ip": "192.0.2.10", "port": 5000},
        "destination": {"ip": "198.51.100.7", "port": 443}, "tls": {"server": {
            "hash": {"sha256": SHA256.upper()}, "issuer": "CN=Example CA",
            "subject": "CN=www.example.com", "not_before": "2023-11-14T22:13:20.000Z",
            "not_after": "2024-11-13T22:13:20.000Z",
        }},
    },
    "lease": {
        "@timestamp": TIME, "user": {"name": "alice"}, "dhcpv4": {
            "assigned_ip": "192.0.2.20", "client_mac": "02:00:5e:10:00:01",
            "option": {"hostname": "desk-1", "ip_address_lease_time_sec": 3600,
                       "message_type": "ack"},
        },
    },
}  # fmt: skip

SPLUNK: dict[Kind, dict[str, Any]] = {
    "dns": {
        "_time": "1714557600.5", "src": "192.0.2.10", "src_port": "5000", "src_host": "desk-1",
        "dest": "192.0.2.53", "query": "www.example.com", "record_type": "A", "reply_code":
        "NOERROR", "answer": "203.0.113.9", "message_type": "Query",
    },
    "ip": {
        "_time": "1714557600.5", "src_ip": "192.0.2.10", "src_port": "5000",
        "dest_ip": "198.51.100.7", "dest_port": "443", "transport": "tcp", "bytes_out": "1500",
        "bytes_in": "30000", "app": "tls", "action": "allowed", "duration": "1.5",
    },
    "http": {
        "_time": "1714557600.5", "src": "192.0.2.10", "src_port": "5000", "user": "alice",
        "url": "http://www.example.com/x", "http_method": "POST", "status": "200", "action":
        "allowed", "bytes_out": "12", "bytes_in": "3400", "http_content_type": "text/html",
        "http_referrer": "http://www.example.com/", "http_user_agent": "Example/1.0",
    },
    "tls": {
        "_time": "1714557600.5", "src": "192.0.2.10", "src_port": "5000", "dest": "198.51.100.7",
        "dest_port": "443", "ssl_hash": SHA256, "ssl_issuer": "CN=Example CA", "ssl_subject":
        "CN=www.example.com", "ssl_start_time": "1700000000", "ssl_end_time": "1731536000",
    },
    "lease": {
        "_time": "1714557600.5", "dest_ip": "192.0.2.20", "dest_mac": "02:00:5e:10:00:01",
        "dest_nt_host": "desk-1", "user": "alice", "lease_duration": "3600", "tag": "dhcp",
    },
}  # fmt: skip
KINDS = pytest.mark.parametrize("kind", list(OURS))
SCHEMAS = pytest.mark.parametrize("schema", [OURS, ELASTIC, SPLUNK])


def read(log: bytes, **options: Any) -> tuple[list[Event], ndjson.Parser]:
    parser = ndjson.Parser(**options)
    return parser.feed(log) + parser.finish(), parser


def as_sent(events: list[Event]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in encode_lines(events).splitlines()]


def lines(*values: dict[str, Any], between: str = "\n") -> bytes:
    return between.join(json.dumps(each) for each in values).encode()


@KINDS
@SCHEMAS
def test_an_object_of_any_schema_is_the_event_it_describes(
    kind: Kind, schema: dict[Kind, dict[str, Any]]
) -> None:
    for options in ({}, {"kind": kind}, {"file_name": f"/var/log/{kind}-1.json"}):
        events, parser = read(lines(schema[kind]), **options)
        assert as_sent(events) == [OURS[kind]]
        assert kind_of(events[0]) == kind
        assert parser.tally.mapped == {kind: 1}


@KINDS
def test_every_field_of_an_event_has_one_name_of_its_own_and_most_have_others(kind: Kind) -> None:
    assert all(names == (field,) for field, names in OWN[kind].items())
    assert set(ECS[kind]) | set(CIM[kind]) <= set(OWN[kind])
    assert set(OURS[kind]) - {"type"} <= set(ECS[kind])


@KINDS
@SCHEMAS
def test_a_row_under_a_header_is_the_event_it_describes(
    kind: Kind, schema: dict[Kind, dict[str, Any]]
) -> None:
    values = {
        name: value.get("value") if isinstance(value, dict) else value
        for name, value in flat(schema[kind]).items()
        if not isinstance(value, dict) or "value" in value
    }
    values = {name: value for name, value in values.items() if name != "dns.answers"}
    values = {name: value for name, value in values.items() if not name.startswith("certHash.")}
    for delimiter in ",;\t":
        cells = [
            "|".join(map(str, each)) if isinstance(each, list) else str(each)
            for each in values.values()
        ]
        quoted = delimiter.join(f'"{cell}"' for cell in cells)
        for row in (delimiter.join(cells), quoted):
            log = f"{delimiter.join(values)}\n{row}\n".encode()
            parser = csv.Parser()
            events = parser.feed(log) + parser.finish()
            assert as_sent(events) == [OURS[kind]]
            assert (parser.tally.headers, parser.tally.mapped) == (1, {kind: 1})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ts": None}, "ts_missing"),
        ({"ts": "0001-01-01T00:00:00Z"}, "ts_missing"),
        ({"ts": ""}, "ts_missing"),
        ({"ts": "soon"}, "ts_invalid"),
        ({"srcIP": "-"}, "src_missing"),
        ({"srcIP": "desk-1"}, "src_invalid"),
        ({"destIP": None}, "dest_missing"),
        ({"destIP": "300.1.1.1"}, "dest_invalid"),
        ({"srcPort": 65536}, "number_out_of_range"),
        ({"bytesIn": -1}, "number_out_of_range"),
        ({"bytesIn": 2**63}, "number_out_of_range"),
        ({"bytesIn": 1e300}, "number_out_of_range"),
        ({"bytesIn": 1.5}, "malformed"),
        ({"bytesIn": "many"}, "malformed"),
        ({"duration": "long"}, "malformed"),
        ({"duration": -1}, "number_out_of_range"),
        ({"proto": {"name": "tcp"}}, "malformed"),
    ],
)
def test_an_event_the_service_would_reject_counts_under_its_reason(
    changes: dict[str, Any], reason: str
) -> None:
    events, parser = read(lines(OURS["ip"], OURS["ip"] | changes), kind="ip")
    assert len(events) == 1
    assert parser.tally.reasons == {reason: 1}
    assert parser.tally.samples[reason].line_number == 2


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"bytesIn": "30000"}, {}),
        ({"bytesIn": 30000.0}, {}),
        ({"unknown": [1, {"a": None}]}, {}),
        ({"ts": "2024-05-01T12:00:00.5+0200"}, {}),
        ({"ts": 1714557600.5}, {}),
        ({"ts": 1714557600.123456789}, {"ts": "2024-05-01T10:00:00.123456789Z"}),
        ({"localOrig": "T", "labels": ["a", "", "b"]}, {"localOrig": True, "labels": ["a", "b"]}),
        ({"srcHost": "-", "srcUser": "", "srcID": None}, {}),
    ],
)
def test_values_are_read_leniently_and_times_keep_their_digits(
    changes: dict[str, Any], told: dict[str, Any]
) -> None:
    text = json.dumps(OURS["ip"] | changes)
    if "123456789" in str(told):
        text = text.replace(json.dumps(changes["ts"]), "1714557600.123456789")
    [event], _ = read(text.encode())
    assert as_sent([event]) == [OURS["ip"] | told]


def test_what_other_schemas_record_beside_events_is_skipped() -> None:
    dns, lease = ELASTIC["dns"], ELASTIC["lease"]
    records = [
        SPLUNK["dns"] | {"message_type": "Response"},
        dns | {"dns": {"type": "answer"}},
        lease | {"dhcpv4": lease["dhcpv4"] | {"option": {"message_type": "offer"}}},
    ]
    for kind, record in zip(("dns", "dns", "lease"), records, strict=True):
        events, parser = read(lines(record), kind=kind)
        assert not events
        assert parser.tally.skipped == {kind: 1}


def test_a_destination_that_is_a_name_is_left_out_where_none_is_needed() -> None:
    [event], _ = read(lines(SPLUNK["dns"] | {"dest": "resolver.example"}))
    assert "destIP" not in as_sent([event])[0]
    assert read(lines(SPLUNK["ip"] | {"dest_ip": "a.example"}))[1].tally.reasons == {
        "dest_invalid": 1
    }


def test_an_object_whose_kind_nobody_can_tell_is_malformed() -> None:
    events, parser = read(lines({"ts": TIME, "srcIP": "192.0.2.1"}))
    assert not events
    assert parser.tally.reasons == {"malformed": 1}


@pytest.mark.parametrize("between", ["\n", "", " ", "\r\n", ",\n", "\n\n"])
def test_objects_come_with_any_separator_or_in_an_array(between: str) -> None:
    log = lines(*OURS.values(), between=between)
    for whole in (log, b"[" + log + b"]\n", b"\xef\xbb\xbf" + log):
        events, parser = read(whole)
        assert as_sent(events) == list(OURS.values())
        assert not parser.tally.reasons


def test_an_object_over_several_lines_is_one() -> None:
    log = json.dumps(list(OURS.values()), indent=2).encode()
    assert as_sent(read(log)[0]) == list(OURS.values())


GOOD = lines(OURS["dns"])


@pytest.mark.parametrize(
    "bad",
    [
        b"{bad", b'{"a":1,}', b'{"a":"\x01"}', b'{"a":"b', b"5", b'"text"', b"nul", b'{"a":1',
        b"[" * 100_000, b'{"a":' * 100_000, b'{"ts":"\\ud800"}', b'{"a":1e', b'{"a":"\n"}',
    ],
)  # fmt: skip
def test_after_an_unreadable_value_reading_goes_on_behind_the_newline(bad: bytes) -> None:
    events, parser = read(GOOD + b"\n" + bad + b"\n" + GOOD)
    assert len(events) == 2
    if not bad.startswith(b"[") and b"\n" not in bad:
        assert parser.tally.reasons == {"malformed": 1}
    assert not parser.foreign


def test_an_overlong_value_is_too_large_and_reading_goes_on() -> None:
    long = b'{"a":"' + b"x" * MAX_LINE_BYTES + b'"}'
    log = GOOD + b"\n" + long + b"\n" + GOOD
    events, parser = read(log)
    assert len(events) == 2
    assert parser.tally.reasons == {"too_large": 1}
    cut = ndjson.Parser()
    pieces = [cut.feed(log[place : place + 100_000]) for place in range(0, len(log), 100_000)]
    assert sum(map(len, pieces)) + len(cut.finish()) == 2
    assert cut.tally == parser.tally


def test_text_that_is_no_object_is_foreign() -> None:
    for text in (b"some words\nand more\n", b"\x00\x01\x02" * 100, b"a,b\n" * 50):
        events, parser = read(text)
        assert not events
        assert parser.foreign
        assert not parser.tally.reasons


MIXED = (
    lines(*OURS.values(), between="")
    + b"\n{bad\n"
    + lines(*ELASTIC.values())
    + b'\n{"a":"\xc3\xbc}{\\""}\n'
    + json.dumps(OURS["ip"] | {"app": "ü{}"}, indent=1, ensure_ascii=False).encode()
)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, len(MIXED)), max_size=12))
def test_how_objects_are_cut_into_pieces_changes_nothing(cuts: list[int]) -> None:
    whole, parser = read(MIXED)
    cut, start = ndjson.Parser(), 0
    events: list[Event] = []
    for end in (*sorted(cuts), len(MIXED)):
        events += cut.feed(MIXED[start:end])
        start = end
    events += cut.finish()
    assert as_sent(events) == as_sent(whole)
    assert len(events) == 11
    assert cut.tally == parser.tally


TABLE = (
    "\ufeffsrcIP,ts,query,srcHost,answers\r\n"
    f'192.0.2.10,{TIME},www.example.com,"desk, ""one""\nover two lines","a.example,203.0.113.9"\r\n'
    "\r\n"
    f"192.0.2.11,{TIME},münchen.example,,\r\n"
    "192.0.2.12,short\r\n"
    f"192.0.2.13,never,www.example.com,-,-\r\n"
    f'192.0.2.14,{TIME},www.example.com,6" disk,'
).encode()


def read_table(log: bytes, cuts: list[int] | None = None) -> tuple[list[Event], csv.Parser]:
    parser, start = csv.Parser(), 0
    events: list[Event] = []
    for end in (*sorted(cuts or ()), len(log)):
        events += parser.feed(log[start:end])
        start = end
    return events + parser.finish(), parser


def test_quoted_values_may_hold_delimiters_quotes_and_newlines() -> None:
    events, parser = read_table(TABLE)
    told = as_sent(events)
    assert told[0]["srcHost"] == 'desk, "one"\nover two lines'
    assert told[0]["answers"] == ["a.example", "203.0.113.9"]
    assert told[1] == {"ts": TIME, "srcIP": "192.0.2.11", "query": "münchen.example"}
    assert told[2]["srcHost"] == '6" disk'
    assert parser.tally.reasons == {"malformed": 1, "ts_invalid": 1}
    assert parser.tally.samples["malformed"].line_number == 6
    assert (parser.tally.headers, parser.tally.blank) == (1, 1)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, len(TABLE)), max_size=12))
def test_how_a_table_is_cut_into_pieces_changes_nothing(cuts: list[int]) -> None:
    whole, parser = read_table(TABLE)
    events, cut = read_table(TABLE, cuts)
    assert as_sent(events) == as_sent(whole)
    assert cut.tally == parser.tally


def test_a_quotation_that_nobody_closed_costs_its_own_line_only() -> None:
    good = f"192.0.2.11,{TIME},www.example.com\n"
    log = "srcIP,ts,query\n" + good + f'"192.0.2.12,{TIME},lost.example\n' + good * 100
    events, parser = read_table(log.encode())
    assert len(events) == 101
    assert parser.tally.reasons == {"malformed": 1}
    assert parser.tally.samples["malformed"].line_number == 3


def test_columns_may_be_named_by_whoever_sends() -> None:
    columns = {"srcIP": "Client address", "ts": "When", "query": "Name asked"}
    parser = csv.Parser(columns=columns, kind="dns")
    events = parser.feed(f"When;Name asked;Client address\n{TIME};a.example;192.0.2.1\n".encode())
    assert as_sent(events) == [{"ts": TIME, "srcIP": "192.0.2.1", "query": "a.example"}]


def test_a_table_resumes_with_its_header_and_text_is_no_table() -> None:
    log = f"srcIP\tts\tquery\n192.0.2.1\t{TIME}\ta.example\n192.0.2.2\t{TIME}\tb.exa".encode()
    first, second = csv.Parser(), csv.Parser()
    assert len(first.feed(log)) == 1
    assert second.feed(first.resume()) == []
    assert len(second.feed(log[len(log) - first.unfinished :] + b"mple\n")) == 1
    for text in (b"some, words\nand, more\n", b"\x00\xff\n", b"", b"\n"):
        parser = csv.Parser()
        assert parser.feed(text) + parser.finish() == []
        assert parser.foreign is bool(text.strip())
