"""From event rows to contacts: one contact a connection, in an order that nothing upsets."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.detectors.states import UDP, UNFINISHED, Outcome, outcomes

NANOSECONDS = 1_000_000_000

ROUTINE_PORTS = (53, 123)
"""UDP ports of name and time service. Every host polls its resolver and its clock; the
period is the software's, and a resolver's address says nothing of who is called. Beacons
over DNS are found in `dns` events, by the name asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairDay:
    """The `ip` events of one source to one destination in one UTC day, as equal columns.

    Rows may come in any order. Attributes, each of shape ``(n,)``:

    Attributes
    ----------
    times
        Start of the connection, nanoseconds since 1970 UTC.
    conn_ids
        Connection identity, 0 for none; None where no row has one.
    bytes_out, bytes_in
        Sent by the source, received by it; -1 unset.
    durations
        Seconds; NaN unset.
    states
        `states.ConnState` codes.
    ports
        Destination ports; -1 unset.
    packets_in
        Packets received; -1 unset; None where no row has it.
    protocols
        IANA protocol numbers; 0 unknown; None where no row has it.

    """

    times: NDArray[np.int64]
    conn_ids: NDArray[np.uint64] | None
    bytes_out: NDArray[np.int64]
    bytes_in: NDArray[np.int64]
    durations: NDArray[np.float64]
    states: NDArray[np.uint8]
    ports: NDArray[np.int32]
    packets_in: NDArray[np.int64] | None = None
    protocols: NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacts:
    """Contacts of a pair in time order; each column has shape ``(m,)``.

    `bytes_out`, `bytes_in` and `ports` are those of the connection's earliest row, which
    no later snapshot changes; `durations` (-1 unset) and `volumes` are the largest of any row.
    `routine` marks name and time service.
    """

    times: NDArray[np.int64]
    bytes_out: NDArray[np.int64]
    bytes_in: NDArray[np.int64]
    ports: NDArray[np.int32]
    outcomes: NDArray[np.uint8]
    durations: NDArray[np.float64]
    volumes: NDArray[np.int64]
    unfinished: NDArray[np.bool_]
    routine: NDArray[np.bool_]

    def take(self, rows: NDArray[np.intp]) -> "Contacts":
        """Return these rows, in this order."""
        return Contacts(
            times=self.times[rows],
            bytes_out=self.bytes_out[rows],
            bytes_in=self.bytes_in[rows],
            ports=self.ports[rows],
            outcomes=self.outcomes[rows],
            durations=self.durations[rows],
            volumes=self.volumes[rows],
            unfinished=self.unfinished[rows],
            routine=self.routine[rows],
        )

    def where(self, outcome: Outcome) -> "Contacts":
        """Return the contacts that came to this outcome."""
        return self.take(np.flatnonzero(self.outcomes == outcome))


def contacts(day: PairDay) -> Contacts:
    """Group the rows of each connection into one contact and sort by time.

    A row without a connection id stands alone. The time is the earliest of the rows, the
    outcome the best of them; a connection is unfinished if its longest row is. Ties in time
    are broken by the other columns, so that the result depends on the set of rows only.
    """
    rows = day.times.size
    durations = np.where(np.isnan(day.durations), -1.0, day.durations)
    volumes = np.maximum(day.bytes_out, 0) + np.maximum(day.bytes_in, 0)
    came_to = outcomes(
        day.states,
        bytes_out=day.bytes_out,
        bytes_in=day.bytes_in,
        packets_in=day.packets_in,
        protocols=day.protocols,
    )
    still_open = np.isin(day.states, UNFINISHED)
    group = _groups(day.conn_ids, rows)
    order = np.lexsort((day.ports, day.bytes_in, day.bytes_out, durations, day.times, group))
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    earliest = order[starts]
    # groups come in the same order here, so that the last row of each is its longest
    by_length = np.lexsort((still_open, durations, group))
    longest = by_length[np.append(starts, rows)[1:] - 1]
    merged = Contacts(
        times=day.times[earliest],
        bytes_out=day.bytes_out[earliest],
        bytes_in=day.bytes_in[earliest],
        ports=day.ports[earliest],
        outcomes=np.maximum.reduceat(came_to[order], starts) if rows else came_to,
        durations=durations[longest],
        volumes=np.maximum.reduceat(volumes[order], starts) if rows else volumes,
        unfinished=still_open[longest],
        routine=routine(day.ports, day.protocols)[earliest],
    )
    return merged.take(
        np.lexsort(
            (
                merged.unfinished,
                merged.volumes,
                merged.ports,
                merged.outcomes,
                merged.durations,
                merged.bytes_in,
                merged.bytes_out,
                merged.times,
            )
        )
    )


def routine(ports: NDArray[np.int32], protocols: NDArray[np.uint8] | None) -> NDArray[np.bool_]:
    """Tell which rows are name or time service: UDP, or of unknown protocol, to its port."""
    served: NDArray[np.bool_] = np.isin(ports, ROUTINE_PORTS)
    if protocols is None:
        return served
    served &= (protocols == UDP) | (protocols == 0)
    return served


def _groups(conn_ids: NDArray[np.uint64] | None, rows: int) -> NDArray[np.int64]:
    """Return a number for each row's connection; a row without an id is one of its own."""
    if conn_ids is None:
        return np.arange(rows)
    _, group = np.unique(conn_ids, return_inverse=True)
    alone = conn_ids == 0
    group = group.astype(np.int64)
    group[alone] = rows + np.arange(int(alone.sum()))
    return group
