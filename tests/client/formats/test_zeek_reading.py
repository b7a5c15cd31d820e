"""How a Zeek log is read: headers, kinds, cuts, damage."""

import json

import pytest
from hypothesis import assume, given, settings, strategies as st

from tawny.formats import Event, encode_lines
from tawny.formats.lines import MAX_LINE_BYTES
from tawny.formats.zeek import Parser
from tawny.formats.zeek.header import unescape
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


def parse(log: bytes, file_name: str = "", cuts: tuple[int, ...] = ()) -> tuple[bytes, Parser]:
    parser = Parser(file_name=file_name)
    events: list[Event] = []
    start = 0
    for end in (*sorted(cuts), len(log)):
        events += parser.feed(log[start:end])
        start = end
    events += parser.finish()
    return encode_lines(events), parser


@pytest.mark.parametrize("separator", [",", " ", "|", "||", "\x01", "§"])
def test_any_separator_given_in_hexadecimal_cuts_the_columns(separator: str) -> None:
    log = header("conn", CONN_FIELDS, separator=separator, set_separator=";") + row(
        CONN_FIELDS, CONN_ROW, separator
    )
    assert parse(log.encode())[0] == parse(conn_log())[0]


def test_set_separator_unset_and_empty_are_those_of_the_header() -> None:
    log = header("dns", DNS_FIELDS, set_separator="|", unset="NIL", empty="NONE") + row(
        DNS_FIELDS, DNS_ROW, answers="a,b|c", rcode_name="NIL", qtype_name="-"
    )
    event = json.loads(parse(log.encode())[0])
    assert event["answers"] == ["a,b", "c"]
    assert event["qtype"] == "-"
    assert "rcode" not in event


def test_logs_written_one_after_the_other_are_read_each_by_its_own_header() -> None:
    close = b"#close\t2024-04-19-01-00-00\n"
    http = (header("ftp", ("ts", "uid")) + "1.0\tC1\n2.0\tC2\n").encode()
    commas = header("conn", CONN_FIELDS, separator=",") + row(CONN_FIELDS, CONN_ROW, ",")
    body, parser = parse(
        conn_log() + close + dns_log() + close + http + close + commas.encode() + conn_log()
    )
    assert body.count(b"\n") == 4
    assert parser.tally.mapped == {"conn": 3, "dns": 1}
    assert parser.tally.skipped == {"ftp": 2}
    assert not parser.tally.reasons


def test_columns_that_change_in_mid_file_are_followed() -> None:
    fewer = ("ts", "id.orig_h", "id.resp_h")
    log = (
        conn_log()
        + ("#fields\t" + "\t".join(fewer) + "\n1713484801.5\t192.0.2.1\t192.0.2.2\n").encode()
    )
    last = parse(log)[0].splitlines()[-1]
    assert json.loads(last) == {
        "ts": "2024-04-19T00:00:01.5Z",
        "srcIP": "192.0.2.1",
        "destIP": "192.0.2.2",
    }


def times(log: bytes) -> tuple[list[str], bool]:
    body, parser = parse(log)
    return [json.loads(line)["ts"] for line in body.splitlines()], parser.clockless


def opened(at: str, *rows: str) -> bytes:
    return conn_log(*rows).replace(b"#open\t2024-04-19-00-00-01", f"#open\t{at}".encode())


def test_a_capture_without_a_clock_counts_from_the_opening_of_its_log() -> None:
    log = opened("2017-03-08-13-47-04", conn_row(ts="19.981745"), conn_row(ts="3023.000100"))
    assert times(log) == (["2017-03-08T13:47:23.981745Z", "2017-03-08T14:37:27.000100Z"], True)


def test_a_log_with_a_clock_says_nothing_of_its_opening() -> None:
    assert times(opened("2017-03-08-13-47-04")) == (["2024-04-18T23:59:55.943239Z"], False)


def test_each_log_of_a_file_counts_from_its_own_opening() -> None:
    early = conn_row(ts="1.5")
    log = opened("2017-03-08-13-47-04", early) + opened("2018-01-01-00-00-00", early, conn_row())
    assert times(log)[0] == [
        "2017-03-08T13:47:05.5Z",
        "2018-01-01T00:00:01.5Z",
        "2024-04-18T23:59:55.943239Z",
    ]


@pytest.mark.parametrize("at", ["", "-", "yesterday", "1970-01-01-00-00-20", "0000-00-00-00-00-00"])
def test_a_log_that_does_not_know_when_it_was_opened_keeps_its_times(at: str) -> None:
    assert times(opened(at, conn_row(ts="1.5"))) == (["1970-01-01T00:00:01.5Z"], False)


