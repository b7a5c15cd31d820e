import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from analytics.detectors.contacts import contacts
from analytics.detectors.states import ConnState, Outcome, outcomes
from tests.analytics.detectors.series import pair_day, reordered


def outcome(
    state: ConnState, bytes_out: int, bytes_in: int, packets_in: int = -1, protocol: int = 6
) -> Outcome:
    return Outcome(
        outcomes(
            np.array([state], dtype=np.uint8),
            bytes_out=np.array([bytes_out]),
            bytes_in=np.array([bytes_in]),
            packets_in=np.array([packets_in]),
            protocols=np.array([protocol], dtype=np.uint8),
        )[0]
    )


@pytest.mark.parametrize("state", [ConnState.S0, ConnState.REJ, ConnState.RSTOS0, ConnState.SH])
def test_attempts_that_nobody_let_in_failed(state: ConnState) -> None:
    assert outcome(state, 0, 0) is Outcome.FAILED


@pytest.mark.parametrize("state", [ConnState.SF, ConnState.S1, ConnState.RSTO, ConnState.RSTR])
def test_opened_connections_are_answered_whatever_they_carried(state: ConnState) -> None:
    assert outcome(state, 0, 0) is Outcome.ANSWERED


@pytest.mark.parametrize("state", [ConnState.RSTRH, ConnState.SHR])
def test_half_a_capture_proves_nothing(state: ConnState) -> None:
    assert outcome(state, 0, 0) is Outcome.UNSEEN


def test_without_a_state_silence_is_failure_but_unknown_counts_are_not() -> None:
    assert outcome(ConnState.UNSET, 0, 0) is Outcome.FAILED
    assert outcome(ConnState.UNSET, 60, 0, packets_in=0) is Outcome.FAILED
    assert outcome(ConnState.UNSET, 60, 0) is Outcome.ANSWERED
    assert outcome(ConnState.UNSET, -1, -1) is Outcome.ANSWERED


def test_one_way_datagrams_are_neither() -> None:
    assert outcome(ConnState.S0, 120, 0, protocol=17) is Outcome.UNSEEN
    assert outcome(ConnState.S0, 0, 0, protocol=17) is Outcome.FAILED
    assert outcome(ConnState.OTH, 64, 64, protocol=1) is Outcome.ANSWERED
    assert outcome(ConnState.OTH, 64, 0, protocol=1) is Outcome.UNSEEN


def test_a_connection_is_its_earliest_row_its_best_outcome_and_its_longest_duration() -> None:
    made = contacts(
        pair_day(
            np.array([5.0, 5.0, 5.0, 9.0]),
            conn_ids=np.array([7, 7, 7, 0], dtype=np.uint64),
            bytes_out=np.array([300, 100, 200, 5]),
            durations=np.array([30.0, 10.0, np.nan, 1.0]),
            states=np.array(
                [ConnState.SF, ConnState.S1, ConnState.S0, ConnState.S1], dtype=np.uint8
            ),
        )
    )
    assert made.times.size == 2
    assert made.bytes_out.tolist() == [200, 5]
    assert made.durations.tolist() == [30.0, 1.0]
    assert made.outcomes.tolist() == [Outcome.ANSWERED, Outcome.ANSWERED]
    assert made.unfinished.tolist() == [False, True]


def test_rows_without_an_identity_stand_alone_even_when_equal() -> None:
    day = pair_day(np.array([1.0, 1.0, 1.0]), conn_ids=np.zeros(3, dtype=np.uint64))
    assert contacts(day).times.size == 3
    assert contacts(pair_day(np.array([1.0, 1.0]))).times.size == 2


def test_no_rows_are_no_contacts() -> None:
    assert contacts(pair_day(np.zeros(0))).times.size == 0


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 30))
def test_contacts_depend_on_the_set_of_rows_only(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    day = pair_day(
        rng.integers(0, 5, count).astype(float),
        conn_ids=rng.integers(0, 4, count).astype(np.uint64),
        bytes_out=rng.integers(-1, 3, count),
        durations=rng.choice([np.nan, 1.0, 2.0], count),
        states=rng.integers(0, 14, count).astype(np.uint8),
        ports=rng.integers(0, 3, count).astype(np.int32),
    )
    one, other = contacts(day), contacts(reordered(day, rng.permutation(count)))
    for name in ("times", "bytes_out", "outcomes", "durations", "volumes", "unfinished", "ports"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist()
