"""Pairs of a day: rows grouped by source and destination, and the direction of each."""

from collections import defaultdict
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings, strategies as st

from analytics.detectors.states import ConnState
from analytics.ingest.events import IP
from analytics.series.pairs import COLUMNS, PROTOCOLS, codes_of, pairs_of, words
from destinations import addresses
from destinations.networks import DEFAULT_HOME, Direction, direction

SCHEMA = pa.schema([IP.schema.field(name) for name in COLUMNS])
ADDRESSES = st.sampled_from(
    [
        addresses.parse(each)
        for each in ("10.0.0.1", "10.0.0.2", "192.0.2.9", "2001:db8::1", "fd00::1")
    ]
)
ROWS = st.fixed_dictionaries(
    {
        "ts": st.integers(0, 9),
        "srcIP": ADDRESSES,
        "destIP": ADDRESSES,
        "destPort": st.sampled_from([-1, 53, 443]),
        "proto": st.sampled_from(["tcp", "udp", "icmp", "", "esp"]),
        "bytesIn": st.integers(-1, 5),
        "bytesOut": st.integers(-1, 5),
        "pktsIn": st.integers(-1, 5),
        "duration": st.sampled_from([0.0, 1.5]),
        "connState": st.sampled_from(["SF", "S0", "", "odd"]),
        "connID": st.sampled_from(["", "a", "b"]),
        "localOrig": st.sampled_from([-1, -1, 0, 1]),
        "localResp": st.sampled_from([-1, -1, 0, 1]),
    }
)


def table_of(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.table({name: [row[name] for row in rows] for name in COLUMNS}, schema=SCHEMA)


def word_of(rows: list[dict[str, Any]], flag: str) -> bool | None:
    said = {row[flag] for row in rows} - {-1}
    return None if not said else max(said) == 1


@given(st.lists(ROWS, max_size=25))
@settings(max_examples=150, deadline=None)
def test_rows_are_grouped_as_a_dictionary_would(rows: list[dict[str, Any]]) -> None:
    slow: dict[tuple[bytes, bytes], list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        slow[row["srcIP"], row["destIP"]].append(number)
    pairs = pairs_of(table_of(rows), home=DEFAULT_HOME)
    keys = list(zip(pairs.sources, pairs.destinations, strict=True))
    assert keys == sorted(slow)
    for pair, key in enumerate(keys):
        numbers = pairs.rows_of(pair).tolist()
        assert sorted(numbers) == slow[key]
        start, end = pairs.offsets[pair : pair + 2]
        of_pair = [rows[number] for number in numbers]
        assert pairs.rows.times[start:end].tolist() == [row["ts"] for row in of_pair]
        assert pairs.rows.ports[start:end].tolist() == [row["destPort"] for row in of_pair]
        assert pairs.rows.bytes_out[start:end].tolist() == [row["bytesOut"] for row in of_pair]
        assert pairs.rows.states[start:end].tolist() == [
            ConnState[row["connState"]] if row["connState"] in {"SF", "S0"} else 0
            for row in of_pair
        ]
        assert pairs.rows.protocols is not None
        assert pairs.rows.protocols[start:end].tolist() == [
            PROTOCOLS.get(row["proto"], 0) for row in of_pair
        ]
        assert pairs.directions[pair] is direction(
            *key, DEFAULT_HOME, word_of(of_pair, "localOrig"), word_of(of_pair, "localResp")
        )


@given(st.lists(ROWS, min_size=1, max_size=12), st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_the_order_of_rows_changes_no_pair(rows: list[dict[str, Any]], random: Any) -> None:
    shuffled = rows[:]
    random.shuffle(shuffled)
    one, other = (pairs_of(table_of(each), home=DEFAULT_HOME) for each in (rows, shuffled))
    assert one.sources == other.sources
    assert one.destinations == other.destinations
    assert one.directions == other.directions
    assert one.offsets.tolist() == other.offsets.tolist()


def test_the_sensors_word_beats_the_networks_even_where_one_row_has_it() -> None:
    row = {
        "ts": 1, "srcIP": addresses.parse("192.0.2.9"), "destIP": addresses.parse("10.0.0.1"),
        "destPort": 1, "proto": "", "bytesIn": -1, "bytesOut": -1, "pktsIn": -1, "duration": 0.0,
        "connState": "", "connID": "", "localOrig": -1, "localResp": -1,
    }  # fmt: skip
    assert pairs_of(table_of([row]), home=DEFAULT_HOME).directions == [Direction.IN]
    told = {**row, "localOrig": 1, "localResp": 0}
    for rows in ([row, told], [told, row], [told]):
        assert pairs_of(table_of(rows), home=DEFAULT_HOME).directions == [Direction.OUT]


@given(st.lists(st.sampled_from(["", "a", "b", "c", "known"]), max_size=20))
@settings(deadline=None)
def test_texts_become_numbers_of_their_own(texts: list[str]) -> None:
    table = pa.table({"connID": pa.array(texts, pa.string())})
    codes = codes_of(table, "connID", {"": 0, "known": 7}).tolist()
    for text, code in zip(texts, codes, strict=True):
        assert (code == 0) == (text == "")
        assert (code == 7) == (text == "known")
    assert len(set(codes)) == len(set(texts))
    other = codes_of(table, "connID", {"known": 7}, other=3).tolist()
    assert other == [7 if text == "known" else 3 for text in texts]


def test_an_address_is_two_words_in_numeric_order() -> None:
    packed = [addresses.parse(each) for each in ("192.0.2.1", "2001:db8::1", "::")]
    table = pa.table({"srcIP": pa.array(packed, pa.binary(16))})
    expected = [[int.from_bytes(each[:8]), int.from_bytes(each[8:])] for each in packed]
    assert words(table, "srcIP").tolist() == expected
    assert words(table, "srcIP").dtype == np.uint64
