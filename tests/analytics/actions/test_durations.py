"""Durations as Go writes them."""

from datetime import timedelta

import pytest

from analytics.actions.durations import LONGEST, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3600s", 3600), ("1h30m", 5400), ("1.5h", 5400), ("500ms", 0.5), ("0", 0), ("0s", 0),
        (".5m", 30), ("1h0m0.25s", 3600.25), ("250us", 0.00025), ("3\N{MICRO SIGN}s", 0.000003),
    ],
)  # fmt: skip
def test_a_duration_is_the_sum_of_its_parts(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "s", "5", "-1s", "1s ", " 1s", "1d", "1h,1m", "1e3s", "\u0661s", "1s" * 100]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


def test_a_century_is_the_longest() -> None:
    assert parse_duration("999999999999h") == LONGEST
