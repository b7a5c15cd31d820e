"""A day's rows become one row for each destination, exactly as counting them by hand would."""

from collections import defaultdict
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from analytics.series import destinations
from analytics.series.destinations import COLUMNS, decode, encode, merged, summarise
from destinations import addresses, urls

BYTES = ("bytesIn", "bytesOut")
ADDRESSES = [addresses.parse(text) for text in ("192.0.2.1", "192.0.2.2", "2001:db8::5")]
TYPES = {"ts": pa.int64(), "srcIP": pa.binary(16), "destIP": pa.binary(16),
         "destPort": pa.int32(), "bytesIn": pa.int64(), "bytesOut": pa.int64()}  # fmt: skip
UNSET: dict[str, Any] = {"destIP": bytes(16), "destPort": -1, "bytesIn": -1, "bytesOut": -1}


def table(kind: str, rows: list[dict[str, Any]]) -> pa.Table:
    return pa.table(
        {
            name: pa.array(
                [row.get(name, UNSET.get(name, "")) for row in rows], TYPES.get(name, pa.string())
            )
            for name in COLUMNS[kind]
        }
    )


def row(source: int = 0, ts: int = 0, **fields: Any) -> dict[str, Any]:
    return {"ts": ts, "srcIP": ADDRESSES[source], **fields}


def told(tables: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    summary = summarise({kind: table(kind, rows) for kind, rows in tables.items()})
    assert summary.omitted == 0
    rows = summary.table.to_pylist()
    return {each.pop("destination"): each for each in rows}


def named(kind: str, fields: dict[str, Any]) -> str:
    if kind == "dns":
        return str(fields["query"])
    name = fields.get("sni", "") if kind == "tls" else ""
    if kind == "http":
        return urls.parse(fields["url"]).host if fields.get("url") else ""
    address = fields.get("destIP", bytes(16))
    return name or (addresses.render(address) if any(address) else "")


def by_hand(tables: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """The slow twin."""
    groups: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for kind, rows in tables.items():
        for each in rows:
            groups[named(kind, each)].append((kind, each))
    groups.pop("", None)
    out = {}
    for name, members in groups.items():
        said = {
            count: [fields[count] for _, fields in members if fields.get(count, -1) >= 0]
            for count in BYTES
        }
        out[name] = {
            **{kind: sum(each == kind for each, _ in members) for kind in destinations.KINDS},
            "sources": len({fields["srcIP"] for _, fields in members}),
            **{count: min(sum(said[count]), 2**53) if said[count] else -1 for count in BYTES},
            "first": min(fields["ts"] for _, fields in members),
            "last": max(fields["ts"] for _, fields in members),
        }
    return out


SOURCE = st.sampled_from(ADDRESSES)
DESTINATION = st.sampled_from([bytes(16), *ADDRESSES])
COUNT = st.sampled_from([-1, 0, 7, 2**62])
TIME = st.integers(0, 10**18)
HOST = st.sampled_from(["", "a.example", "b.example", "192.0.2.1"])
URL = st.sampled_from(
    ["", "http://a.example/x?y", "https://b.example:8443", "a.example/p", "b.example:443",
     "http://[2001:db8::5]/", "192.0.2.1/"]
)  # fmt: skip
ROWS = st.fixed_dictionaries(
    {
        "dns": st.lists(st.fixed_dictionaries({"ts": TIME, "srcIP": SOURCE, "query": HOST})),
        "ip": st.lists(
            st.fixed_dictionaries(
                {"ts": TIME, "srcIP": SOURCE, "destIP": st.sampled_from(ADDRESSES),
                 "bytesIn": COUNT, "bytesOut": COUNT}
            )
        ),
        "http": st.lists(
            st.fixed_dictionaries(
                {"ts": TIME, "srcIP": SOURCE, "url": URL, "bytesIn": COUNT, "bytesOut": COUNT}
            )
        ),
        "tls": st.lists(
            st.fixed_dictionaries({"ts": TIME, "srcIP": SOURCE, "destIP": DESTINATION, "sni": HOST})
        ),
    }
)  # fmt: skip


@settings(max_examples=60)
@given(ROWS)
def test_a_summary_counts_what_counting_by_hand_does(rows: dict[str, list[dict[str, Any]]]) -> None:
    assert told(rows) == by_hand(rows)


def test_the_urls_in_the_property_are_in_the_stored_spelling() -> None:
    for text in ("http://a.example/x?y", "https://b.example:8443", "http://[2001:db8::5]/"):
        assert urls.normalise(text) == text


def test_a_source_that_contacts_by_name_and_by_address_counts_once_each() -> None:
    rows = {
        "dns": [row(0, query="a.example"), row(0, query="a.example"), row(1, query="a.example")],
        "tls": [row(0, sni="a.example", destIP=ADDRESSES[1])],
    }
    assert told(rows)["a.example"]["sources"] == 2
    assert told(rows)["a.example"]["dns"] == 3


def test_bytes_that_nobody_said_stay_unset_and_huge_ones_do_not_wrap() -> None:
    unset = told({"ip": [row(destIP=ADDRESSES[0])]})["192.0.2.1"]
    assert (unset["bytesIn"], unset["bytesOut"]) == (-1, -1)
    huge = [row(destIP=ADDRESSES[0], bytesOut=2**62) for _ in range(8)]
    assert told({"ip": huge})["192.0.2.1"]["bytesOut"] == 2**53


def test_no_rows_and_no_tables_tell_nothing() -> None:
    assert summarise({}).table.num_rows == 0
    assert summarise({"dns": table("dns", [])}).table.schema == destinations.TABLE


def test_shards_merge_by_adding(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row(n % 3, ts=n, destIP=ADDRESSES[n % 2], bytesOut=n) for n in range(12)]
    whole = summarise({"ip": table("ip", rows)}).table
    shards = [
        summarise({"ip": table("ip", [each for each in rows if each["srcIP"] == source])}).table
        for source in ADDRESSES
    ]
    assert merged(shards).to_pylist() == whole.to_pylist()
    assert merged([]).num_rows == 0
    monkeypatch.setattr(destinations, "MOST", 1)
    assert merged(shards).num_rows == whole.num_rows


def test_the_most_used_are_kept_and_the_rest_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(destinations, "MOST", 2)
    names = ["c.example"] * 3 + ["b.example"] + ["a.example"] + ["d.example"] * 2
    summary = summarise({"dns": table("dns", [row(query=name) for name in names])})
    assert summary.omitted == 2
    assert summary.table.column("destination").to_pylist() == ["c.example", "d.example"]


def test_a_summary_is_read_back_as_it_was_written() -> None:
    summary = summarise({"ip": table("ip", [row(destIP=ADDRESSES[2], bytesIn=5)])}).table
    assert decode(encode(summary)).equals(summary)
