from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from analytics.detectors import beacon, failed_contact
from analytics.detectors.contacts import PairDay
from analytics.detectors.directions import Direction
from analytics.detectors.explanation import Finding
from analytics.detectors.states import ConnState
from tests.analytics.detectors.series import beats, pair_day, reordered


def refused(times: NDArray[np.floating[Any]], *, ports: NDArray[np.int32] | int = 443) -> PairDay:
    return pair_day(times, state=ConnState.S0, bytes_out=0, bytes_in=0, ports=ports)


def out(day: PairDay, *, threshold: float = failed_contact.ALERT) -> Finding | None:
    return failed_contact.detect(day, direction=Direction.OUT, threshold=threshold)


def test_an_unanswered_caller_every_fourteen_seconds_is_found_and_is_no_plain_beacon() -> None:
    rng = np.random.default_rng(1)
    day = refused(beats(rng, period=14.0, jitter=0.2, count=237), ports=1177)
    finding = out(day)
    assert finding is not None
    assert finding.detection == "beacon_failed_contact"
    assert finding.severity == 3
    assert finding.count == 237
    assert finding.evidence["ports"] == "1177"
    assert finding.evidence["failed_share"] == 1.0
    assert sum(c.points for c in finding.explanation.contributions) == finding.score
    assert beacon.detect(day, direction=Direction.OUT) is None


def test_a_scanner_that_a_server_turns_away_is_quiet() -> None:
    day = refused(60.0 * np.arange(500))
    assert failed_contact.detect(day, direction=Direction.IN) is None


def test_a_scan_of_many_ports_is_no_caller() -> None:
    day = refused(30.0 * np.arange(300), ports=np.arange(300, dtype=np.int32))
    assert out(day) is None


def test_a_server_that_mostly_answers_is_quiet() -> None:
    states = np.where(np.arange(300) % 2, ConnState.SF, ConnState.S0).astype(np.uint8)
    assert out(pair_day(60.0 * np.arange(300), states=states)) is None


@pytest.mark.parametrize("count", [5, 19])
def test_a_short_outage_is_quiet(count: int) -> None:
    assert out(refused(60.0 * np.arange(count))) is None


def test_retries_of_a_few_minutes_are_quiet() -> None:
    assert out(refused(2.0 * np.arange(100))) is None


def test_irregular_failures_need_hours_and_numbers() -> None:
    rng = np.random.default_rng(2)
    assert out(refused(np.cumsum(rng.exponential(90.0, 60)))) is None
    finding = out(refused(np.cumsum(rng.exponential(90.0, 400))))
    assert finding is not None
    assert finding.severity == 2


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), cut=st.integers(20, 160))
def test_a_later_answer_never_takes_the_finding_back(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    times = beats(rng, period=60.0, jitter=0.1, count=160)
    states = np.full(160, ConnState.S0, dtype=np.uint8)
    states[80:] = ConnState.SF
    day = pair_day(times, states=states, bytes_out=0)
    early = out(reordered(day, np.arange(cut)), threshold=-1.0)
    late = out(day, threshold=-1.0)
    assert late is not None
    assert early is None or early.score <= late.score
    assert out(reordered(day, rng.permutation(160)), threshold=-1.0) == late
