"""Event times: every spelling is read alike, alone and in a column."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from analytics.ingest.reasons import Reason
from analytics.ingest.times import (
    EARLIEST,
    LATEST_AHEAD,
    SECOND,
    Spelling,
    read_time,
    read_times,
    render_time,
)
from tests.analytics.ingest.slow_reading import nanoseconds_of

NOW = nanoseconds_of(datetime(2026, 5, 1, 12, tzinfo=UTC))
INT64 = np.iinfo(np.int64)

OFFSETS = st.sampled_from(
    ["Z", "z", "UTC", "+02:00", "-0330", "+0000", "-23:59", "", "+24:00", "+1"]
)
STAMPS = st.builds(
    lambda year, month, day, hour, minute, second, mark, digits, offset: (
        f"{year:04d}-{month:02d}-{day:02d}{mark}{hour:02d}:{minute:02d}:{second:02d}"
        f"{digits}{offset}"
    ),
    st.sampled_from([0, 1, 1600, 1970, 1999, 2000, 2024, 2026, 2100, 2262, 9999]),
    st.integers(0, 13),
    st.integers(0, 32),
    st.integers(0, 25),
    st.integers(0, 61),
    st.integers(0, 61),
    st.sampled_from("Tt X"),
    st.one_of(st.just(""), st.from_regex(r"[.,][0-9]{0,12}", fullmatch=True)),
    OFFSETS,
)
SPELLINGS = st.one_of(
    STAMPS,
    st.text(max_size=40),
    st.from_regex(r"[0-9+\-:TZ. \x00]{0,36}", fullmatch=True),
    st.integers(),
    st.floats(),
    st.integers(-1, 2**64).map(str),
    st.sampled_from(["", "-", " ", "0001-01-01T00:00:00Z", "2026-05-01T12:00:00Z\x00"]),
)


def one_by_one(spellings: list[Spelling]) -> tuple[list[int], dict[int, Reason]]:
    """The column's twin: each alone, then the range that the contract gives."""
    times, rejected = [], {}
    for row, spelling in enumerate(spellings):
        value, reason = read_time(spelling)
        if reason is None and value < EARLIEST:
            reason = Reason.TS_INVALID
        if reason is None and value > NOW + LATEST_AHEAD:
            reason = Reason.TS_FUTURE
        times.append(value)
        if reason is not None:
            rejected[row] = reason
    return times, rejected


@given(st.lists(SPELLINGS, max_size=20))
@settings(max_examples=400, deadline=None)
def test_a_column_is_read_as_its_times_are_one_by_one(spellings: list[Spelling]) -> None:
    times, rejected = read_times(spellings, now=NOW)
    alone, reasons = one_by_one(spellings)
    assert dict(rejected) == reasons
    assert len(rejected) == len(reasons)
    for row, value in enumerate(alone):
        if row not in reasons:
            assert times[row] == value


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2026, 5, 2)).map(  # noqa: DTZ001 -- made aware below
        lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
    ),
    st.text("0123456789", max_size=12),
    st.integers(-23 * 60, 23 * 60),
    st.sampled_from(["T", "t", " "]),
    st.sampled_from(["", ":"]),
)
@settings(max_examples=200, deadline=None)
def test_a_moment_is_read_in_every_offset_and_to_the_nanosecond(
    moment: datetime, digits: str, offset: int, mark: str, colon: str
) -> None:
    there = moment.astimezone(timezone(timedelta(minutes=offset)))
    sign, (hours, minutes) = "-+"[offset >= 0], divmod(abs(offset), 60)
    text = f"{there:%Y-%m-%d}{mark}{there:%H:%M:%S}" + (f".{digits}" if digits else "")
    text += f"{sign}{hours:02d}{colon}{minutes:02d}"
    assert read_time(text) == (nanoseconds_of(moment, digits), None)


