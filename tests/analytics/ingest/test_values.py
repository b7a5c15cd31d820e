"""Values of a body: what is read, what is not, and that every one of them is counted."""

import json
from collections import Counter
from time import perf_counter

import pytest
from hypothesis import given, settings, strategies as st

from analytics.ingest import values
from analytics.ingest.events import DNS, IP, Header, IpEvent, Kind
from analytics.ingest.reasons import Reason
from analytics.ingest.values import (
    MAX_EVENT,
    Decoded,
    decode_values,
    end_of_values,
    objects,
    repair,
)
from tests.analytics.ingest.slow_reading import Read, end_of_object, read_body

BASE = {"ts": "2026-05-01T12:00:00Z", "srcIP": "192.0.2.1", "destIP": "198.51.100.7"}


def event(**fields: object) -> bytes:
    return json.dumps({**BASE, **fields}).encode()


FRAGMENTS = st.sampled_from(
    [
        event(),
        event(srcPort=1234, bytesIn=2**63 - 1),
        event(srcHost='a "quoted" }{ brace', connID="}\\"),
        event(srcHost="é \U0001f98a", labels=["a", "}{"]),
        event(srcPort="53", bytesIn=None, proto="-", srcHost=7),
        event(srcPort=70_000),
        event(srcPort=-1),
        event(srcPort=5.5),
        event(bytesIn=2**63),
        event(srcHost={"a": 1}),
        event(unknown={"a": [{"b": [1, "]}"]}]}),
        event(deep=[[[[[[[[1]]]]]]]]),
        event(connID="x" * 90),
        b'{"ts":1777636800,"ts":1777636801,"srcIP":"192.0.2.1"}',
        b"{}",
        b'{"srcHost":"\\u0000","srcIP":"\\ud83e\\udd8a"}',
        b'{"ts":NaN}',
        b'{"srcPort":1e400}',
        b'{"srcHost":"unfinished',
        b'{"srcHost":"raw \x01 control"}',
        b'{"a":[}',
        b"{'a':1}",
        b'"text {"',
        b"null",
        b"7",
        b"}",
        b"{",
        b'"',
        b"\\",
        b"\xff",
        b"\xef\xbb\xbf",
        b"garbage",
    ]
)
GAPS = st.sampled_from(
    [b"", b"", b"\n", b"\n", b"\r\n", b",", b", ", b"[", b"]", b" ", b"\t", b"\n\n"]
)
BODIES = st.lists(st.tuples(FRAGMENTS, GAPS), max_size=12).map(
    lambda pairs: b"".join(each for pair in pairs for each in pair)
)


def as_read(decoded: Decoded) -> Read:
    return Read(events=[repr(each) for each in decoded.events], rejected=Counter(decoded.rejected))


@given(BODIES)
@settings(max_examples=500, deadline=None)
def test_the_fast_way_reads_what_the_slow_one_does(body: bytes) -> None:
    slow = read_body(body, IP, longest=1 << 20, max_event=MAX_EVENT)
    assert as_read(decode_values(body, IP)) == slow


@given(st.binary(max_size=200), st.sampled_from([IP, DNS]))
@settings(max_examples=300, deadline=None)
def test_no_bytes_make_an_exception(body: bytes, kind: Kind) -> None:
    decoded = decode_values(body, kind)
    lines = [line for line in body.split(b"\n") if line.strip(values.BETWEEN)]
    assert len(decoded.events) + sum(decoded.rejected.values()) >= len(lines)


@given(st.text('{}"\\[]a,', max_size=60).map(str.encode))
@settings(max_examples=400, deadline=None)
def test_objects_are_found_as_the_braces_say(text: bytes) -> None:
    spans = list(objects(text))
    assert all(end_of_object(text, start) == end for start, end in spans)
    assert spans == sorted(spans)


