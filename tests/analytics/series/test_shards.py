"""Shards and windows: a source lives in one shard, a time in one hour."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
from hypothesis import given, strategies as st

from analytics.ingest.events import IP
from analytics.series.shards import (
    HOUR,
    SHARDS,
    day_of,
    day_start,
    hours_of,
    moment,
    nanoseconds,
    shards_of,
)

TIMES = st.integers(946_684_800 * 10**9, 4_102_444_800 * 10**9)


def test_a_source_lives_in_one_shard_and_sources_are_spread() -> None:
    packed = [bytes(12) + (number % 400).to_bytes(4, "big") for number in range(1200)]
    table = pa.table({"srcIP": pa.array(packed, IP.schema.field("srcIP").type)})
    shards = shards_of(table, key=b"k" * 32).tolist()
    lived: dict[bytes, set[int]] = defaultdict(set)
    for source, shard in zip(packed, shards, strict=True):
        lived[source].add(shard)
    assert all(len(each) == 1 for each in lived.values())
    counts = np.bincount(shards, minlength=SHARDS)
    assert len(counts) == SHARDS
    assert counts.min() > 200
    assert shards_of(table, key=b"l" * 32).tolist() != shards


@given(TIMES)
def test_an_hour_holds_its_times(time: int) -> None:
    start = int(hours_of(np.array([time]))[0])
    assert start <= time < start + HOUR
    assert moment(start).replace(minute=0, second=0, microsecond=0) == moment(start)
    assert nanoseconds(moment(start)) == start


@given(TIMES)
def test_moments_are_exact_to_the_microsecond(time: int) -> None:
    assert nanoseconds(moment(time)) == time // 1000 * 1000


def test_a_day_is_a_day_of_utc() -> None:
    late = datetime(2026, 5, 1, 23, 30, tzinfo=timezone(timedelta(hours=-2)))
    assert day_of(late) == date(2026, 5, 2)
    assert day_start(date(2026, 5, 2)) == datetime(2026, 5, 2, tzinfo=UTC)
