"""Fields that a kind has not: ignored, and counted exactly."""

import json
from collections import Counter

import pytest
from hypothesis import given, settings, strategies as st

from analytics.ingest import values
from analytics.ingest.events import IP
from analytics.ingest.values import MAX_EVENT, OTHER, count_unknown, decode_values
from tests.analytics.ingest.slow_reading import read_body
from tests.analytics.ingest.test_values import BODIES, event


@given(BODIES)
@settings(max_examples=500)
def test_they_are_counted_as_the_slow_way_counts_them(body: bytes) -> None:
    slow = read_body(body, IP, longest=1 << 20, max_event=MAX_EVENT)
    assert count_unknown(body, IP) == slow.unknown


@given(st.lists(st.dictionaries(st.sampled_from("abcdé"), st.integers(0, 9)), max_size=30))
@settings(max_examples=100)
@pytest.mark.parametrize("between", [b"\n", b"", b",\n"])
def test_each_event_counts_each_name_once(between: bytes, fields: list[dict[str, int]]) -> None:
    body = between.join(event(**each) for each in fields)
    assert count_unknown(body, IP) == Counter(name for each in fields for name in each)


def test_where_the_fast_way_decoded_there_are_none() -> None:
    decoded = decode_values((event() + b"\n") * 500, IP)
    assert decoded.strange == []
    assert len(decoded.events) == 500


def test_a_name_twice_in_an_event_counts_once() -> None:
    assert count_unknown(b'{"a":1,"a":2}{"a":3}', IP) == {"a": 2}


def test_a_field_inside_an_unknown_one_is_not_counted() -> None:
    assert count_unknown(event(a={"b": {"c": 1}}), IP) == {"a": 1}


def test_what_is_rejected_while_reading_counts_nothing() -> None:
    assert count_unknown(event(a=1, srcPort=99_999) + b"\n" + event(b=1, srcPort="5"), IP) == {
        "b": 1
    }


def test_names_are_cut_and_those_that_are_no_text_are_replaced() -> None:
    body = json.dumps({"n" * 200: 1, "n" * 65: 2}).encode() + b'{"\xff":1}'
    assert count_unknown(body, IP) == {"n" * 64: 2, "\ufffd": 1}


def test_past_a_hundred_names_the_rarest_count_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "MAX_NAMES", 2)
    body = event(a=1) * 3 + event(b=1) * 2 + event(c=1) + event(d=1)
    assert count_unknown(body, IP) == {"a": 3, "b": 2, OTHER: 2}


def test_what_is_at_hand_is_not_decoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    body = event(a=1) + b"\n" + event(b=1, srcPort="5")
    decoded = decode_values(body, IP)
    monkeypatch.setattr(values, "decode_values", None)
    assert count_unknown(body, IP, decoded) == {"a": 1, "b": 1}
