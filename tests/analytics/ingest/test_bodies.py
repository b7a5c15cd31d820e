"""Bodies: however they arrive in pieces, nothing is lost, doubled or held without bound."""

import json
from collections import Counter
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings, strategies as st

from analytics.ingest import bodies, values
from analytics.ingest.bodies import (
    LONGEST,
    MAX_BATCH_EVENTS,
    STRETCH,
    Receipt,
    Stretches,
    read_stretches,
)
from analytics.ingest.events import DNS, IP, Kind
from analytics.ingest.parts import pack_parts
from analytics.ingest.reasons import Reason
from analytics.ingest.values import MAX_EVENT, decode_start, decode_values
from tests.analytics.ingest.slow_reading import Read, read_body
from tests.analytics.ingest.test_values import BODIES, as_read, event, taken

NOW = 1_777_636_800 * 10**9  # 2026-05-01T12:00:00Z
SMALL: dict[str, Any] = {"STRETCH": 200, "LONGEST": 520}
"""Bytes; the longest is twice the largest event and a stretch, as it is in service."""


def read_in_pieces(pieces: list[bytes], kind: Kind) -> Read:
    read = Read()
    for _, decoded in read_stretches(pieces, kind):
        part = as_read(decoded)
        read.events += part.events
        read.rejected += part.rejected
    return read