def test_a_log_without_an_opening_does_not_count_from_that_of_the_log_before() -> None:
    second = opened("", conn_row(ts="1.5")).replace(b"#open\t\n", b"")
    assert b"#open" not in second
    assert times(opened("2017-03-08-13-47-04") + second)[0][1] == "1970-01-01T00:00:01.5Z"


def test_json_rows_have_no_opening_to_count_from() -> None:
    line = b'{"_path":"conn","ts":1.5,"id.orig_h":"192.0.2.1","id.resp_h":"192.0.2.2"}\n'
    assert times(line) == (["1970-01-01T00:00:01.5Z"], False)
    assert times(opened("2017-03-08-13-47-04") + line)[0][1] == "1970-01-01T00:00:01.5Z"


def test_a_separator_line_with_a_tab_or_a_plain_escape_is_understood() -> None:
    plain = parse(conn_log())[0]
    assert parse(conn_log().replace(b"#separator ", b"#separator\t"))[0] == plain
    assert parse(conn_log().replace(b"\\x09", b"\\t"))[0] == plain


def test_carriage_returns_blank_lines_and_a_byte_order_mark_change_nothing() -> None:
    log = conn_log(conn_row(), "\n", conn_row())
    plain, _ = parse(conn_log(conn_row(), conn_row()))
    assert parse(log)[0] == plain
    assert parse(b"\xef\xbb\xbf" + log.replace(b"\n", b"\r\n"))[0] == plain


@pytest.mark.parametrize("cut", [10, 60, 100])
def test_a_truncated_last_line_is_one_malformed_row(cut: int) -> None:
    log = conn_log(conn_row(), conn_row())[:-cut]
    body, parser = parse(log)
    assert body.count(b"\n") == 1
    assert parser.tally.reasons == {"malformed": 1}


def test_a_truncated_last_json_line_is_one_malformed_row() -> None:
    line = b'{"_path":"conn","ts":1,"id.orig_h":"192.0.2.1","id.resp_h":"192.0.2.2"}\n'
    body, parser = parse(line + line[:30])
    assert body.count(b"\n") == 1
    assert parser.tally.reasons == {"malformed": 1}
    assert parser.tally.malformed == {"conn": 1}


def test_a_whole_last_line_without_a_newline_counts() -> None:
    assert parse(conn_log()[:-1])[0] == parse(conn_log())[0]


@pytest.mark.parametrize("path", ["ftp", "ssh", "capture_loss", "conn_long", "dns_red"])
def test_other_kinds_of_log_are_skipped_with_a_count(path: str) -> None:
    body, parser = parse(conn_log(conn_row(), conn_row(), path=path), "conn.log")
    assert body == b""
    assert parser.tally.skipped == {path: 2}
    assert not parser.foreign
    assert not parser.tally.reasons


def test_a_log_without_a_path_is_known_by_its_columns() -> None:
    for log, kind in ((conn_log(), "conn"), (dns_log(), "dns")):
        lines = [line for line in log.splitlines(keepends=True) if not line.startswith(b"#path")]
        assert parse(b"".join(lines), "other.log")[1].tally.mapped == {kind: 1}


def test_a_log_of_other_columns_and_no_path_takes_the_name_of_its_file() -> None:
    log = b"#fields\tindicator\tindicator_type\nbad.example\tIntel::DOMAIN\n"
    assert parse(log, "/var/intel_list.dat")[1].tally.skipped == {"intel_list": 1}
    assert parse(log, "conn.log")[1].tally.skipped == {"unknown": 1}


@pytest.mark.parametrize(
    ("name", "keys", "kind"),
    [
        ("x.log", {"conn_state": "SF"}, "conn"),
        ("open_conn.10:00:00-11:00:00.log.gz", {"conn_state": "SF"}, "open_conn"),
        ("dns.log", {"conn_state": "SF"}, "conn"),
        ("open_conn.log", {"conn_state": "SF", "_path": "conn"}, "conn"),
        ("x.log", {"orig_ip_bytes": 40}, "conn"),
        ("conn.log", {"query": "example.com", "qtype_name": "A"}, "dns"),
        ("x.log", {"query": "example.com", "rcode_name": "NXDOMAIN"}, "dns"),
        ("x.log", {"trans_id": 7, "rejected": False, "query": "a.example"}, "dns"),
        ("x.log", {"trans_id": 7, "AA": False, "_path": None, "query": "a.example"}, "dns"),
    ],
)
def test_a_json_log_is_known_by_its_path_then_its_keys_then_its_name(
    name: str, keys: dict[str, object], kind: str
) -> None:
    values = {"ts": 1.5, "id.orig_h": "192.0.2.1", "id.resp_h": "192.0.2.2"} | keys
    assert parse(json.dumps(values).encode(), name)[1].tally.mapped == {kind: 1}


