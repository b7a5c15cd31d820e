"""Segments as bytes: what goes in comes out, and what is unset costs nothing."""

import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings, strategies as st

from analytics.ingest.events import DNS, IP, KINDS, TEXTUAL, Form, Kind
from analytics.ingest.times import NO_DATE
from analytics.series import codec

INT64 = st.integers(-(2**63), 2**63 - 1)
VALUES = {
    Form.TIME: INT64,
    Form.ADDRESS: st.one_of(st.just(bytes(16)), st.binary(min_size=16, max_size=16)),
    **dict.fromkeys(TEXTUAL, st.text(max_size=8)),
    Form.DATE: INT64,
    Form.TEXTS: st.lists(st.text(max_size=4), max_size=3),
    Form.PORT: st.integers(-1, 65_535),
    Form.COUNT: st.one_of(st.just(-1), INT64),
    Form.SECONDS: st.one_of(st.just(math.nan), st.floats()),
    Form.FLAG: st.integers(-1, 1),
}
UNSET = {
    **dict.fromkeys(TEXTUAL, ""),
    Form.DATE: NO_DATE,
    **dict.fromkeys((Form.PORT, Form.COUNT, Form.FLAG), -1),
    Form.TIME: 0,
    Form.ADDRESS: bytes(16),
    Form.TEXTS: [],
    Form.SECONDS: math.nan,
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[Kind, pa.Table]:
    kind = draw(st.sampled_from(list(KINDS.values())))
    count = draw(st.integers(0, 12))
    columns = {
        column.name: draw(
            st.one_of(
                st.just([UNSET[column.form]] * count),
                st.lists(VALUES[column.form], min_size=count, max_size=count),
            )
        )
        for column in kind.columns
    }
    return kind, pa.table(columns, schema=kind.schema)


def rows(table: pa.Table) -> list[str]:
    return [str(row) for row in table.to_pylist()]  # as text: NaN equals itself there


@given(tables())
@settings(max_examples=60, deadline=None)
def test_every_table_comes_back_as_it_was(given_table: tuple[Kind, pa.Table]) -> None:
    kind, table = given_table
    back = codec.decode(codec.encode(table, kind), kind)
    assert back.schema == kind.schema
    assert rows(back) == rows(table)


@given(tables(), st.sets(st.sampled_from([column.name for column in IP.columns])))
@settings(max_examples=40, deadline=None)
def test_some_columns_come_back_alone_in_the_kinds_order(
    given_table: tuple[Kind, pa.Table], wanted: set[str]
) -> None:
    kind, table = given_table
    back = codec.decode(codec.encode(table, kind), kind, columns=tuple(wanted))
    names = [column.name for column in kind.columns if column.name in wanted]
    assert back.column_names == names
    if names:
        assert rows(back) == rows(table.select(names))


def test_columns_that_are_unset_are_left_out() -> None:
    unset = {column.name: [UNSET[column.form]] * 3 for column in DNS.columns}
    table = pa.table(unset, schema=DNS.schema)
    assert pq.read_schema(pa.BufferReader(codec.encode(table, DNS))).names == ["ts"]
    for column in DNS.columns[1:]:
        set_once = dict(unset)
        value = {"destIP": b"\1" * 16, "srcIP": b"\1" * 16}.get(column.name) or (
            ["a"] if column.form is Form.TEXTS else "a" if UNSET[column.form] == "" else 1
        )
        set_once[column.name] = [UNSET[column.form], value, UNSET[column.form]]
        encoded = codec.encode(pa.table(set_once, schema=DNS.schema), DNS)
        assert column.name in pq.read_schema(pa.BufferReader(encoded)).names


def test_a_table_of_chunks_is_encoded_whole() -> None:
    table = pa.table(
        {column.name: [UNSET[column.form]] * 2 for column in IP.columns}, schema=IP.schema
    )
    twice = pa.concat_tables([table, table])
    assert codec.decode(codec.encode(twice, IP), IP).num_rows == 4


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_rows_are_sorted_by_the_keys_in_turn(kind: Kind) -> None:
    table = pa.table(
        {
            column.name: [2, 1, 1] if column.name == "ts" else [UNSET[column.form]] * 3
            for column in kind.columns
        },
        schema=kind.schema,
    )
    labels = pa.array([["c"], ["b"], ["a"]], pa.list_(pa.string()))
    table = table.set_column(table.column_names.index("labels"), "labels", labels)
    ordered = codec.ordered(table, "srcIP", "ts")
    assert ordered.column("ts").to_pylist() == [1, 1, 2]
    assert ordered.column("labels").to_pylist() == [["b"], ["a"], ["c"]]
