import numpy as np
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from analytics.detectors.beacon.looks import PREFIXES, WINDOW, bursty, looks, spans


def taken(times: NDArray[np.float64]) -> list[tuple[float, tuple[int, ...]]]:
    return [(look.width, tuple(look.rows.tolist())) for look in looks(times)]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(6, 700), cut=st.integers(6, 700))
def test_a_complete_look_never_changes_as_later_contacts_come(
    seed: int, count: int, cut: int
) -> None:
    rng = np.random.default_rng(seed)
    times = np.cumsum(np.exp(rng.normal(3.0, 2.5, count)))
    assert set(taken(times[:cut])) <= set(taken(times))


def test_every_window_is_whole_and_the_grid_is_fixed() -> None:
    assert list(spans(5)) == []
    assert list(spans(9)) == [(0, 6), (0, 8)]
    assert [span for span in spans(450) if span[0]] == [(100, 300), (200, 400)]
    assert [last for first, last in spans(200) if first == 0] == list(PREFIXES)
    assert all(last - first == WINDOW for first, last in spans(5000) if first)


def test_a_busy_day_costs_a_bounded_number_of_looks() -> None:
    assert len(list(spans(86_400))) < 130


def test_bursts_are_merged_only_where_short_gaps_are_in_surplus() -> None:
    rng = np.random.default_rng(1)
    assert not bursty(rng.exponential(60.0, 200), 6.0)
    sessions = np.where(rng.random(200) < 0.7, 0.5, 300.0)
    assert bursty(sessions, 6.0)
