"""Values of a body: what is read, what is not, and that every one of them is counted."""

import json
from collections import Counter
from time import process_time
from unittest.mock import patch

import pytest
from hypothesis import given, settings, strategies as st

from analytics.ingest import values
from analytics.ingest.events import DNS, IP, TLS, Kind
from analytics.ingest.reasons import Reason
from analytics.ingest.scanning import LATER, NEVER, depth_of, end_of_object, is_shallow
from analytics.ingest.values import MAX_EVENT, Decoded, decode_start, decode_values
from tests.analytics.ingest.slow_reading import (
    Read,
    depth_of as slow_depth,
    end_of_object as slow_end,
    past_blanks,
    read_body,
)

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
        b'{\n "ts": 1777636800,\n "deep": [\n{\n}\n]\n}',
        b'{"srcHost":\n',
        b'"more":1}\n',
        b'{"":1,"unknown":"\xff","number":1e400}',
        b'{"unknown":"\\ud800"}',
        b'{"srcHost":"\xff"}',
        b'{"srcHost":1e400}',
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


def taken(read: Read) -> tuple[list[str], Counter[str]]:
    return read.events, read.rejected


@given(BODIES)
@settings(max_examples=600)
def test_the_fast_way_reads_what_the_slow_one_does(body: bytes) -> None:
    slow = read_body(body, IP, longest=1 << 20, max_event=MAX_EVENT)
    assert taken(as_read(decode_values(body, IP))) == taken(slow)


@given(BODIES, st.integers(100, 400))
@settings(max_examples=600)
def test_blocks_of_any_size_give_the_same(body: bytes, size: int) -> None:
    with patch.object(values, "MAX_EVENT", size):
        slow = read_body(body, IP, longest=1 << 20, max_event=size)
        assert taken(as_read(decode_values(body, IP))) == taken(slow)


@given(body=BODIES, more=BODIES, last=st.booleans())
@settings(max_examples=400)
def test_what_was_left_for_later_is_what_the_rest_begins_with(
    *, body: bytes, more: bytes, last: bool
) -> None:
    with patch.multiple(values, ENOUGH_EVENTS=2, MAX_EVENT=180):
        first = decode_start(body, IP, last=last)
        stretch = body[: len(body) - first.rest]
        assert as_read(decode_values(stretch, IP)) == as_read(first)
        if first.broken:
            more = more.partition(b"\n")[2]
        rest = decode_values(body[len(stretch) :] + more, IP)
        whole = decode_values(body + (b"\n" if first.broken else b"") + more, IP)
        if not last:
            assert taken(_joined(first, rest)) == taken(as_read(whole))


def _joined(*parts: Decoded) -> Read:
    read = Read()
    for part in map(as_read, parts):
        read.events += part.events
        read.rejected += part.rejected
    return read


@given(body=st.binary(max_size=200), kind=st.sampled_from([IP, DNS, TLS]), last=st.booleans())
@settings(max_examples=300)
def test_no_bytes_make_an_exception(*, body: bytes, kind: Kind, last: bool) -> None:
    decoded = decode_values(body, kind)
    holds_something = past_blanks(body, 0) < len(body)
    assert holds_something == bool(decoded.events or decoded.rejected)
    assert decode_start(body, kind, last=last).rest <= len(body)


@given(st.text('{}"\\[]a,\n', max_size=60).map(str.encode), st.sampled_from([5, 20, 100]))
@settings(max_examples=600)
def test_an_object_ends_where_its_braces_say(text: bytes, longest: int) -> None:
    text = b"{" + text
    end = end_of_object(text, 0, longest=longest)
    slow = slow_end(text, 0, longest=1000, max_event=longest)
    assert (None if end in {NEVER, LATER} else end) == slow
    if end == NEVER:
        for more in (b"}" * 9, b'"' + b"}" * 9, b'\\""' + b"}" * 9):
            assert slow_end(text + more, 0, longest=1000, max_event=longest) is None


@given(BODIES)
@settings(max_examples=300)
def test_depth_is_counted_and_never_missed(body: bytes) -> None:
    decoded = decode_values(body, IP)
    if not decoded.rejected and decoded.events:
        assert depth_of(body) == slow_depth(body)
        assert is_shallow(body, len(decoded.events))