@given(BODIES)
@settings(max_examples=200, deadline=None)
def test_the_end_of_values_is_the_end_of_one(body: bytes) -> None:
    line = body.replace(b"\n", b"")
    ends = {end for _, end in objects(line)}
    whole = not decode_values(line, IP).broken
    assert end_of_values(line) in ends | {0} if whole else end_of_values(line) <= len(line)


@pytest.mark.parametrize(
    ("body", "events", "rejected"),
    [
        pytest.param(b"", 0, {}, id="nothing"),
        pytest.param(b"\r\n \r\n[]\n", 0, {}, id="blanks and an empty array"),
        pytest.param(event() + b"\r\n" + event() + b"\r\n", 2, {}, id="CRLF"),
        pytest.param(b"[" + event() + b", " + event() + b"]", 2, {}, id="an array"),
        pytest.param(b"[\n" + event() + b",\n" + event() + b"\n]\n", 2, {}, id="an array in lines"),
        pytest.param(event() * 3, 3, {}, id="no separator"),
        pytest.param(event(srcHost="}{") * 3, 3, {}, id="braces inside texts"),
        pytest.param(b"\xef\xbb\xbf" + event() + b"\n" + event(), 1, {"malformed": 1}, id="BOM"),
        pytest.param(event() + b"garbage" + event(), 1, {"malformed": 1}, id="garbage between"),
        pytest.param(b"garbage\n" + event(), 1, {"malformed": 1}, id="reading goes on"),
        pytest.param(b"1\n2\n3", 0, {"malformed": 3}, id="numbers"),
        pytest.param(b"[1,2,3]", 0, {"malformed": 1}, id="an array of numbers"),
        pytest.param(b'{"ts":"\xff"}', 0, {"malformed": 1}, id="no UTF-8"),
        pytest.param(b'{"ts":"\\ud800"}', 0, {"malformed": 1}, id="half a surrogate pair"),
        pytest.param(b'{"x":' + b"1" * 10_000 + b"}", 1, {}, id="long digits nobody asked for"),
        pytest.param(b'{"a":"}{"}{"x":' + b"1" * 10_000 + b"}", 2, {}, id="long digits, scanned"),
        pytest.param(b'{"ts":' + b"1" * 10_000 + b"}", 0, {"malformed": 1}, id="long digits"),
        pytest.param(b'{"bytesIn":1e400}', 0, {"malformed": 1}, id="past a float"),
        pytest.param(b'{"a":' * 9 + b"1" + b"}" * 9, 0, {"malformed": 1}, id="nine deep"),
        pytest.param(b'{"a":' * 8 + b"1" + b"}" * 8, 1, {}, id="eight deep"),
        pytest.param(b"[" * 100_000, 0, {}, id="openings alone"),
        pytest.param(b'{"a":' * 50_000, 0, {"malformed": 1}, id="never closed"),
    ],
)
def test_each_value_is_an_event_or_counted(
    body: bytes, events: int, rejected: dict[str, int]
) -> None:
    decoded = decode_values(body, IP)
    assert (len(decoded.events), decoded.rejected) == (events, rejected)


@pytest.mark.parametrize("neighbours", [0, 1, 200])
def test_too_deep_an_event_is_refused_whatever_stands_beside_it(neighbours: int) -> None:
    deep = event(deep=[[[[[[[[1]]]]]]]])
    decoded = decode_values(deep + b"\n" + (event() + b"\n") * neighbours + b"\n" * 300, IP)
    assert (len(decoded.events), decoded.rejected) == (neighbours, {Reason.MALFORMED: 1})


@pytest.mark.parametrize(("over", "expected"), [(0, {}), (1, {Reason.TOO_LARGE: 1})])
@pytest.mark.parametrize("gap", [b"\n", b""])
def test_an_event_has_64_kib(over: int, expected: dict[Reason, int], gap: bytes) -> None:
    bare = event(pad="")
    body = event(pad="x" * (MAX_EVENT - len(bare) + over)) + gap + event()
    decoded = decode_values(body, IP)
    assert decoded.rejected == expected
    assert len(decoded.events) == 2 - over


