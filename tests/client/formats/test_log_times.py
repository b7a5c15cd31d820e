"""A log's time keeps every digit of it that an event can hold."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings, strategies as st

from tawny.formats import Unmappable
from tawny.formats.times import Clockface


def obvious(text: str) -> str:
    """Convert with exact arithmetic, one time after the other."""
    value = Decimal(text)
    seconds = int(value)
    digits = text.partition(".")[2][:9]
    stamp = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{stamp}.{digits}Z" if digits else f"{stamp}Z"


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("1713484795.943239", "2024-04-18T23:59:55.943239Z"),
        ("1713484795", "2024-04-18T23:59:55Z"),
        ("1713484795.000001", "2024-04-18T23:59:55.000001Z"),
        ("1714867270.9132699966", "2024-05-05T00:01:10.913269996Z"),
        ("1714867270.123456789", "2024-05-05T00:01:10.123456789Z"),
        ("19.981745", "1970-01-01T00:00:19.981745Z"),
        ("1.713484795943239e9", "2024-04-18T23:59:55.943239Z"),
        ("1713484795943", "2024-04-18T23:59:55.943Z"),
        ("2018-03-24T17:15:20.865716Z", "2018-03-24T17:15:20.865716Z"),
        ("2018-03-24T17:15:20Z", "2018-03-24T17:15:20Z"),
        ("2018-03-24T17:15:20.1234567891Z", "2018-03-24T17:15:20.123456789Z"),
        ("2018-03-24T19:15:20.865716+0200", "2018-03-24T17:15:20.865716Z"),
        ("2018-03-24T13:45:20.5-03:30", "2018-03-24T17:15:20.5Z"),
        ("2018-03-24T17:15:20.865716", "2018-03-24T17:15:20.865716Z"),
    ],
)
def test_a_time_keeps_its_digits_down_to_the_nanosecond(text: str, time: str) -> None:
    assert Clockface()(text) == time


@pytest.mark.parametrize(
    "text",
    [
        "", ".", "-1.5", "1.2.3", "nan", "Infinity", "1e40", "99999999999999999999", "yesterday",
        "2018-13-24T17:15:20Z", "2018-02-30T17:15:20Z", "2018-03-24T25:15:20Z", "2018-03-24",
        "0001-01-01T00:00:00+12:00", "²", "1713484795.٣", "1713484795.-5", "1 713", "1_0", "{}",
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Unmappable, match="ts_invalid"):
        Clockface()(text)


@settings(deadline=None)
@given(st.integers(0, 4_102_444_800), st.text("0123456789", max_size=12))
def test_every_epoch_is_that_of_exact_arithmetic(seconds: int, digits: str) -> None:
    text = f"{seconds}.{digits}" if digits else str(seconds)
    assert Clockface()(text) == obvious(text)


@settings(deadline=None)
@given(st.integers(0, 4_102_444_800 * 10**6))
def test_a_double_of_microseconds_written_shortest_loses_none(microseconds: int) -> None:
    seconds, rest = divmod(microseconds, 10**6)
    time = Clockface()(repr(microseconds / 10**6))
    expected = obvious(f"{seconds}.{rest:06d}")
    assert time.rstrip("Z").rstrip("0").rstrip(".") == expected.rstrip("Z").rstrip("0").rstrip(".")


OPENED = 1_488_980_824  # 2017-03-08T13:47:04Z


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("0", "2017-03-08T13:47:04Z"),
        ("0.000000", "2017-03-08T13:47:04.000000Z"),
        ("19.981740", "2017-03-08T13:47:23.981740Z"),
        ("3023.5", "2017-03-08T14:37:27.5Z"),
        ("19.9132699966", "2017-03-08T13:47:23.913269996Z"),
        ("1.9981745e1", "2017-03-08T13:47:23.981745Z"),
        ("1970-01-01T00:00:19.5Z", "2017-03-08T13:47:23.5Z"),
        ("1970-01-01T01:00:19+0100", "2017-03-08T13:47:23Z"),
        ("315532799", "2027-03-08T13:47:03Z"),
        ("315532800", "1980-01-01T00:00:00Z"),
        ("1713484795.943239", "2024-04-18T23:59:55.943239Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ],
)
def test_a_time_before_1980_is_an_offset_from_the_opening(text: str, time: str) -> None:
    clock = Clockface()
    clock.count_from(OPENED)
    assert clock(text) == time
    assert clock.clockless == (time[:4] in {"2017", "2027"})


def test_another_opening_moves_early_times_and_no_others() -> None:
    clock = Clockface()
    told = []
    for opening in (None, OPENED, OPENED + 3600, 20, None):
        clock.count_from(opening)
        told.append((clock("1.5"), clock("1713484795.5")))
    late = "2024-04-18T23:59:55.5Z"
    assert told == [
        ("1970-01-01T00:00:01.5Z", late),
        ("2017-03-08T13:47:05.5Z", late),
        ("2017-03-08T14:47:05.5Z", late),
        ("1970-01-01T00:00:01.5Z", late),
        ("1970-01-01T00:00:01.5Z", late),
    ]
    assert clock.clockless


@settings(deadline=None)
@given(st.integers(0, 315_532_799), st.integers(315_532_800, 4_102_444_800))
def test_distances_between_early_times_are_kept(seconds: int, opening: int) -> None:
    clock = Clockface()
    clock.count_from(opening)
    assert clock(f"{seconds}.25") == obvious(f"{seconds + opening}.25")


def test_the_clockface_stays_small_over_a_long_log() -> None:
    clock = Clockface()
    for minute in range(20_000):
        clock(str(1_700_000_000 + 60 * minute))
    assert 0 < len(clock._minutes) <= 8192