def test_other_json_logs_are_skipped_whatever_their_values() -> None:
    lines = (
        b'{"_path":"ftp","ts":1,"version":"1.1"}\n'
        b'{"ts":1,"id.orig_h":"192.0.2.1","query":7,"service":["x"]}\n'
        b'{"ts":1,"_path":"weird","duration":"long"}\n'
    )
    body, parser = parse(lines, "logs/mixed.log")
    assert body == b""
    assert parser.tally.skipped == {"ftp": 1, "mixed": 1, "weird": 1}
    assert not parser.tally.reasons


@pytest.mark.parametrize(
    "text",
    [
        b"Lorem ipsum dolor sit amet,\nconsectetur adipiscing elit\n",
        b"# A heading\n\nand words\n",
        b"### nothing but comments\n",
        b'{\n  "trigger": {}\n}\n',
        b"[1, 2]\n",
        b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\n",
        b"x" * (MAX_LINE_BYTES + 10),
        conn_row().encode() * 2,
    ],
)
def test_text_that_is_no_zeek_log_is_foreign_and_not_malformed(text: bytes) -> None:
    body, parser = parse(text, "conn.log")
    assert parser.foreign
    assert body == b""
    assert not parser.tally.reasons
    assert not parser.tally.skipped


@pytest.mark.parametrize("log", [b"", conn_log()[: -len(conn_row())]])
def test_a_log_without_rows_is_no_foreign_file(log: bytes) -> None:
    body, parser = parse(log)
    assert body == b""
    assert not parser.foreign


def test_an_overlong_line_is_too_large_and_reading_goes_on() -> None:
    log = conn_log(conn_row(), conn_row(history="S" * MAX_LINE_BYTES), conn_row())
    whole, parser = parse(log)
    assert whole.count(b"\n") == 2
    assert parser.tally.reasons == {"too_large": 1}
    pieces, parser = parse(log, cuts=tuple(range(0, len(log), 100_000)))
    assert pieces == whole
    assert parser.tally.reasons == {"too_large": 1}


MIXED = (
    conn_log(conn_row(), conn_row(id__orig_p="x"), conn_row(service="a\\x09b"))
    + dns_log(dns_row(query="müller.example"), "cut\n")
    + b'{"_path":"dns","ts":1.5,"id.orig_h":"192.0.2.1","query":"\xc3\xbc.example"}\n{"_path":\n'
    + (header("ftp", ("ts", "uid")) + "1.0\tC1").encode()
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(MIXED)), max_size=12))
def test_how_a_log_is_cut_into_pieces_changes_nothing(cuts: list[int]) -> None:
    whole, parser = parse(MIXED)
    pieces, cut_parser = parse(MIXED, cuts=tuple(cuts))
    assert pieces == whole
    assert cut_parser.tally == parser.tally
    assert whole.count(b"\n") == 4
    assert parser.tally.reasons == {"malformed": 3}


def as_zeek_writes(text: str) -> str:
    return "".join(
        character
        if "!" <= character <= "~" and character not in "\\,"
        else "".join(f"\\x{byte:02x}" for byte in character.encode())
        for character in text
    )


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_escaping_and_unescaping_is_the_identity(text: str) -> None:
    assert unescape(as_zeek_writes(text)) == text


@settings(deadline=None)
@given(
    query=st.text(st.characters(codec="utf-8"), min_size=1, max_size=30),
    answers=st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=12), max_size=4),
)
def test_the_tsv_and_the_json_of_one_row_are_one_event(query: str, answers: list[str]) -> None:
    assume(not {"-", "(empty)"} & {query, *answers})  # what JSON can say and TSV cannot
    written = ",".join(as_zeek_writes(answer) for answer in answers) or "(empty)"
    tsv = dns_log(row(DNS_FIELDS, DNS_ROW, query=as_zeek_writes(query), answers=written))
    values = dict(zip(DNS_FIELDS, DNS_ROW, strict=True)) | {"query": query, "answers": answers}
    line = json.dumps(values | {"ts": 1521911720.865716, "id.orig_p": 41772}).encode()
    assert parse(tsv)[0] == parse(line)[0]
