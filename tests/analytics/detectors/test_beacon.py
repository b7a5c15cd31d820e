import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from analytics.detectors import beacon
from analytics.detectors.beacon.detection import clock
from analytics.detectors.contacts import NANOSECONDS, PairDay
from analytics.detectors.directions import Direction
from analytics.detectors.explanation import Finding
from analytics.detectors.states import ConnState
from tests.analytics.detectors.series import START, beats, pair_day, reordered

DAY = 86_400.0


def out(day: PairDay, *, threshold: float | None = None) -> Finding | None:
    return beacon.detect(day, direction=Direction.OUT, threshold=threshold)


@settings(max_examples=20, deadline=None)
@given(period=st.floats(11.0, 3000.0), count=st.integers(12, 26))
def test_a_metronome_of_twelve_contacts_alerts(period: float, count: int) -> None:
    finding = out(pair_day(period * np.arange(count) + 0.25))
    assert finding is not None
    assert finding.score >= 1000
    assert finding.evidence["period_s"] == pytest.approx(period, rel=0.02)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_order_of_arrival_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    times = beats(rng, period=300.0, jitter=0.2, count=60, miss=0.1)
    day = pair_day(
        np.concatenate((times, times[:5])),
        conn_ids=np.arange(1, times.size + 6, dtype=np.uint64),
        bytes_out=rng.integers(100, 5000, times.size + 5),
    )
    shuffled = reordered(day, rng.permutation(day.times.size))
    assert out(day) == out(shuffled)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), cut=st.integers(6, 260))