@pytest.mark.parametrize("shape", ["%s", "%s\n", "%s,\n"])
@pytest.mark.parametrize("around", ["%s", "[%s]", "]%s", "]],[%s"])
@pytest.mark.parametrize("beside", [b"{}", b'{"a":[{"b":1}]}', b'{"a":"{[{["}', b'{"a":[]}'])
@pytest.mark.parametrize(
    "deep",
    [b'{"a":[[[[[[[[]]]]]]]]}', b'{"a":' * 9 + b"1" + b"}" * 9, b'{"a": [1,[[[[[[[]]]]]]]]}'],
)
def test_a_block_with_too_deep_an_event_is_never_shallow(
    deep: bytes, beside: bytes, shape: str, around: str
) -> None:
    for count in (0, 1, 50):
        each = [shape.encode() % beside] * count
        block = around.encode() % b"".join([*each, shape.encode() % deep, *each])
        assert not is_shallow(block, 2 * count + 1)
        assert decode_values(block, IP).rejected == {Reason.MALFORMED: 1}


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
        pytest.param(b"\xef\xbb\xbf" + event() + b"\n" + event(), 2, {}, id="BOM"),
        pytest.param((b"\xef\xbb\xbf" + event() + b"\n") * 2, 2, {}, id="files joined"),
        pytest.param(b"\xef\xbb" + event() + b"\n" + event(), 1, {"malformed": 1}, id="half a BOM"),
        pytest.param(event().decode().encode("utf-16"), 0, {"malformed": 1}, id="UTF-16"),
        pytest.param(json.dumps(json.loads(event()), indent=2).encode() * 3, 3, {}, id="indented"),
        pytest.param(b'{"ts":1,\n{"ts":2}\n{"ts":3}', 2, {"malformed": 1}, id="a line cut off"),
        pytest.param(b'{"ts":"1\n{"ts":2}\n{"ts":3}', 2, {"malformed": 1}, id="a text cut off"),
        pytest.param(b"{" + b" \n" * MAX_EVENT + b"}", 0, {"malformed": 2}, id="65,536 lines"),
        pytest.param(b"[[" + event() + b",[" + event() + b",,]],]", 2, {}, id="nested arrays"),
        pytest.param(b'1\n["x"]\nnull\n\ntrue\n' + event(), 1, {"malformed": 4}, id="scalars"),
        pytest.param(b'{"":1}', 1, {}, id="an empty key"),
        pytest.param(b'{"x":"\xff"}', 1, {}, id="no UTF-8 in an unknown field"),
        pytest.param(b'{"x":"\\ud800"}', 0, {"malformed": 1}, id="half a pair in an unknown field"),
        pytest.param(b'{"x":1e400,"srcPort":"5"}', 1, {}, id="past a float in an unknown field"),
        pytest.param(event() + b"garbage" + event(), 1, {"malformed": 1}, id="garbage between"),
        pytest.param(b"garbage\n" + event(), 1, {"malformed": 1}, id="reading goes on"),
        pytest.param(b"1\n2\n3", 0, {"malformed": 3}, id="numbers"),
        pytest.param(b"[1,2,3]", 0, {"malformed": 1}, id="an array of numbers"),
        pytest.param(b'{"ts":"\xff"}', 0, {"malformed": 1}, id="no UTF-8"),
        pytest.param(b'{"ts":"\\ud800"}', 0, {"malformed": 1}, id="half a surrogate pair"),
        pytest.param(b'{"x":' + b"1" * 10_000 + b"}", 1, {}, id="long digits nobody asked for"),
        pytest.param(b'{"a":"}{"}{"x":' + b"1" * 10_000 + b"}", 2, {}, id="long digits, scanned"),
        pytest.param(b'{"ts":' + b"1" * 10_000 + b"}", 1, {}, id="long digits, a time"),
        pytest.param(
            b'{"bytesIn":' + b"1" * 10_000 + b"}", 0, {"number_out_of_range": 1}, id="long digits"
        ),
        pytest.param(b'{"bytesIn":1e400}', 0, {"number_out_of_range": 1}, id="past a float"),
        pytest.param(b'{"srcHost":1e400}', 0, {"malformed": 1}, id="past a float, a text"),
        pytest.param(b'{"a":' * 9 + b"1" + b"}" * 9, 0, {"malformed": 1}, id="nine deep"),
        pytest.param(b'{"a":' * 8 + b"1" + b"}" * 8, 1, {}, id="eight deep"),
        pytest.param(b"[" * 100_000, 0, {}, id="openings alone"),
        pytest.param(b'{"a":' * 5_000, 0, {"malformed": 1}, id="never closed"),
        pytest.param(b'{"a":' * 50_000, 0, {"too_large": 1}, id="never closed and large"),
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
        b"{\n" * 30_000,
        b'{"a":\n' * 20_000,
        b'{"a":[\n' * 20_000,
        b'{"a":{}}\n{"b":\n' * 5_000,
        b'{"c":[\n' + b'{"a":1,\n"b":2},\n' * 5_000,
        b"x\n" * 50_000,
        b"[" * 200_000 + b"x",
    ],
)
def test_hostile_lines_cost_no_more_than_their_length(hostile: bytes) -> None:
    began = process_time()
    decoded = decode_values(hostile, IP)
    assert process_time() - began < 1  # some milliseconds; what is quadratic takes ten seconds
    assert sum(decoded.rejected.values()) >= 1
