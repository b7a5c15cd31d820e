"""Columns to bytes and back. Pure.

Parquet with delta-coded integers and zstd: measured as small as a hand-made delta-of-delta code and
four times as fast, and every tool of the trade reads it. Constant columns, of which real batches
have many, cost a few bytes each.
"""

import io

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analytics.ingest.events import ARROW, TEXTUAL, Form, Kind
from analytics.ingest.times import NO_DATE

LEVEL = 3
"""zstd level: 9 saves two percent more at four times the cost."""
_DISTINCT = frozenset({"connID"})
"""Columns of which hardly a value repeats: a dictionary would only be carried along."""
_DELTA = {Form.TIME, Form.PORT, Form.COUNT, Form.DATE}


def encode(table: pa.Table, kind: Kind) -> bytes:
    """Encode columns of `kind`, any subset, as Parquet.

    Columns in which every row is unset are left out: absent reads as unset.
    """
    kept = [
        column for column in kind.columns if column.name in table.column_names
        and not _constant_unset(table.column(column.name), column.form)
    ]  # fmt: skip
    out = io.BytesIO()
    delta = {each.name: "DELTA_BINARY_PACKED" for each in kept if each.form in _DELTA}
    dictionary = [
        each.name for each in kept if each.form not in _DELTA and each.name not in _DISTINCT
    ]
    pq.write_table(
        table.select([column.name for column in kept]),
        out,
        compression="zstd",
        compression_level=LEVEL,
        use_dictionary=dictionary,
        column_encoding=delta,
        write_statistics=False,
        store_schema=False,
    )
    return out.getvalue()


def decode(encoded: bytes, kind: Kind, *, columns: tuple[str, ...] | None = None) -> pa.Table:
    """Decode what `encode` wrote; columns that were left out come back unset.

    ``columns`` chooses some of the kind's columns, in the kind's order.
    """
    file = pq.ParquetFile(pa.BufferReader(encoded))
    wanted = [each for each in kind.columns if columns is None or each.name in columns]
    present = set(file.schema_arrow.names)
    stored = file.read([each.name for each in wanted if each.name in present])
    count = file.metadata.num_rows
    arrays = [
        stored.column(each.name).cast(kind.schema.field(each.name).type)
        if each.name in present
        else _unset(each.form, count)
        for each in wanted
    ]
    return pa.table(arrays, schema=pa.schema([kind.schema.field(each.name) for each in wanted]))


def ordered(table: pa.Table, *keys: str) -> pa.Table:
    """Sort rows by columns: like rows side by side compress."""
    return table.take(pc.sort_indices(table, sort_keys=[(key, "ascending") for key in keys]))


_UNSET = {
    Form.ADDRESS: bytes(16),
    **dict.fromkeys(TEXTUAL, ""),
    Form.DATE: NO_DATE,
    Form.PORT: -1,
    Form.COUNT: -1,
    Form.FLAG: -1,
}


def _constant_unset(column: pa.ChunkedArray, form: Form) -> bool:
    if form is Form.TIME or not len(column):
        return form is not Form.TIME
    if form is Form.SECONDS:
        return bool(pc.all(pc.is_nan(column)).as_py())
    if form is Form.TEXTS:
        return not pc.max(pc.list_value_length(column)).as_py()
    unset = pa.scalar(_UNSET[form], column.type)
    return bool(pc.all(pc.equal(column, unset)).as_py())


def _unset(form: Form, count: int) -> pa.Array:
    if form is Form.SECONDS:
        return pa.repeat(pa.scalar(float("nan")), count)
    if form is Form.TEXTS:
        return pa.array([[]] * count, pa.list_(pa.string()))
    if form is Form.ADDRESS:
        return pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(16), count, [None, pa.py_buffer(bytes(16 * count))]
        )
    return pa.repeat(pa.scalar(_UNSET[form], ARROW[form]), count)
