"""All detectors over many pairs: a cheap look at the columns first, then pair by pair."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.detectors import beacon, failed_contact, sessions
from analytics.detectors.contacts import NANOSECONDS, PairDay, contacts, routine
from analytics.detectors.directions import Direction
from analytics.detectors.explanation import Finding
from analytics.detectors.states import Outcome, outcomes


@dataclass(frozen=True, slots=True, kw_only=True)
class Hopes:
    """Which pairs could have a finding at all; each mask has shape ``(pairs,)``.

    A pair outside a mask certainly has none of that kind; a pair inside may.
    """

    beacon: NDArray[np.bool_]
    failed_contact: NDArray[np.bool_]
    long_session: NDArray[np.bool_]

    @property
    def any(self) -> NDArray[np.bool_]:
        """Pairs worth a call."""
        return self.beacon | self.failed_contact | self.long_session


def hopes(day: PairDay, offsets: NDArray[np.int64], directions: Sequence[Direction]) -> Hopes:
    """Select the pairs worth a call, from counts, spans and maxima alone.

    Parameters
    ----------
    day
        The columns of all pairs, each pair's rows together.
    offsets
        Where each pair starts, and the number of rows, shape ``(pairs + 1,)``; no pair is
        empty.
    directions
        One a pair.

    Notes
    -----
    Rows are counted where the detectors count connections, which are never more; so nothing
    is lost. Cost O(rows), without Python a row.

    """
    pairs = offsets.size - 1
    if pairs == 0:
        none = np.zeros(0, dtype=np.bool_)
        return Hopes(beacon=none, failed_contact=none, long_session=none)
    starts = offsets[:-1]
    came_to = outcomes(
        day.states,
        bytes_out=day.bytes_out,
        bytes_in=day.bytes_in,
        packets_in=day.packets_in,
        protocols=day.protocols,
    )
    first = np.minimum.reduceat(day.times, starts)
    span = (np.maximum.reduceat(day.times, starts) - first) / NANOSECONDS
    answered = np.add.reduceat((came_to == Outcome.ANSWERED).astype(np.int64), starts)
    unlike = np.add.reduceat((~routine(day.ports, day.protocols)).astype(np.int64), starts)
    talking = np.minimum(answered, unlike)
    failed = np.add.reduceat((came_to == Outcome.FAILED).astype(np.int64), starts)
    lasting = np.maximum.reduceat(np.nan_to_num(day.durations, nan=-1.0), starts)
    least = [beacon.demanded(direction) for direction in directions]
    calls = np.array([direction in failed_contact.DIRECTIONS for direction in directions])
    return Hopes(
        beacon=(talking >= np.array([demand.contacts for demand in least]))
        & (span >= np.array([demand.span for demand in least])),
        failed_contact=calls
        & (failed >= failed_contact.FEWEST)
        & (span >= failed_contact.SHORTEST_SPAN),
        long_session=lasting >= sessions.HOUR,
    )


def pairs(
    day: PairDay, offsets: NDArray[np.int64], directions: Sequence[Direction]
) -> list[tuple[int, Finding]]:
    """Return the number of the pair and each finding of its own events, pairs in order.

    Arguments are those of `hopes`. Listed destinations need reports and are found apart
    (`listed.find`).
    """
    found: list[tuple[int, Finding]] = []
    chosen = hopes(day, offsets, directions)
    for number in np.flatnonzero(chosen.any).tolist():
        pair = contacts(rows(day, int(offsets[number]), int(offsets[number + 1])))
        direction = directions[number]
        tries = (
            (chosen.beacon[number], beacon.find),
            (chosen.failed_contact[number], failed_contact.find),
            (chosen.long_session[number], sessions.find),
        )
        for hopeful, find in tries:
            finding = find(pair, direction=direction) if hopeful else None
            if finding is not None:
                found.append((number, finding))
    return found


def rows(day: PairDay, start: int, end: int) -> PairDay:
    """Return the rows from `start` to before `end`, as views."""
    cut = slice(start, end)
    return PairDay(
        times=day.times[cut],
        conn_ids=None if day.conn_ids is None else day.conn_ids[cut],
        bytes_out=day.bytes_out[cut],
        bytes_in=day.bytes_in[cut],
        durations=day.durations[cut],
        states=day.states[cut],
        ports=day.ports[cut],
        packets_in=None if day.packets_in is None else day.packets_in[cut],
        protocols=None if day.protocols is None else day.protocols[cut],
    )
