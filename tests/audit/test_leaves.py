import json
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given, strategies as st

from audit.leaves import canonical, instant, read_leaf, read_stamp

LEAF = {
    "schema": 1,
    "id": "0190a1b2-0000-7000-8000-000000000001",
    "source": "default",
    "sequenced": "2026-05-01T12:00:01.000000Z",
    "time": "2026-05-01T12:00:00.000000Z",
    "event": "staff.read",
    "actor": {"kind": "staff", "id": "1"},
    "tenant": None,
    "resource": "",
    "outcome": "success",
    "reason": "",
    "request_id": "",
    "detail": {"rows": 3, "page": "alerts"},
}

text = st.text(st.characters(exclude_categories=["Cs"]))
objects = st.dictionaries(
    st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.integers(-(2**53) + 1, 2**53 - 1) | text
)


def test_the_strings_of_rfc_8785_are_written_as_it_shows() -> None:
    # RFC 8785, 3.2.2.2 and 3.2.3: its example string.
    value = "\u20ac$\u000f\nA'\u0042\u0022\u005c\\\"/"
    assert canonical({"s": value}).decode() == r"""{"s":"€$\u000f\nA'B\"\\\\\"/"}"""


def test_keys_are_sorted_at_every_depth() -> None:
    assert canonical({"b": {"z": 1, "a": 2}, "a": 0}) == b'{"a":0,"b":{"a":2,"z":1}}'


@given(objects)
def test_whatever_a_field_holds_it_is_one_line_of_valid_json(value: dict[str, str | int]) -> None:
    encoded = canonical(value)
    assert json.loads(encoded) == value
    assert not any(byte < 0x20 for byte in encoded)
    assert canonical(dict(reversed(value.items()))) == encoded


def test_a_float_is_not_written_as_an_infinity() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        canonical({"a": float("inf")})


def test_an_instant_is_utc_with_microseconds() -> None:
    there = datetime(2026, 5, 1, 14, 0, tzinfo=timezone(timedelta(hours=2)))
    assert instant(there) == "2026-05-01T12:00:00.000000Z"
    assert instant(datetime(2026, 5, 1, 12, 0, 0, 5, tzinfo=UTC)) == "2026-05-01T12:00:00.000005Z"


def test_a_leaf_reads_back_as_it_was_written() -> None:
    leaf = read_leaf(canonical(LEAF))
    assert canonical(msgspec.to_builtins(leaf)) == canonical(LEAF)
    stamp = read_stamp(canonical(LEAF))
    assert (stamp.event, stamp.tenant) == ("staff.read", None)
