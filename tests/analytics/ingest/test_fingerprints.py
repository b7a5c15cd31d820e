"""Identities: equal exactly where the normalised events are, and counted as the contract says."""

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from analytics.ingest import fingerprints as fingerprints_module
from analytics.ingest.batches import to_batch
from analytics.ingest.events import (
    DNS,
    HTTP,
    IP,
    KINDS,
    LEASE,
    TEXTUAL,
    DnsEvent,
    Form,
    Header,
    IpEvent,
    Kind,
)
from analytics.ingest.fingerprints import (
    earlier,
    fingerprints,
    merged,
    multiplicities,
    ordinals,
)

NOW = 1_777_636_800 * 10**9  # 2026-05-01T12:00:00Z
KEY = bytes(32)
SOUND: dict[str, Any] = {"ts": 1777636800, "srcIP": "192.0.2.1", "destIP": "198.51.100.7"}
PRINTS = st.lists(st.integers(0, 6), max_size=40).map(lambda each: np.array(each, dtype=np.uint64))
OTHER = {
    Form.TIME: "2026-05-01T12:00:00.000000001Z",
    Form.ADDRESS: "203.0.113.9",
    Form.NAME: "other.example",
    Form.TEXT: "Other",
    Form.LOWER: "other",
    Form.TEXTS: ["other"],
    Form.PORT: 0,
    Form.COUNT: 0,
    Form.SECONDS: 0.0,
    Form.FLAG: False,
    Form.METHOD: "PUT",
    Form.URL: "http://other.example/",
    Form.DATE: "2026-05-01T12:00:00Z",
    Form.HASH: "ab" * 20,
}


def prints_of(*events: Header, kind: Kind = IP, key: bytes = KEY) -> list[int]:
    batch, rejected = to_batch(events, kind, now=NOW)
    assert rejected == {}
    return [int(each) for each in fingerprints(batch, kind, key=key)]


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, column.name) for kind in KINDS.values() for column in kind.columns]
)
def test_each_field_changed_changes_the_fingerprint(kind: Kind, name: str) -> None:
    form = next(column.form for column in kind.columns if column.name == name)
    sound = {**SOUND, **({"url": "http://a.example/"} if kind is HTTP else {})}
    if kind is LEASE:
        del sound["destIP"]
    changed = kind.make({**sound, name: OTHER[form]})
    one, other = prints_of(kind.make(sound), changed, kind=kind)
    assert one != other


def test_a_kind_and_a_key_have_fingerprints_of_their_own() -> None:
    event: dict[str, Any] = {"ts": 1777636800, "srcIP": "192.0.2.1"}
    one = prints_of(DnsEvent(**event, destIP="192.0.2.2"), kind=DNS)
    assert one != prints_of(IpEvent(**event, destIP="192.0.2.2"))
    assert one != prints_of(DnsEvent(**event, destIP="192.0.2.2"), kind=DNS, key=bytes([1] * 32))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"srcHost": "a"}, {"srcHost": " a "}),
        ({"proto": "TCP"}, {"proto": "tcp"}),
        ({"ts": "2026-05-01T12:00:00Z"}, {"ts": 1777636800000}),
        ({"srcIP": "192.0.2.1"}, {"srcIP": "::ffff:192.0.2.1"}),
        ({"labels": []}, {"labels": ["", "-"]}),
        ({"duration": 0.0}, {"duration": -0.0}),
        ({"connID": ""}, {"connID": "-"}),
    ],
)
def test_spellings_of_one_event_are_one(one: dict[str, object], other: dict[str, object]) -> None:
    first, second = prints_of(IP.make({**SOUND, **one}), IP.make({**SOUND, **other}))
    assert first == second


TEXT = st.text(st.sampled_from("ab\\x1f\x1e\x1f -"), max_size=6)
FIELDS = st.fixed_dictionaries(
    {"srcHost": TEXT, "srcUser": TEXT, "labels": st.lists(TEXT, max_size=3), "app": TEXT}
)


