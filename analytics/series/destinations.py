"""Which destinations the rows of a day name, and how much each was used. Pure.

One row a destination: how many events of each kind, how many distinct sources, bytes either way,
first and last contact. Times are nanoseconds since 1970, bytes -1 where no event said any.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from analytics.ingest.events import KINDS as ALL_KINDS
from analytics.series.contacted import named
from destinations import addresses

SCHEMA = 1
KINDS = ("dns", "http", "ip", "tls")
"""Kinds of events that name a destination."""
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "dns": ("ts", "srcIP", "query"),
    "http": ("ts", "srcIP", "url", "bytesIn", "bytesOut"),
    "ip": ("ts", "srcIP", "destIP", "bytesIn", "bytesOut"),
    "tls": ("ts", "srcIP", "sni", "destIP", "destPort"),
}
"""The columns of each kind that a summary is made from."""
MOST = 16_384
"""Destinations that one shard's day tells, the most used; the rest are counted. Four shards tell
65,536 between them, some 20 MB of JSON: who needs every address of a sweep has the series."""
MOST_BYTES = float(2**53)
"""The most that a sum of bytes says: what every reader of JSON holds exactly (8 PiB)."""
BYTES = ("bytesIn", "bytesOut")

TABLE = pa.schema(
    [
        ("destination", pa.string()),
        *((kind, pa.int64()) for kind in KINDS),
        ("sources", pa.int64()),
        *((name, pa.int64()) for name in BYTES),
        ("first", pa.int64()),
        ("last", pa.int64()),
    ]
)
_ADDED = (*KINDS, "sources", *BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A shard's day, its destinations in order of their text; ``omitted`` counts the rest."""

    table: pa.Table
    omitted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contacts:
    """Rows of one kind that name a destination: numbers of both ends, and what was measured."""

    destinations: NDArray[np.int64]
    sources: NDArray[np.int64]
    times: NDArray[np.int64]
    counts: Mapping[str, NDArray[np.int64]]


def summarise(tables: Mapping[str, pa.Table]) -> Summary:
    """Summarise a day's rows, given by kind with at least the kind's `COLUMNS`.

    Linear in the rows but for one sort of the pairs of source and destination.
    """
    names: dict[str, int] = {}
    sources: dict[bytes, int] = {}
    by_kind = {
        kind: _contacts(kind, tables[kind], names, sources)
        for kind in KINDS
        if kind in tables and tables[kind].num_rows
    }
    count, contacts = len(names), list(by_kind.values())
    if not count:
        return Summary(table=TABLE.empty_table(), omitted=0)
    first, last = _span(contacts, count)
    columns = {
        "destination": list(names),
        **{kind: _seen(by_kind[kind], count) for kind in by_kind},
        **{kind: np.zeros(count, dtype=np.int64) for kind in KINDS if kind not in by_kind},
        "sources": _distinct(contacts, count, len(sources)),
        **{name: _bytes(contacts, name, count) for name in BYTES},
        "first": first,
        "last": last,
    }
    return _cut(pa.table(columns, schema=TABLE))


def merged(tables: Sequence[pa.Table]) -> pa.Table:
    """Return the summary of several shards: a source is in one of them, so that all sums hold."""
    if not tables:
        return TABLE.empty_table()
    whole = pa.concat_tables(tables)
    for name in BYTES:  # unset is no number to add, and real numbers do not wrap
        real = whole.column(name).cast(pa.float64(), safe=False)
        said = pc.if_else(pc.less(real, 0.0), pa.scalar(None, pa.float64()), real)
        whole = whole.set_column(whole.schema.get_field_index(name), name, said)
    wanted = [(name, "sum") for name in _ADDED] + [("first", "min"), ("last", "max")]
    table = whole.group_by("destination").aggregate(wanted)
    plain = {f"{name}_{how}": name for name, how in wanted}
    table = table.rename_columns([plain.get(name, name) for name in table.column_names])
    for name in BYTES:
        most = pc.min_element_wise(table.column(name), MOST_BYTES, skip_nulls=False)
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, pc.fill_null(most, -1.0))
    return table.select(TABLE.names).cast(TABLE).sort_by("destination")