@pytest.mark.parametrize(
    ("spelling", "reason"),
    [
        ("1999-12-31T23:59:59.999999999Z", Reason.TS_INVALID),
        ("2000-01-01T00:00:00Z", None),
        ("2026-05-02T12:00:00Z", None),
        ("2026-05-02T12:00:00.000000001Z", Reason.TS_FUTURE),
        ("2024-02-29T00:00:00Z", None),
        ("2023-02-29T00:00:00Z", Reason.TS_INVALID),
        ("2000-02-29T00:00:00Z", None),
        ("2100-02-29T00:00:00Z", Reason.TS_INVALID),
        ("2026-13-01T00:00:00Z", Reason.TS_INVALID),
        ("2026-04-31T00:00:00Z", Reason.TS_INVALID),
        ("2026-05-01T24:00:00Z", Reason.TS_INVALID),
        ("9999-12-31T23:59:59Z", Reason.TS_FUTURE),
        ("0001-01-01T00:00:01Z", Reason.TS_INVALID),
        ("0000-01-01T00:00:00Z", Reason.TS_INVALID),
        ("0001-01-01T00:00:00Z", Reason.TS_MISSING),
        ("", Reason.TS_MISSING),
        (" - ", Reason.TS_MISSING),
        (None, Reason.TS_MISSING),
        ("yesterday", Reason.TS_INVALID),
        ("2026-05-01", Reason.TS_INVALID),
        ("2026-05-01T12:00:00Z\x00", Reason.TS_INVALID),
        ("2026-05-01T12:00:00Z\x00garbage", Reason.TS_INVALID),
        ("1_777_636_800", Reason.TS_INVALID),
        ("1" * 10_000, Reason.TS_INVALID),
        (10**4000, Reason.TS_INVALID),
        (float("nan"), Reason.TS_INVALID),
        (float("inf"), Reason.TS_INVALID),
        (0, Reason.TS_INVALID),
        (-5, Reason.TS_INVALID),
    ],
)
def test_what_is_no_time_of_ours_says_why(spelling: Spelling, reason: Reason | None) -> None:
    _, rejected = read_times([spelling], now=NOW)
    assert [each for _, each in rejected] == ([] if reason is None else [reason])


@pytest.mark.parametrize(
    "spelling",
    [
        1777636800,
        1777636800.0,
        1777636800_000,
        1777636800_000_000,
        1777636800_000_000_000,
        "1777636800",
        " 1777636800.0 ",
        "1777636800000",
        "1.7776368e9",
        "2026-05-01T12:00:00Z",
        "2026-05-01 12:00:00",
        "2026-05-01T12:00:00,000UTC",
        "2026-05-01T14:00:00+0200",
        "2026-05-01T11:59:60Z",
    ],
)
def test_a_number_is_seconds_or_less_by_its_magnitude(spelling: Spelling) -> None:
    times, rejected = read_times([spelling], now=NOW)
    assert (times.tolist(), rejected) == ([NOW], [])


@given(st.integers(EARLIEST // 1000, (NOW + LATEST_AHEAD) // 1000))
def test_a_float_of_seconds_is_read_to_the_microsecond_that_it_was_written_with(
    microseconds: int,
) -> None:
    seconds, rest = divmod(microseconds, 10**6)
    spelling = float(f"{seconds}.{rest:06d}")
    assert read_time(spelling) == (microseconds * 1000, None)


@given(st.integers(EARLIEST, NOW + LATEST_AHEAD))
def test_a_time_is_written_with_microseconds_and_read_back(nanoseconds: int) -> None:
    text = render_time(nanoseconds)
    assert text.endswith("Z")
    assert len(text) == len("2026-05-01T12:00:00.000000Z")
    assert read_time(text) == (nanoseconds // 1000 * 1000, None)


def test_no_times_are_read_as_none() -> None:
    times, rejected = read_times([], now=NOW)
    assert len(times) == 0
    assert rejected == []


def test_one_foreign_digit_does_not_spoil_the_other_rows() -> None:
    times, rejected = read_times(
        ["2026-05-01T12:00:00Z", "\u0662\u066026-05-01T12:00:00Z"], now=NOW
    )
    assert times[0] == NOW
    assert rejected == [(1, Reason.TS_INVALID)]
    assert INT64.min < times[0] < INT64.max
    assert times[0] % SECOND == 0
