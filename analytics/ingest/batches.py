"""From events to columns: every field normalised once per distinct value.

A network has few addresses and names and says them again and again, so each is normalised once and
remembered. The memory is bounded: a client that sends random names only clears it.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics.ingest.events import Column, Form, Header, Kind
from analytics.ingest.reasons import Reason
from analytics.ingest.times import read_times
from destinations import addresses, names

REMEMBERED = 1 << 17
"""Distinct values remembered per form: far more than a batch has."""
REMEMBERED_LENGTH = 256
"""Characters of the longest value remembered, a name's utmost length: 80 MB per form at the worst.
Without it a client's 64 KiB texts would stay in memory by the hundred thousand."""
NO_ADDRESS = bytes(16)
_UNSET_TEXTS = frozenset({"", "-"})
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), 127)}


V = TypeVar("V")


class Memo(dict[str, V], Generic[V]):
    """A dictionary that computes what it lacks and forgets everything when it is full."""

    __slots__ = ("compute",)

    def __init__(self, compute: Callable[[str], V]) -> None:
        super().__init__()
        self.compute = compute

    def __missing__(self, key: str) -> V:
        if len(key) > REMEMBERED_LENGTH:
            return self.compute(key)
        if len(self) >= REMEMBERED:
            self.clear()
        value = self[key] = self.compute(key)
        return value


def _address(text: str) -> bytes | None:
    try:
        return addresses.parse(text.strip())
    except ValueError:
        return None


def _name(text: str) -> str | None:
    if text.strip() in _UNSET_TEXTS:
        return ""  # a message without a question is an event all the same
    try:
        return names.normalise(text).text
    except ValueError:
        return None


def _text(text: str) -> str:
    """Cut blanks; write control characters out, so that no text can look like two."""
    text = text.strip()
    if text in _UNSET_TEXTS:
        return ""
    return text if text.isprintable() else text.translate(_CONTROL)


_ADDRESSES: Memo[bytes | None] = Memo(_address)
_NAMES: Memo[str | None] = Memo(_name)
_LOWERED: Memo[str] = Memo(lambda text: _text(text).lower())
_FLAG_CODES = {None: -1, False: 0, True: 1}


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
        The server's time in nanoseconds since 1970: event times more than a day ahead are rejected.

    Returns
    -------
    batch
        One row per accepted event, in the order of the events, columns of ``kind.schema``.
    rejected
        How many events were not taken, by the first reason that applied to each.

    """
    reasons: dict[int, Reason] = {}
    columns = [_column(events, column, reasons, now=now) for column in kind.columns]
    batch = pa.table(columns, schema=kind.schema)
    rejected: dict[Reason, int] = {}
    if reasons:
        for reason in reasons.values():
            rejected[reason] = rejected.get(reason, 0) + 1
        taken = np.ones(len(events), dtype=bool)
        taken[list(reasons)] = False
        batch = batch.filter(pa.array(taken))
    return batch, rejected


def _column(
    events: Sequence[Header], column: Column, reasons: dict[int, Reason], *, now: int
) -> pa.Array:
    name = column.name
    values = [getattr(event, name) for event in events]
    if column.form is Form.TIME:
        times, rejected = read_times(values, now=now)
        for row, reason in rejected:
            reasons.setdefault(row, reason)
        return pa.array(times)
    if column.form is Form.ADDRESS:
        return _addresses(values, column, reasons)
    if column.form is Form.NAME:
        return _names(values, column, reasons)
    return _PLAIN[column.form](values)


def _texts(values: list[list[str]]) -> pa.Array:
    return pa.array(
        [[text for each in value if (text := _text(each))] if value else value for value in values],
        pa.list_(pa.string()),
    )


def _lowers(values: list[str]) -> pa.Array:
    return pa.array([_LOWERED[value] for value in values], pa.string())


_PLAIN: dict[Form, Callable[[list[Any]], pa.Array]] = {
    Form.TEXT: lambda values: pa.array([_text(v) if v else "" for v in values], pa.string()),
    Form.LOWER: _lowers,
    Form.TEXTS: _texts,
    Form.FLAG: lambda values: pa.array([_FLAG_CODES[value] for value in values], pa.int8()),
    Form.PORT: lambda values: pa.array(np.array(values, dtype=np.int32)),
    Form.COUNT: lambda values: pa.array(np.array(values, dtype=np.int64)),
    Form.SECONDS: lambda values: pa.array(np.array(values, dtype=np.float64) + 0.0),  # no -0.0
}


def _addresses(values: list[str], column: Column, reasons: dict[int, Reason]) -> pa.Array:
    packed = [_ADDRESSES[value] for value in values]
    if None in packed:
        for row, address in enumerate(packed):
            if address is None:
                unset = values[row].strip() in _UNSET_TEXTS
                reason = column.missing if unset else column.invalid
                if reason is not None:
                    reasons.setdefault(row, reason)
    joined = b"".join([NO_ADDRESS if address is None else address for address in packed])
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), len(packed), [None, pa.py_buffer(joined)]
    )


def _names(values: list[str], column: Column, reasons: dict[int, Reason]) -> pa.Array:
    normal = [_NAMES[value] for value in values]
    if None in normal:
        for row, name in enumerate(normal):
            if name is None:
                normal[row] = ""
                reasons.setdefault(row, column.invalid)
    return pa.array(normal, pa.string())


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
