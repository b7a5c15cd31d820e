"""From events to columns: every field normalised once per distinct value."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from analytics.ingest.checks import rejections
from analytics.ingest.events import HTTP, CertHash, Column, Form, Header, Kind
from analytics.ingest.memory import (
    ADDRESSES,
    LOWERED,
    NAMES,
    PLAIN,
    TUNNELS,
    UPPERED,
    URLS,
    plain_text,
)
from analytics.ingest.reasons import Reason
from analytics.ingest.times import NO_DATE, read_date, read_times

NO_ADDRESS = bytes(16)
_FLAG_CODES = {None: -1, False: 0, True: 1}
_HASH_DIGITS = {"md5": 32, "sha1": 40, "sha256": 64}
"""Hexadecimal digits by algorithm: where they tell it, it is not written."""


def to_batch(
    events: Sequence[Header], kind: Kind, *, now: int
) -> tuple[pa.Table, dict[Reason, int]]:
    """Make the columns of a batch.

    Parameters
    ----------
    events
        What `values.decode_values` gave.
    kind
        Their kind.
    now
        The time of receipt in nanoseconds since 1970: event times more than a day ahead of it are
        rejected.

    Returns
    -------
    batch
        One row per accepted event, in the order of the events, columns of ``kind.schema``.
    rejected
        How many events were not taken, by the first reason that applied to each.

    """
    reasons = rejections(events, kind, now=now)
    rejected: dict[Reason, int] = {}
    if reasons:
        for reason in reasons.values():
            rejected[reason] = rejected.get(reason, 0) + 1
        events = [event for row, event in enumerate(events) if row not in reasons]
    columns = [
        _column(list(map(attrgetter(column.name), events)), column, now=now)
        for column in kind.columns
    ]
    batch = pa.table(columns, schema=kind.schema)
    return (_tunnels(batch) if kind is HTTP else batch), rejected


def _tunnels(batch: pa.Table) -> pa.Table:
    """Write what CONNECT asks a proxy for as ``https://host:port``, however a client wrote it."""
    methods, places = batch.column("method"), batch.column("url")
    asked = pc.equal(methods, "CONNECT")
    if not pc.any(asked).as_py():
        return batch
    mended = [
        TUNNELS[place] if is_tunnel else place
        for place, is_tunnel in zip(places.to_pylist(), asked.to_pylist(), strict=True)
    ]
    at = batch.column_names.index("url")
    return batch.set_column(at, batch.schema.field(at), pa.array(mended, pa.string()))


def _column(values: Sequence[Any], column: Column, *, now: int) -> pa.Array:
    if column.form is Form.TIME:
        return pa.array(read_times(values, now=now)[0])
    return _COLUMNS[column.form](values)


def _addresses(values: Sequence[str]) -> pa.Array:
    joined = b"".join([ADDRESSES[value] or NO_ADDRESS for value in values])
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), len(values), [None, pa.py_buffer(joined)]
    )


def _strings(normal: Callable[[str], str]) -> Callable[[Sequence[str]], pa.Array]:
    """Return what makes a column of normalised texts; one that nobody sets costs nothing."""

    def column(values: Sequence[str]) -> pa.Array:
        if not any(values):
            return pa.repeat(pa.scalar("", pa.string()), len(values))
        return pa.array([normal(value) for value in values], pa.string())

    return column


def _texts(values: Sequence[tuple[str, ...]]) -> pa.Array:
    if not any(values):
        empty = pa.array(np.zeros(len(values) + 1, dtype=np.int32))
        return pa.ListArray.from_arrays(empty, pa.array([], pa.string()))
    return pa.array(
        [[text for each in value if (text := PLAIN[each])] if value else value for value in values],
        pa.list_(pa.string()),
    )


def _hash(value: str | CertHash) -> str:
    """Write a certificate's hash: bare digits where their number tells the algorithm."""
    alg, text = (value.alg, value.value) if isinstance(value, CertHash) else ("", value)
    digits = plain_text(text).lower().replace(":", "")
    alg = plain_text(alg).lower().replace("-", "")
    is_told = not alg or _HASH_DIGITS.get(alg) == len(digits)
    return digits if is_told or not digits else f"{alg}:{digits}"


def _dates(values: Sequence[Any]) -> pa.Array:
    return pa.array([NO_DATE if value is None else read_date(value) for value in values])


_COLUMNS: dict[Form, Callable[[Sequence[Any]], pa.Array]] = {
    Form.ADDRESS: _addresses,
    Form.NAME: _strings(lambda value: NAMES[value] or ""),
    Form.TEXT: _strings(PLAIN.__getitem__),
    Form.LOWER: _strings(LOWERED.__getitem__),
    Form.METHOD: _strings(UPPERED.__getitem__),
    Form.URL: _strings(URLS.__getitem__),
    Form.HASH: lambda values: pa.array([_hash(value) for value in values], pa.string()),
    Form.DATE: _dates,
    Form.TEXTS: _texts,
    Form.FLAG: lambda values: pa.array([_FLAG_CODES[value] for value in values], pa.int8()),
    Form.PORT: lambda values: pa.array(np.array(values, dtype=np.int32)),
    Form.COUNT: lambda values: pa.array(np.array(values, dtype=np.int64)),
    Form.SECONDS: lambda values: pa.array(np.array(values, dtype=np.float64) + 0.0),  # no -0.0
}


def times_of(batch: pa.Table) -> NDArray[np.int64]:
    """Return a batch's event times, int64 nanoseconds, shape ``(n,)``."""
    times: NDArray[np.int64] = batch.column("ts").to_numpy()
    return times


def addresses_of(batch: pa.Table, name: str) -> NDArray[np.void]:
    """Return an address column as 16-byte items, shape ``(n,)``."""
    chunks = batch.column(name).combine_chunks()
    array = chunks if isinstance(chunks, pa.Array) else chunks.chunk(0)
    buffer = array.buffers()[1]
    packed = np.frombuffer(buffer, dtype="V16")
    return packed[array.offset : array.offset + len(array)]