def test_the_score_never_falls_as_contacts_arrive_in_order(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    times = np.sort(
        np.concatenate(
            (beats(rng, period=300.0, jitter=0.3, count=150), rng.uniform(0, 45_000.0, 110))
        )
    )
    early = out(pair_day(times[:cut]), threshold=-100.0)
    late = out(pair_day(times), threshold=-100.0)
    assert late is not None
    assert early is None or early.score <= late.score


@pytest.mark.parametrize("jitter", [0.0, 0.1, 0.2])
@pytest.mark.parametrize("period", [14.0, 60.0, 300.0, 900.0])
def test_jittered_beacons_with_misses_and_noise_are_found(period: float, jitter: float) -> None:
    rng = np.random.default_rng(int(period))
    beat = beats(rng, period=period, jitter=jitter, count=90, miss=0.3)
    noise = rng.uniform(beat[0], beat[-1], 40)
    finding = out(pair_day(np.concatenate((beat, noise))))
    assert finding is not None
    assert finding.evidence["period_s"] == pytest.approx(period, rel=0.1)


@pytest.mark.parametrize("mean", [60.0, 300.0, 1200.0, 3600.0])
def test_aperiodic_contacts_are_quiet_though_their_sizes_are_constant(mean: float) -> None:
    found = 0
    for seed in range(4):
        rng = np.random.default_rng(seed)
        times = rng.uniform(0.0, DAY, rng.poisson(min(DAY / mean, 320)))
        found += out(pair_day(times)) is not None
    assert found == 0


def test_bursts_of_human_browsing_are_quiet() -> None:
    for seed in range(4):
        rng = np.random.default_rng(seed)
        starts = rng.uniform(0, 57_600, 40)
        bursts = [s + np.cumsum(np.exp(rng.normal(2, 1.5, 1 + rng.geometric(0.4)))) for s in starts]
        assert out(pair_day(np.concatenate(bursts))) is None


def test_a_check_in_of_several_connections_is_one_beat() -> None:
    rng = np.random.default_rng(3)
    beat = beats(rng, period=600.0, jitter=0.05, count=30)
    flurry = np.concatenate([t + np.cumsum(rng.uniform(0.05, 0.6, 6)) for t in beat])
    finding = out(pair_day(flurry))
    assert finding is not None
    assert float(finding.evidence["burst_width_s"]) >= 1.0
    assert finding.evidence["period_s"] == pytest.approx(600.0, rel=0.05)


def test_failed_contacts_are_not_beacons() -> None:
    times = 60.0 * np.arange(200)
    for state in (ConnState.S0, ConnState.REJ, ConnState.RSTOS0, ConnState.SH):
        assert out(pair_day(times, state=state, bytes_in=0, bytes_out=0)) is None


def test_snapshots_of_one_connection_are_one_contact() -> None:
    times = np.concatenate((np.full(30, 50.0), 3600.0 * np.arange(1, 6)))
    ids = np.concatenate((np.full(30, 7), np.arange(100, 105))).astype(np.uint64)
    finding = out(pair_day(times, conn_ids=ids), threshold=-100.0)
    assert finding is not None
    assert finding.count == 6


def test_whole_seconds_are_not_taken_for_clockwork() -> None:
    for seed in range(6):
        rng = np.random.default_rng(seed)
        times = np.floor(np.cumsum(rng.exponential(2.5, 300)))
        assert out(pair_day(times)) is None


def test_whole_seconds_do_not_hide_a_beacon() -> None:
    rng = np.random.default_rng(1)
    times = np.floor(beats(rng, period=10.0, jitter=0.1, count=60))
    assert out(pair_day(times)) is not None


@pytest.mark.parametrize(
    ("step", "resolution"),
    [(NANOSECONDS, NANOSECONDS), (25_000_000, 1_000_000), (3_000, 1_000), (7, 1)],
)
def test_the_clock_is_the_coarsest_that_fits(step: int, resolution: int) -> None:
    assert clock(START + step * np.arange(1, 9)) == resolution


def test_a_loop_of_a_minute_is_not_persistence() -> None:
    assert out(pair_day(1.5 * np.arange(40))) is None


def test_resolvers_and_clocks_are_left_to_their_own_detections() -> None:
    times = 64.0 * np.arange(100)
    assert out(pair_day(times, ports=123, protocol=17)) is None
    assert out(pair_day(times, ports=53, protocol=17)) is None
    assert out(pair_day(times, ports=53, protocol=6)) is not None


def test_a_password_guesser_of_half_an_hour_is_no_beacon_but_a_caller_of_all_day_is() -> None:
    guesser = pair_day(60.0 * np.arange(30))
    caller = pair_day(280.0 * np.arange(300))
    assert beacon.detect(guesser, direction=Direction.IN) is None
    assert beacon.detect(caller, direction=Direction.IN) is not None
    assert beacon.detect(guesser, direction=Direction.OUT) is not None


def test_the_explanation_adds_up_and_says_where_it_was_capped() -> None:
    finding = out(pair_day(60.0 * np.arange(400)))
    assert finding is not None
    points = [part.points for part in finding.explanation.contributions]
    assert sum(points) == finding.score == 6000
    assert finding.explanation.contributions[-1].feature == "cap"
    assert float(finding.evidence["uncapped_nats"]) > 60.0


def test_severity_is_medium_only_for_strong_beacons_that_leave() -> None:
    day = pair_day(60.0 * np.arange(60))
    severities = {}
    for direction in (Direction.OUT, Direction.TRANSIT, Direction.INSIDE):
        finding = beacon.detect(day, direction=direction)
        assert finding is not None
        severities[direction.value] = finding.severity
    assert severities == {"out": 3, "transit": 3, "inside": 2}


def test_the_material_is_the_look_and_binds_the_digest() -> None:
    times = 60.0 * np.arange(60)
    one = out(pair_day(times))
    moved = out(pair_day(times + np.eye(1, 60, 3)[0] * 0.001))
    assert one is not None
    assert moved is not None
    assert len(one.material) == 3 * 8 * int(one.evidence["look_contacts"])
    assert one.digest_input() != moved.digest_input()


def test_unset_sizes_are_mute() -> None:
    finding = out(pair_day(60.0 * np.arange(60), bytes_out=-1, bytes_in=-1))
    assert finding is not None
    assert finding.evidence["median_bytes_out"] == -1.0
