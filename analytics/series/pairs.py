"""From rows in any order to pairs: the columns as detectors take them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.detectors.contacts import PairDay
from analytics.detectors.states import ConnState
from analytics.ingest.batches import addresses_of
from destinations.networks import DIRECTIONS, Direction, Networks, directions

COLUMNS = (
    "ts", "srcIP", "destIP", "destPort", "proto", "bytesIn", "bytesOut", "pktsIn", "duration",
    "connState", "connID", "localOrig", "localResp",
)  # fmt: skip
"""The columns of an `ip` row that detectors look at."""

PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "ipv6-icmp": 58, "icmp6": 58, "icmpv6": 58}
"""IANA numbers of the protocol names that sensors write."""
_STATES = {state.name: state.value for state in ConnState if state is not ConnState.UNSET}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Rows grouped by source and destination.

    Attributes
    ----------
    rows
        The columns, each pair's rows together, shape ``(n,)`` each.
    order
        For each of these rows its number in the table that it came from, shape ``(n,)``.
    offsets
        Where each pair starts, and ``n``, shape ``(pairs + 1,)``.
    sources, destinations
        The packed addresses of each pair.
    directions
        The direction of each pair.

    """

    rows: PairDay
    order: NDArray[np.int64]
    offsets: NDArray[np.int64]
    sources: Sequence[bytes]
    destinations: Sequence[bytes]
    directions: Sequence[Direction]

    def rows_of(self, pair: int) -> NDArray[np.int64]:
        """Return the table's row numbers of one pair."""
        return self.order[self.offsets[pair] : self.offsets[pair + 1]]


def words(table: pa.Table, column: str) -> NDArray[np.uint64]:
    """Return an address column as two 64-bit words a row, shape ``(n, 2)``."""
    packed = addresses_of(table, column)
    return np.ascontiguousarray(packed).view(">u8").reshape(-1, 2).astype(np.uint64)


def pairs_of(table: pa.Table, *, home: Networks) -> Pairs:
    """Group `ip` rows by pair; `table` has the columns of `COLUMNS`."""
    source, destination = words(table, "srcIP"), words(table, "destIP")
    count = len(source)
    order = np.lexsort((destination[:, 1], destination[:, 0], source[:, 1], source[:, 0]))
    keys = np.hstack((source, destination))[order]
    changed = np.r_[True, (keys[1:] != keys[:-1]).any(axis=1)] if count else np.empty(0, bool)
    starts = np.flatnonzero(changed)
    offsets = np.r_[starts, count].astype(np.int64)
    heads = keys[starts].astype(">u8").tobytes()
    packed = [heads[at : at + 32] for at in range(0, len(heads), 32)]
    by_pair = directions(
        _is_home(keys[starts, :2], said(table, "localOrig", order, starts), home),
        _is_home(keys[starts, 2:], said(table, "localResp", order, starts), home),
    )
    return Pairs(
        rows=pair_columns(table, order),
        order=order.astype(np.int64),
        offsets=offsets,
        sources=[each[:16] for each in packed],
        destinations=[each[16:] for each in packed],
        directions=[DIRECTIONS[code] for code in by_pair],
    )


def pair_columns(table: pa.Table, order: NDArray[np.intp]) -> PairDay:
    """Return the detectors' columns of some rows, in the given order."""

    def column(name: str) -> NDArray[np.generic]:
        values: NDArray[np.generic] = table.column(name).to_numpy()
        return values[order]

    return PairDay(
        times=column("ts").astype(np.int64),
        conn_ids=codes_of(table, "connID", {"": 0})[order].astype(np.uint64),
        bytes_out=column("bytesOut").astype(np.int64),
        bytes_in=column("bytesIn").astype(np.int64),
        durations=column("duration").astype(np.float64),
        states=codes_of(table, "connState", _STATES, other=0)[order].astype(np.uint8),
        ports=column("destPort").astype(np.int32),
        packets_in=column("pktsIn").astype(np.int64),
        protocols=codes_of(table, "proto", PROTOCOLS, other=0)[order].astype(np.uint8),
    )


def codes_of(
    table: pa.Table, name: str, known: Mapping[str, int], *, other: int | None = None
) -> NDArray[np.int64]:
    """Return a text column as numbers: `known` ones, and `other` for the rest.

    Without `other` every further text gets a number of its own, from 1 past the largest known.
    """
    encoded = table.column(name).combine_chunks().dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    fresh = max(known.values(), default=0) + 1
    numbers = np.array(
        [known.get(text, fresh + at if other is None else other) for at, text in enumerate(texts)],
        dtype=np.int64,
    )
    indices = encoded.indices.to_numpy()
    return numbers[indices] if len(numbers) else np.zeros(len(indices), dtype=np.int64)


def said(
    table: pa.Table, flag: str, order: NDArray[np.intp], starts: NDArray[np.intp]
) -> NDArray[np.int8]:
    """Return what a sensor said of each group of rows: 1 yes, 0 no, -1 nothing.

    A group is what lies in ``order`` from one of ``starts`` to the next. Its rows say the same but
    for those that say nothing; where sensors disagree, yes is taken.
    """
    flags: NDArray[np.int8] = table.column(flag).to_numpy()[order]
    return np.maximum.reduceat(flags, starts) if len(starts) else flags


def _is_home(
    address: NDArray[np.uint64], word: NDArray[np.int8], home: Networks
) -> NDArray[np.bool_]:
    """Say which addresses are inside: the sensor's own word beats the networks (contract)."""
    return np.where(word >= 0, word == 1, home.members(address))
