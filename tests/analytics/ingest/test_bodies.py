"""Bodies: however they arrive in pieces, nothing is lost, doubled or held without bound."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings, strategies as st

from analytics.ingest import bodies, values
from analytics.ingest.bodies import (
    MAX_BATCH_EVENTS,
    STRETCH,
    Receipt,
    Stretches,
    inflated,
    read_batches,
)
from analytics.ingest.events import DNS, IP, Kind
from analytics.ingest.reasons import Reason, TooLarge, Unreadable
from tests.analytics.ingest.slow_reading import Read, read_body
from tests.analytics.ingest.test_values import BODIES, event

NOW = 1_777_636_800 * 10**9  # 2026-05-01T12:00:00Z
SMALL: dict[str, Any] = {"STRETCH": 200, "LONGEST": 320}


def read_in_pieces(pieces: list[bytes], kind: Kind) -> Read:
    read = Read()
    body = Stretches(pieces)
    for stretch in body:
        decoded = values.decode_values(stretch, kind)
        if decoded.broken:
            body.skip_line()
        read.events += [repr(each) for each in decoded.events]
        read.rejected.update(Counter(decoded.rejected))
    read.rejected.update(Counter(body.rejected))
    return read


def unreasoned(read: Read) -> tuple[list[str], int, int]:
    """Merge the two reasons that a value without an end may have."""
    endless = read.rejected[Reason.MALFORMED] + read.rejected[Reason.TOO_LARGE]
    return read.events, endless, read.rejected.total()


def cut_at(body: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    return [body[start:end] for start, end in pairwise(places)]


@given(BODIES, st.lists(st.integers(0, 5000), max_size=12))
@settings(max_examples=500, deadline=None)
def test_how_a_body_arrives_in_pieces_changes_nothing(body: bytes, cuts: list[int]) -> None:
    with patch.multiple(bodies, **SMALL), patch.object(values, "MAX_EVENT", 180):
        whole = unreasoned(read_body(body, IP, longest=SMALL["LONGEST"], max_event=180))
        byte_by_byte = [body[at : at + 1] for at in range(len(body))]
        for pieces in (cut_at(body, cuts), [body], byte_by_byte):
            assert unreasoned(read_in_pieces(pieces, IP)) == whole


@pytest.mark.parametrize("between", [b"", b" , ", b"\r\n"])
@pytest.mark.parametrize("host", ["plain", 'a "}{" b},{'])
@pytest.mark.parametrize("piece", [1 << 18, 1 << 23])
def test_no_event_of_a_long_body_is_lost_at_a_cut(between: bytes, host: str, piece: int) -> None:
    count = STRETCH // 80
    body = b"[" + between.join(event(srcHost=host, connID=str(n)) for n in range(count)) + b"]"
    receipt = Receipt()
    pieces = [body[at : at + piece] for at in range(0, len(body), piece)]
    batches = list(read_batches(pieces, IP, receipt, now=NOW))
    assert receipt.rejected == {}
    assert receipt.accepted == count
    places = [place for batch in batches for place in batch.column("connID").to_pylist()]
    assert places == [str(n) for n in range(count)]


@pytest.mark.parametrize(
    ("head", "reason"), [(b'{"a":"', Reason.TOO_LARGE), (b"\x00binary", Reason.MALFORMED)]
)
@pytest.mark.parametrize("piece", [1 << 16, 1 << 24])
def test_what_never_ends_counts_once_and_the_next_line_is_read(
    head: bytes, reason: Reason, piece: int
) -> None:
    body = event() + head + b"x" * (4 * STRETCH) + b"\n" + event()
    receipt = Receipt()
    pieces = [body[at : at + piece] for at in range(0, len(body), piece)]
    accepted = sum(batch.num_rows for batch in read_batches(pieces, IP, receipt, now=NOW))
    assert (accepted, receipt.rejected) == (2, {reason: 1})
    assert receipt.received == 3


def test_what_is_held_of_a_body_without_an_end_is_bounded() -> None:
    body = Stretches([b'{"a":"' + b"x" * 100, *[b"x" * 50_000] * 200])
    largest = 0
    for stretch in body:
        largest = max(largest, len(stretch))
    assert largest <= bodies.LONGEST
    assert body.rejected == {Reason.TOO_LARGE: 1}
    assert len(body._held) <= bodies.LONGEST


def test_blanks_alone_are_no_value_however_many() -> None:
    body = Stretches([b" ," * STRETCH, event()])
    assert read_in_pieces([b" ," * STRETCH, event()], IP).events
    assert body.rejected == {}


@given(BODIES, st.integers(1, 5))
@settings(max_examples=100, deadline=None)
def test_received_is_accepted_and_rejected(body: bytes, most: int) -> None:
    with patch.object(bodies, "MAX_BATCH_EVENTS", most):
        receipt = Receipt()
        batches = list(read_batches([body], IP, receipt, now=NOW))
    slow = read_body(body, IP, longest=1 << 20, max_event=values.MAX_EVENT)
    assert receipt.received == len(slow.events) + slow.rejected.total()
    assert receipt.received == receipt.accepted + sum(receipt.rejected.values())
    assert receipt.accepted == sum(batch.num_rows for batch in batches)
    assert all(0 < batch.num_rows <= most for batch in batches)


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
        batch.num_rows for batch in read_batches([event(**fields)], kind, receipt, now=NOW)
    )
    assert receipt.rejected == ({} if reason is None else {reason: 1})
    assert accepted == receipt.accepted == (1 if reason is None else 0)


def test_a_batch_has_65536_events_at_the_most() -> None:
    line = b'{"ts":1777636800,"srcIP":"192.0.2.1","destIP":"192.0.2.2"}\n'
    body = line * (MAX_BATCH_EVENTS + 10)
    receipt = Receipt()
    sizes = [batch.num_rows for batch in read_batches([body], IP, receipt, now=NOW)]
    assert sizes == [MAX_BATCH_EVENTS, 10]


def test_a_batch_ends_at_its_bytes_too() -> None:
    line = event(connID="x" * 900) + b"\n"
    with patch.multiple(bodies, STRETCH=10_000, MAX_BATCH_BYTES=50_000):
        pieces = [line] * 200
        sizes = [batch.num_rows for batch in read_batches(pieces, IP, Receipt(), now=NOW)]
    assert sum(sizes) == 200
    assert max(sizes) < 70


BODY = b"".join(json.dumps({"n": n}).encode() + b"\n" for n in range(3000))


def unzip(body: bytes, piece: int = 1 << 18) -> bytes:
    pieces = [body[at : at + piece] for at in range(0, len(body), piece)]
    return b"".join(inflated(pieces, "gzip"))


@pytest.mark.parametrize("piece", [1, 7, 4096, 1 << 20])
def test_gzip_of_one_member_or_many_is_read(piece: int) -> None:
    half = len(BODY) // 2
    assert unzip(gzip.compress(BODY), piece) == BODY
    assert unzip(gzip.compress(BODY[:half]) + gzip.compress(BODY[half:]), piece) == BODY
    assert unzip(gzip.compress(b"") * 3 + gzip.compress(BODY) + b"\0" * 100, piece) == BODY


@pytest.mark.parametrize("size", [STRETCH - 1, STRETCH, STRETCH + 1, 3 * STRETCH])
@pytest.mark.parametrize("level", [1, 9])
def test_gzip_ends_well_wherever_its_output_is_cut(size: int, level: int) -> None:
    assert unzip(gzip.compress(b"a" * size, level), 100) == b"a" * size


def test_an_empty_body_is_empty_whatever_its_header_says() -> None:
    assert unzip(b"") == b""
    assert unzip(b"\0" * 20) == b""


def test_a_broken_or_unfinished_gzip_body_is_refused() -> None:
    whole = gzip.compress(BODY)
    for cut in (1, 5, 9, 20, len(whole) // 2, len(whole) - 1):
        with pytest.raises(Unreadable, match="ends in the middle"):
            unzip(whole[:cut])
    for wrong in (BODY, whole + b"garbage" * 3, whole[:-5] + b"\xff" + whole[-4:]):
        with pytest.raises(Unreadable, match="broken"):
            unzip(wrong)


def test_a_bomb_is_inflated_no_further_than_the_cap() -> None:
    bomb = gzip.compress(b"\0" * (8 << 20), 9)
    taken: list[int] = []
    with patch.object(bodies, "MAX_INFLATED", 2 << 20), pytest.raises(TooLarge) as refusal:
        taken.extend(len(piece) for piece in inflated([bomb], "gzip"))
    assert max(taken) <= STRETCH
    assert sum(taken) <= 2 << 20
    assert refusal.value.status == 413


def test_another_encoding_is_415_and_named() -> None:
    with pytest.raises(Unreadable, match="'br'") as refusal:
        list(inflated([b"x"], "br"))
    assert refusal.value.status == 415


@pytest.mark.parametrize("encoding", ["", "identity"])
def test_a_plain_body_passes_as_it_is(encoding: str) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"a"
        yield b"b"

    assert b"".join(inflated(pieces(), encoding)) == b"ab"
