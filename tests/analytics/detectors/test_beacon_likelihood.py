import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from analytics.detectors.beacon.aperiodic import aperiodic_log_likelihood
from analytics.detectors.beacon.hypotheses import LAGS, MISSES, NOISES, differences
from analytics.detectors.beacon.likelihood import score_look
from analytics.detectors.beacon.marks import size_marks
from analytics.detectors.beacon.renewal import forward, gap_densities
from tests.analytics.detectors.series import beats
from tests.oracles import (
    beacon_likelihood_by_loops,
    beacon_likelihood_of_all_subsets,
    exponential_log_likelihood,
)

few = settings(max_examples=25, deadline=None)


def places(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    gaps = rng.exponential(1.0, count - 1) + 0.01
    times = np.concatenate(([0.0], np.cumsum(gaps)))
    scaled: NDArray[np.float64] = times * (count - 1) / times[-1]
    return scaled


def fast(
    times: NDArray[np.float64],
    *,
    period: float,
    jitter: float,
    noise: float,
    weights: NDArray[np.float64],
    noise_total: float = 0.0,
) -> dict[float, float]:
    n = times.size
    densities = gap_densities(differences(times), np.array([period]), np.array([jitter]))
    sums = forward(densities, weights[None, :], np.array([noise]))[0]
    constant = math.log(1 - noise) + (n - 1) * math.log(noise) - noise * (n - 1)
    return dict(zip(MISSES.tolist(), (sums + constant + noise_total).tolist(), strict=True))


@few
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(4, 9),
    period=st.floats(0.3, 3.0),
    jitter=st.sampled_from([0.012, 0.04, 0.1, 0.22, 0.35, 0.52]),
    noise=st.sampled_from(NOISES.tolist()),
)
def test_the_recursion_is_the_sum_over_every_choice_of_beats(
    seed: int, count: int, period: float, jitter: float, noise: float
) -> None:
    rng = np.random.default_rng(seed)
    times = places(rng, count)
    beat, other = rng.normal(0, 1, (2, count))
    found = fast(
        times,
        period=period,
        jitter=jitter,
        noise=noise,
        weights=beat - other,
        noise_total=other.sum(),
    )
    for miss, value in found.items():
        slow = beacon_likelihood_of_all_subsets(
            times.tolist(),
            period=period,
            jitter=jitter,
            miss=miss,
            noise=noise,
            beat_marks=beat.tolist(),
            noise_marks=other.tolist(),
        )
        assert value == pytest.approx(slow, abs=1e-3)


@few
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(13, 90),
    jitter=st.sampled_from([0.04, 0.22, 0.52]),
    noise=st.sampled_from(NOISES.tolist()),
)
def test_long_looks_neither_overflow_nor_lose_precision(
    seed: int, count: int, jitter: float, noise: float
) -> None:
    times = places(np.random.default_rng(seed), count)
    found = fast(times, period=1.3, jitter=jitter, noise=noise, weights=np.zeros(count))
    for miss, value in found.items():
        slow = beacon_likelihood_by_loops(
            times.tolist(), period=1.3, jitter=jitter, miss=miss, noise=noise, lags=LAGS
        )
        assert value == pytest.approx(slow, abs=1e-2)


@few
@given(
    seed=st.integers(0, 10**6),
    shift=st.floats(-1e6, 1e6),
    scale=st.floats(1e-2, 1e3),
    count=st.integers(6, 40),
)
def test_shift_and_scale_of_time_change_nothing(
    seed: int, shift: float, scale: float, count: int
) -> None:
    times = places(np.random.default_rng(seed), count) * 100.0
    one = score_look(times)
    other = score_look(shift + scale * times)
    assert one is not None
    assert other is not None
    assert other.score == pytest.approx(one.score, abs=0.05)
    assert other.period == pytest.approx(one.period * scale, rel=0.05)


@few
@given(period=st.floats(0.5, 1e4), count=st.integers(12, 60))
def test_a_metronome_is_certain_and_its_period_is_right(period: float, count: int) -> None:
    found = score_look(period * np.arange(count, dtype=np.float64))
    assert found is not None
    assert found.score > 30.0
    assert found.period == pytest.approx(period, rel=0.02)


def test_three_terms_are_the_whole_score() -> None:
    rng = np.random.default_rng(4)
    times = beats(rng, period=60.0, jitter=0.2, count=40)
    found = score_look(times, [rng.normal(6, 1, times.size)])
    assert found is not None
    assert found.score == found.timing + found.association + found.search
    assert found.search <= 0.0


def test_thinning_a_beacon_costs_nats_but_does_not_hide_it() -> None:
    rng = np.random.default_rng(5)
    times = beats(rng, period=300.0, jitter=0.1, count=120)
    whole = score_look(times)
    thinned = score_look(times[rng.random(times.size) > 0.3])
    assert whole is not None
    assert thinned is not None
    assert 10.0 < thinned.score < whole.score
    assert thinned.miss == 0.3


def test_constant_sizes_earn_nothing() -> None:
    rng = np.random.default_rng(6)
    times = np.cumsum(rng.exponential(60.0, 60))
    alone = score_look(times)
    constant = score_look(times, [np.full(60, 6.0), np.full(60, 7.0)])
    assert alone == constant


def test_two_valued_sizes_that_ignore_the_beat_earn_nothing_to_speak_of() -> None:
    rng = np.random.default_rng(7)
    times = np.cumsum(rng.exponential(60.0, 80))
    sizes = np.where(rng.random(80) < 0.5, 6.0, 9.0)
    alone = score_look(times)
    marked = score_look(times, [sizes])
    assert alone is not None
    assert marked is not None
    assert marked.score < alone.score + 5.0


def test_sizes_that_follow_the_beat_lift_a_beacon_out_of_noise() -> None:
    rng = np.random.default_rng(8)
    beat = beats(rng, period=300.0, jitter=0.5, count=60)
    noise = rng.uniform(beat[0], beat[-1], 60)
    times = np.concatenate((beat, noise))
    sizes = np.concatenate((np.full(60, 6.0), rng.normal(7, 1.5, 60)))
    order = np.argsort(times)
    alone = score_look(times[order])
    marked = score_look(times[order], [sizes[order]])
    assert alone is not None
    assert marked is not None
    assert marked.association > 10.0
    assert marked.score > alone.score + 10.0


def test_silent_directions_give_no_marks() -> None:
    assert size_marks([], NOISES) is None
    assert size_marks([np.full(20, 6.0)], NOISES) is None


@few
@given(st.lists(st.floats(0.01, 10.0), min_size=5, max_size=60))
def test_the_aperiodic_side_is_at_least_exponential(gaps: list[float]) -> None:
    assert aperiodic_log_likelihood(np.array(gaps)) >= exponential_log_likelihood(gaps) - 1e-9


@pytest.mark.parametrize("times", [[], [0.0] * 5, [1.0] * 8])
def test_too_few_contacts_or_no_span_give_no_score(times: list[float]) -> None:
    assert score_look(np.array(times, dtype=np.float64)) is None