@given(FIELDS, FIELDS)
@settings(max_examples=300, deadline=None)
def test_fingerprints_are_equal_where_the_normalised_events_are_and_nowhere_else(
    one: dict[str, object], other: dict[str, object]
) -> None:
    events = [IP.make({**SOUND, **fields}) for fields in (one, other)]
    batch, _ = to_batch(events, IP, now=NOW)
    prints = fingerprints(batch, IP, key=KEY)
    rows = [str(row) for row in batch.to_pylist()]  # as text: an unset duration equals itself
    assert (prints[0] == prints[1]) == (rows[0] == rows[1])


def test_a_batchs_part_has_the_fingerprints_of_its_rows() -> None:
    events = [IP.make({**SOUND, "connID": str(n)}) for n in range(6)]
    batch, _ = to_batch(events, IP, now=NOW)
    whole = fingerprints(batch, IP, key=KEY)
    assert fingerprints(batch.slice(2, 3), IP, key=KEY).tolist() == whole[2:5].tolist()
    assert len(fingerprints(batch.slice(0, 0), IP, key=KEY)) == 0


@given(PRINTS)
def test_ordinals_count_the_equal_ones_before(prints: np.ndarray) -> None:
    seen: Counter[int] = Counter()
    slow = []
    for each in prints.tolist():
        slow.append(seen[each])
        seen[each] += 1
    assert ordinals(prints).tolist() == slow


@given(PRINTS, PRINTS)
def test_earlier_looks_up_what_is_known(prints: np.ndarray, before: np.ndarray) -> None:
    known = Counter(before.tolist())
    distinct, counts = multiplicities(before)
    assert dict(zip(distinct.tolist(), counts.tolist(), strict=True)) == known
    assert earlier(prints, distinct, counts).tolist() == [known[each] for each in prints.tolist()]


@given(st.lists(PRINTS, max_size=4))
def test_merged_keeps_the_highest_multiplicity(requests: list[np.ndarray]) -> None:
    slow: Counter[int] = Counter()
    for request in requests:
        slow |= Counter(request.tolist())
    prints, counts = merged([multiplicities(request) for request in requests])
    assert prints.tolist() == sorted(slow)
    assert dict(zip(prints.tolist(), counts.tolist(), strict=True)) == slow


def test_an_event_has_the_identity_that_the_first_release_gave_it() -> None:
    event = {
        "ts": 1777636800, "srcIP": "192.0.2.1", "destIP": "198.51.100.7", "srcHost": "h",
        "connID": "c", "labels": ("a", "b"),
    }  # fmt: skip
    assert prints_of(IP.make({**event, "bytesIn": 5, "proto": "tcp"})) == [9651990024966678306]
    assert prints_of(DNS.make({**event, "query": "a.example"}), kind=DNS) == [7731532732962383936]


def slowly(batch: pa.Table, kind: Kind) -> list[bytes]:
    """Join each row's texts one by one."""
    first = [c for c in kind.columns if c.form in TEXTUAL and not c.later]
    lists = [c for c in kind.columns if c.form is Form.TEXTS]
    rows = []
    for row in batch.to_pylist():
        text = "\x1f".join(
            [*(row[c.name] for c in first), *("\x1e".join(row[c.name]) for c in lists)]
        )
        for column in kind.columns:
            if column.later and row[column.name]:
                text += f"\x1d{column.name}=\x1d{row[column.name]}"
        rows.append(text.encode())
    return rows


@given(
    st.sampled_from(list(KINDS.values())),
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "srcHost": st.text(max_size=4),
                "labels": st.lists(st.text(max_size=3), max_size=3).map(tuple),
                "dataOrigin": st.text(max_size=3),
                "dataScope": st.text(max_size=3),
            },
        ),
        max_size=5,
    ),
)
def test_texts_are_joined_as_one_by_one(kind: Kind, fields: list[dict[str, Any]]) -> None:
    needed = {"ip": {"destIP": "192.0.2.9"}, "http": {"url": "http://a.example/"}}
    sound = {"ts": 1777636800, "srcIP": "192.0.2.1", **needed.get(kind.name, {})}
    batch, _ = to_batch([kind.make({**sound, **each}) for each in fields], kind, now=NOW)
    assert fingerprints_module._texts(batch, kind) == slowly(batch, kind)
