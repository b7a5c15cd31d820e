"""Contacts with listed destinations in ``dns``, ``http`` and ``tls`` rows."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.actions.findings import Ask, Found, earliest, is_listed, known
from analytics.detectors import listed
from analytics.detectors.contacts import PairDay
from analytics.detectors.states import ConnState
from analytics.ingest.batches import addresses_of
from analytics.ingest.events import Kind
from analytics.series.contacted import named
from analytics.series.pairs import said
from destinations import addresses
from destinations.networks import Direction, Networks

COLUMNS = {
    "dns": ("ts", "srcIP", "localOrig", "query", "rcode"),
    "http": ("ts", "srcIP", "localOrig", "url", "status", "bytesIn", "bytesOut"),
    "tls": ("ts", "srcIP", "localOrig", "destIP", "destPort", "sni"),
}
"""The columns that are looked at, by kind."""
ANSWERED_RCODES = frozenset({"", "NOERROR", "0"})
_DNS_PORT = 53


def find_named(table: pa.Table, kind: Kind, *, home: Networks, ask: Ask) -> list[Found]:
    """Find contacts with listed destinations in one day's rows (`COLUMNS` of their kind)."""
    places, codes = named(table, kind)
    answers = ask(frozenset(place for place in places if place is not None))
    marked = np.array(
        [place is not None and is_listed(answers.get(place)) for place in places], dtype=np.bool_
    )
    if not marked.any():
        return []
    found = []
    for group in _groups(table, codes, np.flatnonzero(marked[codes])):
        place = places[codes[group[0]]]
        assert place is not None, "only listed destinations are grouped"
        report = answers[place]
        packed = addresses_of(table, "srcIP")[group[0]].tobytes()
        finding = listed.detect(
            _columns(table, group, kind),
            direction=_direction(table, group, packed, home),
            reports=[known(report)],
        )
        if finding is not None:
            found.append(
                Found(
                    finding=finding,
                    kind=kind.name,
                    source=addresses.render(packed),
                    destination=place.value,
                    row=earliest(table, group),
                    reports=(report,),
                )
            )
    return found


def _groups(
    table: pa.Table, codes: NDArray[np.int64], rows: NDArray[np.int64]
) -> list[NDArray[np.int64]]:
    """Cut rows by source and destination."""
    packed = addresses_of(table, "srcIP")[rows].tobytes()
    sources = np.frombuffer(packed, dtype=">u8").reshape(-1, 2)
    order = np.lexsort((codes[rows], sources[:, 1], sources[:, 0]))
    keys = np.column_stack((sources, codes[rows].astype(np.uint64)))[order]
    cuts = np.flatnonzero((keys[1:] != keys[:-1]).any(axis=1)) + 1
    return np.split(rows[order], cuts)


def _direction(
    table: pa.Table, group: NDArray[np.int64], packed: bytes, home: Networks
) -> Direction:
    word = int(said(table, "localOrig", group, np.zeros(1, dtype=np.intp))[0])
    is_home = home.contains(packed) if word < 0 else word == 1
    return Direction.OUT if is_home else Direction.TRANSIT


def _columns(table: pa.Table, rows: NDArray[np.int64], kind: Kind) -> PairDay:
    """Return rows as contacts: what was answered with an error has failed."""
    count = len(rows)
    unset = np.full(count, -1, dtype=np.int64)
    sized = kind.name == "http"
    return PairDay(
        times=table.column("ts").to_numpy()[rows],
        conn_ids=None,
        bytes_out=table.column("bytesOut").to_numpy()[rows] if sized else unset,
        bytes_in=table.column("bytesIn").to_numpy()[rows] if sized else unset,
        durations=np.full(count, np.nan),
        states=np.array(_states(table, rows, kind), dtype=np.uint8),
        ports=np.full(count, _DNS_PORT if kind.name == "dns" else -1, dtype=np.int32),
    )


def _states(table: pa.Table, rows: NDArray[np.int64], kind: Kind) -> list[ConnState]:
    if kind.name != "dns":  # a sensor sees a request or a handshake where a connection stood
        return [ConnState.SF] * len(rows)
    rcodes = table.column("rcode").take(pa.array(rows)).to_pylist()
    return [ConnState.SF if rcode.upper() in ANSWERED_RCODES else ConnState.REJ for rcode in rcodes]