def encode(table: pa.Table) -> bytes:
    """Write a summary's table as Parquet."""
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd", write_statistics=False, store_schema=False)
    return out.getvalue()


def decode(encoded: bytes) -> pa.Table:
    """Read what `encode` wrote."""
    return pq.read_table(pa.BufferReader(encoded)).cast(TABLE)


def _contacts(
    kind: str, table: pa.Table, names: dict[str, int], sources: dict[bytes, int]
) -> _Contacts:
    """Return a kind's rows, numbering the ends that have no number yet."""
    texts, codes = _texts(kind, table)
    numbers = np.array([-1 if text is None else names.setdefault(text, len(names))
                        for text in texts], dtype=np.int64)  # fmt: skip
    who, places = _encoded(table.column("srcIP"))
    of_source = np.array([sources.setdefault(each, len(sources)) for each in who], dtype=np.int64)
    destinations = numbers[codes]
    kept = destinations >= 0
    return _Contacts(
        destinations=destinations[kept],
        sources=of_source[places][kept],
        times=table.column("ts").to_numpy().astype(np.int64)[kept],
        counts={
            name: table.column(name).to_numpy().astype(np.int64)[kept]
            for name in BYTES
            if name in table.column_names
        },
    )


def _texts(kind: str, table: pa.Table) -> tuple[list[str | None], NDArray[np.int64]]:
    """Return the distinct destinations as text, and each row's number among them."""
    if kind != "ip":
        places, codes = named(table, ALL_KINDS[kind])
        return [place.value if place is not None else None for place in places], codes
    packed, codes = _encoded(table.column("destIP"))
    return [addresses.render(each) for each in packed], codes


def _encoded(column: pa.ChunkedArray) -> tuple[list[Any], NDArray[np.int64]]:
    encoded = column.combine_chunks().dictionary_encode()
    codes: NDArray[np.int64] = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return encoded.dictionary.to_pylist(), codes


def _seen(contacts: _Contacts, count: int) -> NDArray[np.int64]:
    return np.bincount(contacts.destinations, minlength=count).astype(np.int64)


def _distinct(contacts: Sequence[_Contacts], count: int, sources: int) -> NDArray[np.int64]:
    """Count the distinct sources of each destination, whatever kinds told of them."""
    pairs = np.concatenate([each.destinations * sources + each.sources for each in contacts])
    return np.bincount(np.unique(pairs) // sources, minlength=count).astype(np.int64)


def _bytes(contacts: Sequence[_Contacts], name: str, count: int) -> NDArray[np.int64]:
    """Add bytes up in real numbers, which do not wrap; -1 where no event said any."""
    total, said = np.zeros(count), np.zeros(count, dtype=np.int64)
    for each in contacts:
        if name in each.counts:
            known = each.counts[name] >= 0
            places, values = each.destinations[known], each.counts[name][known]
            total += np.bincount(places, weights=values, minlength=count)
            said += np.bincount(places, minlength=count)
    return np.where(said > 0, np.minimum(total, MOST_BYTES), -1.0).astype(np.int64)


def _span(contacts: Sequence[_Contacts], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    limits = np.iinfo(np.int64)
    first = np.full(count, limits.max, dtype=np.int64)
    last = np.full(count, limits.min, dtype=np.int64)
    for each in contacts:
        np.minimum.at(first, each.destinations, each.times)
        np.maximum.at(last, each.destinations, each.times)
    return first, last


def _cut(table: pa.Table) -> Summary:
    """Keep the most used destinations; of equally used ones, the first by their text."""
    omitted = max(0, table.num_rows - MOST)
    if omitted:
        events = table.column(KINDS[0])
        for kind in KINDS[1:]:
            events = pc.add(events, table.column(kind))
        order = [("events", "descending"), ("destination", "ascending")]
        ranked = table.append_column("events", events).sort_by(order)
        table = ranked.slice(0, MOST).select(TABLE.names)
    return Summary(table=table.sort_by("destination"), omitted=omitted)