def test_braces_in_a_text_do_not_make_one_large_event_two() -> None:
    body = event(pad="x" * MAX_EVENT + "}{" + "y" * MAX_EVENT)
    assert decode_values(body, IP).rejected == {Reason.TOO_LARGE: 1}


@pytest.mark.parametrize(
    "hostile",
    [
        b'{"a":[[[[[[[[[' + b'"' + b'\\"' * 30_000,
        b'{"a":"' * 10_000,
        b"}{" * 30_000,
        b"{" * 60_000,
        b'"{' * 30_000,
        b"}" + b" ," * 30_000 + b"{",
    ],
)
def test_hostile_lines_cost_no_more_than_their_length(hostile: bytes) -> None:
    began = perf_counter()
    decoded = decode_values(hostile, IP)
    assert perf_counter() - began < 1  # some milliseconds; what is quadratic takes ten seconds
    assert sum(decoded.rejected.values()) >= 1


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"srcPort": "53"}, {"srcPort": 53}),
        ({"srcPort": 53.0}, {"srcPort": 53}),
        ({"srcPort": "-"}, {}),
        ({"srcPort": ""}, {}),
        ({"srcPort": None, "labels": None, "localOrig": None}, {}),
        ({"bytesIn": "9223372036854775807"}, {"bytesIn": 2**63 - 1}),
        ({"duration": "1.5"}, {"duration": 1.5}),
        ({"localOrig": "T", "localResp": "false"}, {"localOrig": True, "localResp": False}),
        ({"localOrig": 1}, {"localOrig": True}),
        ({"labels": "one"}, {"labels": ["one"]}),
        ({"labels": ["one", 2]}, {"labels": ["one", "2"]}),
        ({"srcHost": 17}, {"srcHost": "17"}),
        ({"ts": 1.5, "unknown": object()}, {"ts": 1.5}),
    ],
)
def test_a_value_of_another_type_is_mended(
    fields: dict[str, object], expected: dict[str, object]
) -> None:
    assert repr(repair(fields, IP)) == repr(IpEvent(**expected))  # type: ignore[arg-type]  # one field each


@pytest.mark.parametrize(
    ("field", "bad", "reason"),
    [
        ("ts", True, Reason.TS_INVALID),
        ("ts", [1], Reason.TS_INVALID),
        ("srcIP", 7, Reason.SRC_INVALID),
        ("destIP", {}, Reason.DEST_INVALID),
        ("srcPort", "http", Reason.NUMBER_OUT_OF_RANGE),
        ("srcPort", 65_536, Reason.NUMBER_OUT_OF_RANGE),
        ("srcPort", "--5", Reason.NUMBER_OUT_OF_RANGE),
        ("srcPort", True, Reason.NUMBER_OUT_OF_RANGE),
        ("bytesIn", "9223372036854775808", Reason.NUMBER_OUT_OF_RANGE),
        ("bytesIn", "1" * 10_000, Reason.NUMBER_OUT_OF_RANGE),
        ("bytesIn", "nan", Reason.NUMBER_OUT_OF_RANGE),
        ("duration", -0.5, Reason.NUMBER_OUT_OF_RANGE),
        ("duration", 10**400, Reason.NUMBER_OUT_OF_RANGE),
        ("duration", "inf", Reason.NUMBER_OUT_OF_RANGE),
        ("localOrig", "perhaps", Reason.MALFORMED),
        ("localOrig", [], Reason.MALFORMED),
        ("labels", [{}], Reason.MALFORMED),
        ("srcHost", [], Reason.MALFORMED),
    ],
)
def test_what_cannot_be_mended_says_why(field: str, bad: object, reason: Reason) -> None:
    assert repair({field: bad}, IP) is reason


def test_a_question_that_is_no_text_is_an_invalid_query() -> None:
    assert repair({"query": 7}, DNS) is Reason.QUERY_INVALID
    assert isinstance(repair({"query": "-"}, DNS), Header)
