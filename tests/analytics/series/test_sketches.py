"""Sketches of distinct sources: close enough, and the same in whatever order they are merged."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from analytics.series import sketches
from crypto import mac

HASHES = st.lists(st.integers(0, 2**64 - 1), max_size=50).map(
    lambda each: np.array(each, dtype=np.uint64)
)


def hashes(first: int, count: int) -> np.ndarray:
    return mac.tags64(
        b"k" * 32, (number.to_bytes(16, "big") for number in range(first, first + count))
    )


@pytest.mark.parametrize("count", [0, 1, 2, 10, 100, 1_000, 5_000, 20_000, 60_000])
def test_the_estimate_is_within_five_standard_errors(count: int) -> None:
    estimate = sketches.estimate(sketches.sketch(hashes(0, count)))
    assert abs(estimate - count) <= max(count * 5 * 0.016, count > 20)


@given(HASHES, HASHES, HASHES)
@settings(deadline=None)
def test_merging_is_a_union_in_any_order(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> None:
    one, two, three = (sketches.sketch(each) for each in (a, b, c))
    union = sketches.sketch(np.concatenate((a, b, c)))
    merge = sketches.merge
    assert (merge(merge(one, two), three) == union).all()
    assert (merge(three, merge(two, one)) == union).all()
    assert (merge(one, one) == one).all()
    assert (merge(one, sketches.empty()) == one).all()


@given(HASHES)
@settings(deadline=None)
def test_a_register_holds_the_longest_run_of_zeros(numbers: np.ndarray) -> None:
    slow = [0] * sketches.REGISTERS
    for number in numbers.tolist():
        index, rest = number >> (64 - sketches.BITS), (number << sketches.BITS) & (2**64 - 1)
        rank = next((n for n in range(1, 53) if rest >> (64 - n) & 1), 53)
        slow[index] = max(slow[index], rank)
    assert sketches.sketch(numbers).tolist() == slow


def test_sources_seen_again_change_nothing() -> None:
    once, twice = hashes(0, 500), np.tile(hashes(0, 500), 2)
    assert (sketches.sketch(once) == sketches.sketch(twice)).all()
