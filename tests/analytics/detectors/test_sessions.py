import numpy as np
import pytest
from hypothesis import given, strategies as st

from analytics.detectors import sessions
from analytics.detectors.directions import Direction
from analytics.detectors.explanation import Finding
from analytics.detectors.states import ConnState
from tests.analytics.detectors.series import pair_day
from tests.oracles import longest_by_connection

HOUR = 3600.0


def session(
    hours: float, *, direction: Direction = Direction.OUT, state: ConnState = ConnState.SF
) -> Finding | None:
    day = pair_day(np.array([0.0]), durations=hours * HOUR, state=state)
    return sessions.detect(day, direction=direction)


def scored(hours: float, *, direction: Direction = Direction.OUT) -> tuple[int, int]:
    finding = session(hours, direction=direction)
    assert finding is not None
    return finding.score, finding.severity


@pytest.mark.parametrize(
    ("hours", "score", "severity"),
    [(1, 2000, 1), (2.5, 3000, 1), (4, 4000, 2), (8, 6000, 2), (10, 7000, 2), (12, 8000, 3)],
)
def test_thresholds_give_their_points_and_severity(hours: float, score: int, severity: int) -> None:
    finding = session(hours)
    assert finding is not None
    assert (finding.score, finding.severity) == (score, severity)
    assert sum(c.points for c in finding.explanation.contributions) == score


def test_past_the_last_threshold_the_score_stays() -> None:
    assert scored(75) == scored(12) == (8000, 3)


def test_a_session_that_stays_inside_or_comes_from_outside_is_at_most_low() -> None:
    assert scored(75, direction=Direction.IN) == (8000, 2)
    assert scored(75, direction=Direction.INSIDE) == (8000, 2)


def test_under_an_hour_is_nothing() -> None:
    assert session(0.99) is None


@pytest.mark.parametrize("state", [ConnState.S0, ConnState.REJ, ConnState.RSTRH])
def test_failed_connections_never_count(state: ConnState) -> None:
    assert session(20, state=state) is None


@given(st.lists(st.tuples(st.integers(1, 4), st.floats(HOUR, 20 * HOUR)), min_size=1, max_size=12))
def test_snapshots_are_grouped_and_the_longest_decides(rows: list[tuple[int, float]]) -> None:
    day = pair_day(
        np.array([100.0 * connection for connection, _ in rows]),
        conn_ids=np.array([connection for connection, _ in rows], dtype=np.uint64),
        durations=np.array([duration for _, duration in rows]),
        state=ConnState.S1,
    )
    finding = sessions.detect(day, direction=Direction.OUT)
    assert finding is not None
    assert finding.evidence["longest_s"] == pytest.approx(longest_by_connection(rows), rel=1e-5)
    assert finding.count == len({connection for connection, _ in rows})
    assert finding.evidence["unfinished"] == 1


def test_short_connections_do_not_add_up_to_a_long_one_but_their_sum_is_told() -> None:
    day = pair_day(1000.0 * np.arange(10), durations=1800.0)
    assert sessions.detect(day, direction=Direction.OUT) is None
    mixed = pair_day(1000.0 * np.arange(2), durations=np.array([HOUR, 1800.0]))
    finding = sessions.detect(mixed, direction=Direction.OUT)
    assert finding is not None
    assert finding.evidence["total_s"] == 5400.0


def test_buckets_are_vectorised_and_unset_is_none() -> None:
    hours = np.array([0.5, 1.0, 5.0, 8.0, 13.0, np.nan]) * HOUR
    assert sessions.buckets(hours).tolist() == [0, 1, 2, 3, 4, 0]
