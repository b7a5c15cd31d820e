import numpy as np
from numpy.typing import NDArray

from analytics.detectors import beacon, evaluate, failed_contact, sessions
from analytics.detectors.contacts import PairDay
from analytics.detectors.directions import Direction
from analytics.detectors.states import ConnState
from tests.analytics.detectors.series import pair_day


def together(days: list[PairDay]) -> tuple[PairDay, NDArray[np.int64]]:
    return (
        PairDay(
            times=np.concatenate([day.times for day in days]),
            conn_ids=None,
            bytes_out=np.concatenate([day.bytes_out for day in days]),
            bytes_in=np.concatenate([day.bytes_in for day in days]),
            durations=np.concatenate([day.durations for day in days]),
            states=np.concatenate([day.states for day in days]),
            ports=np.concatenate([day.ports for day in days]),
            protocols=np.concatenate([day.protocols for day in days if day.protocols is not None]),
        ),
        np.cumsum([0, *(day.times.size for day in days)], dtype=np.int64),
    )


def test_each_pair_gets_its_own_findings() -> None:
    days = [
        pair_day(60.0 * np.arange(40)),
        pair_day(np.array([5.0])),
        pair_day(np.array([5.0]), durations=20_000.0),
        pair_day(60.0 * np.arange(90), state=ConnState.REJ, bytes_out=0, bytes_in=0),
        pair_day(60.0 * np.arange(90), durations=4000.0),
    ]
    columns, offsets = together(days)
    found = evaluate.pairs(columns, offsets, [Direction.OUT] * 5)
    assert [(number, finding.detection) for number, finding in found] == [
        (0, "beacon_rare"),
        (2, "long_session"),
        (3, "beacon_failed_contact"),
        (4, "beacon_rare"),
        (4, "long_session"),
    ]


def test_nothing_that_a_detector_finds_is_left_out_beforehand() -> None:
    rng = np.random.default_rng(3)
    days: list[PairDay] = []
    directions: list[Direction] = []
    for number in range(120):
        count = int(rng.integers(1, 60))
        period = float(rng.choice([5.0, 60.0, 900.0]))
        days.append(
            pair_day(
                period * np.arange(count) + rng.uniform(0, 0.01, count),
                state=ConnState(int(rng.choice([1, 3, 4, 10]))),
                bytes_out=0,
                bytes_in=0,
                durations=float(rng.choice([np.nan, 1.0, 9000.0])),
                ports=int(rng.choice([53, 443])),
                protocol=17,
            )
        )
        directions.append(list(Direction)[number % 4])
    columns, offsets = together(days)
    chosen = evaluate.hopes(columns, offsets, directions)
    masks = (
        (beacon.detect, chosen.beacon),
        (failed_contact.detect, chosen.failed_contact),
        (sessions.detect, chosen.long_session),
    )
    for detect, mask in masks:
        found = [
            detect(day, direction=direction) is not None
            for day, direction in zip(days, directions, strict=True)
        ]
        assert any(found)
        assert not (np.array(found) & ~mask).any()
    assert not chosen.any.all()


def test_no_pairs_are_no_findings() -> None:
    columns, _ = together([pair_day(np.zeros(0))])
    assert evaluate.pairs(columns, np.zeros(1, dtype=np.int64), []) == []
