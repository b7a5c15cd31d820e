"""A request in the inbox decodes again to what was counted when it was accepted."""

import gzip
import json
import os
import zlib
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings, strategies as st

from analytics.ingest import bodies, parts
from analytics.ingest.bodies import Receipt
from analytics.ingest.encodings import zstd
from analytics.ingest.events import HTTP, IP, LEASE
from analytics.ingest.parts import Part, pack_parts, read_part
from analytics.ingest.reasons import TooLarge, Unreadable

NOW = 1_777_636_800 * 10**9  # 2026-05-01T12:00:00Z
ENCODE: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "identity": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstd.compress,
}


def event(number: int, **fields: Any) -> bytes:
    return json.dumps(
        {"ts": 1777636800 + number, "srcIP": "192.0.2.1", "destIP": "192.0.2.2", **fields}
    ).encode()


def packed(body: bytes, encoding: str = "", *, step: int = 1 << 16) -> tuple[list[Part], Receipt]:
    sent, receipt = ENCODE[encoding](body), Receipt()
    pieces = (sent[start : start + step] for start in range(0, len(sent), step))
    return list(pack_parts(pieces, encoding, IP, receipt, now=NOW)), receipt


def times(made: list[Part]) -> list[int]:
    return [ts // 10**9 for part in made for ts in read_part(part.payload, IP)[0]["ts"].to_pylist()]


@pytest.mark.parametrize("encoding", ENCODE)
def test_what_was_counted_is_read_again_and_nothing_else(encoding: str) -> None:
    lines = [event(1), b"no json", event(2, destIP="x"), event(3, nosuch=1, other=2), b"{}"]
    made, receipt = packed(b"\n".join(lines), encoding)
    assert (receipt.accepted, receipt.rejected) == (
        2, {"malformed": 1, "dest_invalid": 1, "ts_missing": 1},
    )  # fmt: skip
    batch, ignored = read_part(made[0].payload, IP)
    assert times(made) == [1777636801, 1777636803]
    assert batch.num_rows == made[0].events == 2
    assert ignored == {"nosuch": 1, "other": 1}


def test_a_future_is_judged_by_the_time_of_receipt() -> None:
    made, receipt = packed(event(86_400) + event(86_402))
    assert (receipt.accepted, receipt.rejected) == (1, {"ts_future": 1})
    assert times(made) == [1777636800 + 86_400]


@pytest.mark.parametrize("encoding", ENCODE)
def test_a_request_without_an_event_that_is_taken_has_no_part(encoding: str) -> None:
    assert packed(b'{"ts":1}\n[]\nx', encoding)[0] == []


def test_a_compressed_request_is_kept_as_it_came() -> None:
    body = b"\n".join(event(number) for number in range(100))
    (part,), _ = packed(body, "gzip")
    assert gzip.compress(body)[20:] in part.payload


def test_a_large_compressed_request_is_kept_in_parts_all_the_same() -> None:
    body = b"\n".join(event(number) for number in range(100))
    with (
        patch.object(parts, "MAX_BATCH_EVENTS", 40),
        patch.multiple(bodies, STRETCH=1000, LONGEST=2000),
    ):
        made, receipt = packed(body, "gzip", step=64)
        assert [part.events <= 40 for part in made] == [True] * len(made)
        assert len(made) > 2
    assert (receipt.accepted, times(made)) == (100, [1777636800 + n for n in range(100)])


def test_what_waits_open_is_bounded() -> None:
    body = b"\n".join(event(number) for number in range(100))
    with patch.object(parts, "MAX_WAITING", 2000), patch.multiple(bodies, STRETCH=500, LONGEST=900):
        (part,), _ = packed(body, "gzip", step=64)
    assert gzip.compress(body)[20:60] not in part.payload
    assert times([part]) == [1777636800 + n for n in range(100)]


def test_a_body_that_breaks_off_is_no_request() -> None:
    sent = gzip.compress(event(1) * 1000)[:-9]
    with pytest.raises(Unreadable):
        list(pack_parts([sent], "gzip", IP, Receipt(), now=NOW))


@given(
    st.lists(
        st.sampled_from([event(1), event(2, x="}{"), b"", b"[", b"]", b",", b"x", b'{"a":', b"\n"]),
        max_size=30,
    ),
    st.sampled_from(sorted(ENCODE)),
    st.integers(1, 40),
    st.integers(1, 6),
)
@settings(max_examples=150)
def test_however_it_came_and_was_cut_the_same_events_are_read(
    pieces: list[bytes], encoding: str, step: int, most: int
) -> None:
    body = b"".join(pieces)
    with (
        patch.object(parts, "MAX_BATCH_EVENTS", most),
        patch.multiple(bodies, STRETCH=200, LONGEST=700),
    ):
        made, receipt = packed(body, encoding, step=step)
        plain, counted = packed(body)
        assert (times(made), receipt.rejected) == (times(plain), counted.rejected)
        assert receipt.accepted == len(times(made)) == sum(part.events for part in made)


def test_another_kind_is_packed_alike() -> None:
    line = b'{"ts":1777636800,"srcIP":"192.0.2.1","url":"http://a.example/%d"}'
    body = b"".join(line % number for number in range(3))
    (part,) = pack_parts([body], "", HTTP, Receipt(), now=NOW)
    assert read_part(part.payload, HTTP)[0]["url"].to_pylist() == [
        f"http://a.example/{number}" for number in range(3)
    ]


def test_an_incompressible_body_of_nothing_is_not_kept() -> None:
    garbage = os.urandom(1 << 20).replace(b"{", b"x")
    packer = parts._Packer(received=NOW, encoding="gzip")
    with patch.object(parts, "MAX_WAITING", 1 << 18):
        for _ in packer.note(garbage[at : at + 65_536] for at in range(0, 1 << 20, 65_536)):
            assert sum(map(len, packer.arrived)) <= (1 << 18) + 65_536
    assert packer.arrived == []


def test_a_request_has_an_end_of_values() -> None:
    with patch.object(parts, "MAX_VALUES", 5):
        assert packed(b"{}" * 5)[1].received == 5
        with pytest.raises(TooLarge, match="5 values"):
            packed(b"{}" * 6)
        with pytest.raises(TooLarge):
            packed(event(1) * 6)


def test_no_request_of_events_that_can_be_taken_has_too_many_values() -> None:
    shortest = b'{"ts":1e9,"srcIP":"::"}'
    (part,) = pack_parts([shortest], "", LEASE, Receipt(), now=NOW)
    assert part.events == 1
    assert bodies.MAX_INFLATED // len(shortest) < parts.MAX_VALUES
