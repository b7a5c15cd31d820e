"""Which format a file is in, and what a tally tells beside its counts."""

import json

import pytest

from tawny.formats import Tally, csv, detect, eve, ndjson, zeek
from tawny.formats.parsing import ALL_LOOKED_AT, LOOK_AT
from tests.client.formats.zeek_sessions import DHCP, HTTP, SSL, X509, jsonl
from tests.client.zeek_logs import conn_log, conn_row, dns_log

OWN = b'{"ts":"2024-05-01T10:00:00Z","srcIP":"192.0.2.1","query":"a.example"}'


@pytest.mark.parametrize(
    ("piece", "name", "found"),
    [
        (conn_log(), "", "zeek"),
        (b"\xef\xbb\xbf" + conn_log(), "", "zeek"),
        (b"#fields\tts\n", "", "zeek"),
        (b"### a comment\n" + conn_log(), "", "zeek"),
        (jsonl("http", HTTP), "", "zeek"),
        (jsonl("ssl", SSL, named=False), "", "zeek"),
        (jsonl("x509", X509, named=False), "", "zeek"),
        (jsonl("dhcp", DHCP, named=False), "", "zeek"),
        (b'{"ts":1.5,"peer":"zeek","mem":66}\n', "", "zeek"),
        (b'{"ts":1.5,"note":"x","src":"192.0.2.1"}\n', "notice.log", "zeek"),
        (b'{"ts":1.5,"fuid":"F","source":"HTTP"}\n', "files.log", "zeek"),
        (b'{"timestamp":"2024","event_type":"dns","src_ip":"192.0.2.1"}\n', "", "eve"),
        (b'{"timestamp":"2024"}\n', "eve.json", "eve"),
        (OWN, "", "ndjson"),
        (OWN * 5, "", "ndjson"),
        (b"[\n" + OWN + b"]", "", "ndjson"),
        (b'{\n  "srcIP": "192.0.2.1"\n}', "", "ndjson"),
        (b'{"@timestamp":"2024","source":{"ip":"192.0.2.1"}}\n', "", "ndjson"),
        (b'{"_time":"1714557600","src":"192.0.2.1"}\n', "", "ndjson"),
        (b"ts,srcIP,query\n", "", "csv"),
        (b'"_time";"src";"dest"\r\n1;2;3\r\n', "x.txt", "csv"),
        (b"@timestamp\tsource.ip\n", "", "csv"),
        (b"some, words\n", "a.csv", None),
        (b"# a heading\n", "", None),
        (b"", "conn.log", None),
        (b"\xd4\xc3\xb2\xa1\x02\x00", "", None),
        (b'{"trigger": {}}\n', "x.json", None),
    ],
)
def test_a_format_is_told_by_how_a_file_begins(piece: bytes, name: str, found: str | None) -> None:
    assert detect(piece, name) == found


def test_every_format_has_the_same_faces() -> None:
    for parser in (zeek.Parser(), eve.Parser(), ndjson.Parser(), csv.Parser()):
        assert parser.feed(b"") == []
        assert parser.finish() == []
        assert (parser.foreign, parser.clockless, parser.unfinished) == (False, False, 0)
        assert (parser.resume(), parser.tally) == (b"", Tally())


def test_a_tally_tells_which_fields_were_set_and_when_events_were() -> None:
    parser = zeek.Parser()
    parser.feed(conn_log(conn_row(ts="1713484799.5"), conn_row(service="-")))
    parser.feed(dns_log())
    tally = parser.tally
    assert tally.events == tally.looked_at == {"conn": 2, "dns": 1}
    assert tally.fields["conn"]["bytesOut"] == 2
    assert tally.fields["conn"]["app"] == 1
    assert "ja3" not in tally.fields["conn"]
    assert tally.first == {
        "ip": "2024-04-18T23:59:55.943239Z",
        "dns": "2018-03-24T17:15:20.865716Z",
    }
    assert tally.last["ip"] == "2024-04-18T23:59:59.5Z"


def test_of_a_long_log_every_sixteenth_event_is_looked_at_however_it_is_cut() -> None:
    rows = [conn_row(service="ssl" if number % LOOK_AT else "-") for number in range(1000)]
    log = conn_log(*rows)
    looked = ALL_LOOKED_AT + len(range(ALL_LOOKED_AT, 1000, LOOK_AT))
    for size in (len(log), 1000, 7777):
        parser = zeek.Parser()
        for place in range(0, len(log), size):
            parser.feed(log[place : place + size])
        assert parser.tally.looked_at == {"conn": looked}
        assert parser.tally.fields["conn"]["app"] == ALL_LOOKED_AT - ALL_LOOKED_AT // LOOK_AT


def test_the_first_row_of_each_reason_is_kept_and_cut() -> None:
    parser = zeek.Parser()
    parser.feed(conn_log(conn_row(), "x" * 5000 + "\n", "cut\n", conn_row(ts="-")))
    samples = parser.tally.samples
    assert [(name, each.line_number) for name, each in samples.items()] == [
        ("malformed", 10),
        ("ts_missing", 12),
    ]
    assert samples["malformed"].text == "x" * 200


def test_tallies_add_up_and_the_first_sample_stays() -> None:
    parsers = [zeek.Parser(), zeek.Parser()]
    parsers[0].feed(conn_log("first\n", conn_row()))
    parsers[1].feed(conn_log("second\n", conn_row(ts="1000000000.5"), conn_row()))
    total = Tally()
    for parser in parsers:
        total.add(parser.tally)
    assert total.mapped == total.events == {"conn": 3}
    assert total.samples["malformed"].text == "first"
    assert total.fields["conn"]["app"] == 3
    assert total.first == {"ip": "2001-09-09T01:46:40.5Z"}
    assert total.lines == sum(parser.tally.lines for parser in parsers)
    assert json.dumps(total.mapped) == '{"conn": 3}'
