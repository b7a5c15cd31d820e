"""Columns of a batch: each field in its one form, each event that is none with its reason."""

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from analytics.ingest import memory
from analytics.ingest.batches import (
    NO_ADDRESS,
    addresses_of,
    times_of,
    to_batch,
)
from analytics.ingest.events import (
    DNS,
    HTTP,
    IP,
    KINDS,
    DnsEvent,
    Header,
    HttpEvent,
    IpEvent,
    Kind,
)
from analytics.ingest.memory import REMEMBERED_LENGTH, Memo
from analytics.ingest.reasons import Reason
from destinations import addresses, urls

NOW = 1_777_636_800 * 10**9  # 2026-05-01T12:00:00Z
SOUND: dict[str, Any] = {"ts": 1777636800, "srcIP": "192.0.2.1", "destIP": "2001:db8::1"}


def one(event: Header) -> dict[str, Any]:
    batch, rejected = to_batch([event], DNS if isinstance(event, DnsEvent) else IP, now=NOW)
    assert rejected == {}
    (row,) = batch.to_pylist()
    return dict(row)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_no_events_make_an_empty_batch_of_the_schema(kind: Kind) -> None:
    batch, rejected = to_batch([], kind, now=NOW)
    assert batch.schema == kind.schema
    assert (batch.num_rows, rejected) == (0, {})


def test_what_is_not_sent_is_unset() -> None:
    row = one(IpEvent(**SOUND))
    assert (row["srcPort"], row["bytesIn"], row["localOrig"], row["labels"]) == (-1, -1, -1, [])
    assert (row["proto"], row["connID"]) == ("", "")
    assert math.isnan(row["duration"])


def test_each_field_has_one_form() -> None:
    row = one(
        IpEvent(
            **SOUND,
            srcMac="00-AA-BB",
            srcHost="  Host \x07 ",
            proto=" TCP ",
            labels=("a", "-", " ", "b\x1ec"),
            duration=-0.0,
            localOrig=False,
            localResp=True,
            connID="-",
        )
    )
    assert row["srcMac"] == "00-aa-bb"
    assert row["srcHost"] == "Host \\x07"
    assert row["proto"] == "tcp"
    assert row["labels"] == ["a", "b\\x1ec"]
    assert math.copysign(1, row["duration"]) == 1
    assert (row["localOrig"], row["localResp"], row["connID"]) == (0, 1, "")
    assert row["srcIP"] == addresses.parse("192.0.2.1")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Example.COM.", "example.com"),
        ("_dmarc.example.com", "_dmarc.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("a b", "a\\x20b"),
        ("a\x1fb", "a\\x1fb"),
        ("-", ""),
        ("", ""),
    ],
)
def test_a_name_has_one_form(sent: str, kept: str) -> None:
    assert one(DnsEvent(**SOUND, query=sent))["query"] == kept


@pytest.mark.parametrize("text", ["192.0.2.1", " ::ffff:192.0.2.1 ", "::FFFF:c000:201"])
def test_an_address_has_one_form(text: str) -> None:
    assert one(IpEvent(**{**SOUND, "srcIP": text}))["srcIP"] == addresses.parse("192.0.2.1")


def test_a_zone_is_cut_off_an_address() -> None:
    assert one(IpEvent(**{**SOUND, "srcIP": "fe80::1%eth0"}))["srcIP"] == addresses.parse("fe80::1")


SPOILT = st.sampled_from(
    [
        ({}, None),
        ({"ts": ""}, Reason.TS_MISSING),
        ({"ts": "x"}, Reason.TS_INVALID),
        ({"ts": 1999999999}, Reason.TS_FUTURE),
        ({"srcIP": " "}, Reason.SRC_MISSING),
        ({"srcIP": "x"}, Reason.SRC_INVALID),
        ({"destIP": "-"}, Reason.DEST_MISSING),
        ({"destIP": "x" * 70}, Reason.DEST_INVALID),
        ({"ts": "", "srcIP": "x", "destIP": "x"}, Reason.TS_MISSING),
        ({"srcIP": "x", "destIP": ""}, Reason.SRC_INVALID),
    ]
)


@given(st.lists(SPOILT, max_size=30))
@settings(deadline=None)
def test_sound_events_stay_in_order_and_the_others_are_counted_once(
    chosen: list[tuple[dict[str, object], Reason | None]],
) -> None:
    events = [
        IpEvent(**{**SOUND, **fields, "connID": str(n)}) for n, (fields, _) in enumerate(chosen)
    ]
    batch, rejected = to_batch(events, IP, now=NOW)
    sound = [str(n) for n, (_, reason) in enumerate(chosen) if reason is None]
    assert batch.column("connID").to_pylist() == sound
    reasons = [reason for _, reason in chosen if reason is not None]
    assert rejected == {reason: reasons.count(reason) for reason in reasons}


def test_columns_are_read_back_as_arrays_even_of_a_part() -> None:
    events = [IpEvent(**{**SOUND, "ts": 1777636800 + n, "srcIP": f"192.0.2.{n}"}) for n in range(5)]
    batch, _ = to_batch(events, IP, now=NOW)
    part = pa.concat_tables([batch.slice(1, 2), batch.slice(4, 1)])
    assert (times_of(part) // 10**9 - 1777636800).tolist() == [1, 2, 4]
    packed = [each.tobytes() for each in addresses_of(part, "srcIP")]
    assert packed == [addresses.parse(f"192.0.2.{n}") for n in (1, 2, 4)]
    assert addresses_of(batch.slice(0, 0), "srcIP").dtype == np.dtype("V16")


def test_the_memory_of_values_is_bounded_in_number_and_in_length(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def compute(text: str) -> str:
        asked.append(text)
        return text.upper()

    monkeypatch.setattr(memory, "REMEMBERED", 3)
    memo: Memo[str] = Memo(compute)
    for text in "abcabcd":
        assert memo[text] == text.upper()
        assert len(memo) <= 3
    assert asked == ["a", "b", "c", "d"]
    long = "x" * (REMEMBERED_LENGTH + 1)
    assert memo[long] == long.upper()
    assert long not in memo


def test_an_address_that_is_not_needed_may_be_missing() -> None:
    row = one(DnsEvent(ts=1777636800, srcIP="192.0.2.1", query="a.example"))
    assert row["destIP"] == NO_ADDRESS


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("http://www.example.comwww.example.com:443", "https://www.example.com"),
        ("http://www.example.comwww.example.com:8443", "https://www.example.com:8443"),
        ("http://192.0.2.1192.0.2.1:443", "https://192.0.2.1"),
        ("www.example.com:443", "https://www.example.com"),
        ("https://www.example.com:8443", "https://www.example.com:8443"),
        ("http://[2001:db8::1]:443", "https://[2001:db8::1]"),
        ("https://www.example.com/", "https://www.example.com"),
    ],
)
def test_a_tunnel_has_one_form_however_it_was_asked_for(sent: str, stored: str) -> None:
    at: dict[str, Any] = {"ts": 1777636800, "srcIP": "192.0.2.1", "url": sent}
    batch, rejected = to_batch(
        [HttpEvent(**at, method="connect"), HttpEvent(**at, method="GET")], HTTP, now=NOW
    )
    assert rejected == {}
    assert batch.column("url").to_pylist() == [stored, urls.normalise(sent)]