def cut_at(body: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    return [body[start:end] for start, end in pairwise(places)]


def in_pieces(body: bytes, size: int) -> list[bytes]:
    return [body[at : at + size] for at in range(0, len(body), size)]


@given(BODIES, st.lists(st.integers(0, 5000), max_size=12))
@settings(max_examples=150)
def test_how_a_body_arrives_in_pieces_changes_nothing(body: bytes, cuts: list[int]) -> None:
    with patch.multiple(bodies, **SMALL, MAX_EVENT=160), patch.object(values, "MAX_EVENT", 160):
        whole = read_body(body, IP, longest=SMALL["LONGEST"], max_event=160)
        for pieces in (cut_at(body, cuts), [body], in_pieces(body, 1)):
            assert taken(read_in_pieces(pieces, IP)) == taken(whole)


@given(BODIES, st.lists(st.integers(0, 5000), max_size=12), st.integers(1, 50))
@settings(max_examples=400)
def test_a_stretch_decodes_to_the_same_again_alone(
    body: bytes, cuts: list[int], enough: int
) -> None:
    limits = patch.multiple(values, MAX_EVENT=160, ENOUGH_EVENTS=enough)
    with patch.multiple(bodies, **SMALL, MAX_EVENT=160), limits:
        for stretch, decoded in read_stretches(cut_at(body, cuts), IP):
            assert as_read(decode_values(stretch, IP)) == as_read(decoded)


@given(BODIES, st.lists(st.integers(0, 5000), max_size=12))
@settings(max_examples=300)
def test_stretches_are_cut_out_of_the_body_in_its_order(body: bytes, cuts: list[int]) -> None:
    at = 0
    with patch.multiple(bodies, **SMALL, MAX_EVENT=160), patch.object(values, "MAX_EVENT", 160):
        for stretch, _ in read_stretches(cut_at(body, cuts), IP):
            at = body.index(stretch, at) + len(stretch)


@pytest.mark.parametrize("between", [b"", b" , ", b"\r\n", b",\n\xef\xbb\xbf"])
@pytest.mark.parametrize("host", ["plain", 'a "}{" b},{'])
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("piece", [1 << 18, 1 << 23])
def test_no_event_of_a_long_body_is_lost_at_a_cut(
    between: bytes, host: str, indent: int | None, piece: int
) -> None:
    count = STRETCH // 80
    events = [{"srcHost": host, "connID": str(number)} for number in range(count)]
    body = b"[" + between.join(json.dumps(each, indent=indent).encode() for each in events) + b"]"
    places: list[str] = []
    for _, decoded in read_stretches(in_pieces(body, piece), IP):
        assert decoded.rejected == {}
        places += [each.connID for each in decoded.events]
    assert places == [str(number) for number in range(count)]


@pytest.mark.parametrize(
    ("head", "reason"), [(b'{"a":"', Reason.TOO_LARGE), (b"\x00binary", Reason.MALFORMED)]
)
@pytest.mark.parametrize("piece", [1 << 16, 1 << 24])
def test_what_never_ends_counts_once_and_the_next_line_is_read(
    head: bytes, reason: Reason, piece: int
) -> None:
    body = event() + head + b"x" * (4 * STRETCH) + b"\n" + event()
    read = read_in_pieces(in_pieces(body, piece), IP)
    assert (len(read.events), read.rejected) == (2, {reason: 1})


def test_what_is_held_of_a_body_without_an_end_is_bounded() -> None:
    body = Stretches([b'{"a":"' + b"x" * 100, *[b"x" * 50_000] * 200])
    counts: Counter[str] = Counter()
    for text in body:
        decoded = decode_start(text, IP, last=body.last)
        assert len(body.settle(text, decoded)) <= LONGEST
        assert len(body._held) <= LONGEST + 50_000
        counts.update(decoded.rejected)
    assert counts == {Reason.TOO_LARGE: 1}


@pytest.mark.parametrize("size", [MAX_EVENT, MAX_EVENT + 1, STRETCH, LONGEST, LONGEST + 1])
@pytest.mark.parametrize("before", [b"", b" " * 100, event() + b"\n", event()])
def test_an_object_in_a_line_is_read_to_its_end_up_to_a_length(size: int, before: bytes) -> None:
    value = b'{"a":"' + b"x" * (size - 8) + b'"}'
    read = read_in_pieces(in_pieces(before + value + event() + b"\n" + event(), 1 << 18), IP)
    behind = 2 if size <= LONGEST else 1
    fits = size <= MAX_EVENT
    assert len(read.events) == before.count(b"{") + fits + behind
    assert read.rejected == ({} if fits else {Reason.TOO_LARGE: 1})


@pytest.mark.parametrize("blank", [b" ,", b" \xef\xbb\xbf"])
def test_blanks_alone_are_no_value_however_many(blank: bytes) -> None:
    for shift in (b"", b" ", b"  "):
        read = read_in_pieces([shift + blank * STRETCH, event()], IP)
        assert (len(read.events), read.rejected) == (1, {})


def test_a_stretch_of_the_smallest_events_has_fewer_than_a_batch() -> None:
    sizes = [len(decoded.events) for _, decoded in read_stretches([b"{}" * (3 << 17)], IP)]
    assert sum(sizes) == 3 << 17
    assert max(sizes) < MAX_BATCH_EVENTS


@given(BODIES)
@settings(max_examples=100)
def test_received_is_accepted_and_rejected(body: bytes) -> None:
    receipt = Receipt()
    parts = list(pack_parts([body], "", IP, receipt, now=NOW))
    slow = read_body(body, IP, longest=LONGEST, max_event=MAX_EVENT)
    assert receipt.received == len(slow.events) + slow.rejected.total()
    assert receipt.received == receipt.accepted + sum(receipt.rejected.values())
    assert receipt.accepted == sum(part.events for part in parts)


@pytest.mark.parametrize(
    ("kind", "fields", "reason"),
    [
        (IP, {"ts": None}, "ts_missing"),
        (IP, {"ts": "never"}, "ts_invalid"),
        (IP, {"ts": "1999-01-01T00:00:00Z"}, "ts_invalid"),
        (IP, {"ts": "2026-05-03T00:00:00Z"}, "ts_future"),
        (IP, {"srcIP": ""}, "src_missing"),
        (IP, {"srcIP": "192.0.2.256"}, "src_invalid"),
        (IP, {"destIP": "-"}, "dest_missing"),
        (IP, {"destIP": "example.com"}, "dest_invalid"),
        (IP, {"destPort": 65_536}, "number_out_of_range"),
        (IP, {"labels": 1.5, "srcHost": {}}, "malformed"),
        (IP, {"connID": "x" * 70_000}, "too_large"),
        (DNS, {"query": "a" * 300}, "query_invalid"),
        (DNS, {"query": "a.example", "destIP": "nowhere"}, "dest_invalid"),
        (DNS, {"query": ""}, None),
        (DNS, {"query": "a.example", "destIP": ""}, None),
        (IP, {"nobody": {"knows": ["this"]}}, None),
    ],
)
def test_each_field_has_its_reason(
    kind: Kind, fields: dict[str, object], reason: str | None
) -> None:
    receipt = Receipt()
    accepted = sum(
        part.events for part in pack_parts([event(**fields)], "", kind, receipt, now=NOW)
    )
    assert receipt.rejected == ({} if reason is None else {reason: 1})
    assert accepted == receipt.accepted == (1 if reason is None else 0)
