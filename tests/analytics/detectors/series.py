"""Small pair-days for the detector tests."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.contacts import NANOSECONDS, PairDay
from analytics.detectors.states import ConnState

START = 1_700_006_400 * NANOSECONDS  # a UTC midnight


def pair_day(
    seconds: NDArray[np.floating[Any]],
    *,
    state: ConnState = ConnState.SF,
    conn_ids: NDArray[np.uint64] | None = None,
    bytes_out: NDArray[np.int64] | int = 400,
    bytes_in: NDArray[np.int64] | int = 1200,
    durations: NDArray[np.float64] | float = 0.5,
    states: NDArray[np.uint8] | None = None,
    ports: NDArray[np.int32] | int = 443,
    protocol: int = 6,
) -> PairDay:
    """A pair's day from contact times in seconds after midnight; scalars are repeated."""
    n = seconds.size
    return PairDay(
        times=START + np.rint(seconds * NANOSECONDS).astype(np.int64),
        conn_ids=conn_ids,
        bytes_out=np.broadcast_to(np.asarray(bytes_out, dtype=np.int64), n).copy(),
        bytes_in=np.broadcast_to(np.asarray(bytes_in, dtype=np.int64), n).copy(),
        durations=np.broadcast_to(np.asarray(durations, dtype=np.float64), n).copy(),
        states=np.full(n, state, dtype=np.uint8) if states is None else states,
        ports=np.broadcast_to(np.asarray(ports, dtype=np.int32), n).copy(),
        protocols=np.full(n, protocol, dtype=np.uint8),
    )


def reordered(day: PairDay, order: NDArray[np.intp]) -> PairDay:
    """The same rows in another order."""
    return PairDay(
        times=day.times[order],
        conn_ids=None if day.conn_ids is None else day.conn_ids[order],
        bytes_out=day.bytes_out[order],
        bytes_in=day.bytes_in[order],
        durations=day.durations[order],
        states=day.states[order],
        ports=day.ports[order],
        packets_in=None if day.packets_in is None else day.packets_in[order],
        protocols=None if day.protocols is None else day.protocols[order],
    )


def beats(
    rng: np.random.Generator, *, period: float, jitter: float, count: int, miss: float = 0.0
) -> NDArray[np.float64]:
    """Beat times with symmetric jitter, some of them lost."""
    times = 100.0 + np.cumsum(period * (1.0 + rng.uniform(-jitter, jitter, count)))
    return times[rng.random(count) >= miss]
