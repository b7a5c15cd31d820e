"""What is rejected is found without making columns, and is what the columns then lack."""

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from analytics.ingest.batches import to_batch
from analytics.ingest.checks import rejections
from analytics.ingest.events import DNS, HTTP, IP, KINDS, LEASE, TLS, Kind
from analytics.ingest.reasons import Reason
from destinations import addresses, names, urls

NOW = 1_777_636_800 * 10**9  # 2026-05-01T12:00:00Z
TIMES = ["2026-05-01T12:00:00Z", "2026-05-01T13:00:00.5+0100", "2026-05-03T12:00:00Z", "", "-",
         "soon", "1999-01-01T00:00:00Z", 1777636800, 0]  # fmt: skip
HOSTS = ["192.0.2.1", "2001:db8::1%eth0", "", "-", "192.0.2.256", "a.example"]
LONG = "a." * 200
NAMES = ["www.example.com", "", "-", LONG, "ü" * 63, "."]
PLACES = ["http://a.example/", "http://", "", "-", "a.example/x", f"http://{LONG}/"]
FIELDS: dict[str, list[Any]] = {
    "ts": TIMES, "srcIP": HOSTS, "destIP": HOSTS, "query": NAMES, "sni": NAMES, "url": PLACES,
}  # fmt: skip


def slow(event: Any, kind: Kind) -> Reason | None:
    """Look at one event's fields in turn; a time's reason is `read_times`' own."""
    for column in kind.columns:
        value = getattr(event, column.name)
        unset = isinstance(value, str) and value.strip() in {"", "-"}
        if column.name == "ts":
            found = rejections(
                [kind.make({"ts": value, "srcIP": "192.0.2.1", **SOUND.get(kind.name, {})})],
                kind,
                now=NOW,
            )
            if found:
                return found[0]
        elif column.name in {"srcIP", "destIP"}:
            if unset and column.missing:
                return column.missing
            if not unset and not _parses(addresses.parse, value.strip()):
                return column.invalid
        elif column.name in {"query", "sni"}:
            if not unset and value != "." and not _parses(names.normalise, value):
                return column.invalid
        elif column.name == "url" and (unset or not _parses(urls.normalise, value)):
            return column.invalid
    return None


SOUND: dict[str, dict[str, Any]] = {
    "ip": {"destIP": "192.0.2.2"}, "http": {"url": "http://a.example/"},
}  # fmt: skip


def _parses(parse: Any, text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


@st.composite
def events(draw: st.DrawFn) -> tuple[Kind, list[Any]]:
    kind = draw(st.sampled_from(list(KINDS.values())))
    held = {column.name for column in kind.columns}
    one = st.fixed_dictionaries(
        {},
        optional={name: st.sampled_from(values) for name, values in FIELDS.items() if name in held},
    )
    return kind, [kind.make(fields) for fields in draw(st.lists(one, max_size=8))]


@given(events())
@settings(max_examples=200)
def test_the_rejections_are_those_of_each_event_alone(given_events: tuple[Kind, list[Any]]) -> None:
    kind, each = given_events
    found = rejections(each, kind, now=NOW)
    assert found == {
        row: reason for row, event in enumerate(each) if (reason := slow(event, kind)) is not None
    }


@given(events())
@settings(max_examples=100)
def test_a_batch_holds_what_was_not_rejected(given_events: tuple[Kind, list[Any]]) -> None:
    kind, each = given_events
    batch, rejected = to_batch(each, kind, now=NOW)
    assert batch.num_rows == len(each) - len(rejections(each, kind, now=NOW))
    assert batch.num_rows + sum(rejected.values()) == len(each)
    assert batch.schema == kind.schema


@pytest.mark.parametrize(
    ("kind", "fields", "reason"),
    [
        (HTTP, {"url": "http://"}, Reason.URL_INVALID),
        (HTTP, {}, Reason.URL_INVALID),
        (HTTP, {"url": "http://a.example", "destIP": "x"}, Reason.DEST_INVALID),
        (TLS, {"sni": LONG}, Reason.DEST_INVALID),
        (DNS, {"query": LONG}, Reason.QUERY_INVALID),
        (IP, {}, Reason.DEST_MISSING),
        (LEASE, {"srcIP": ""}, Reason.SRC_MISSING),
    ],
)
def test_each_kind_needs_what_it_is_about(
    kind: Kind, fields: dict[str, Any], reason: Reason
) -> None:
    event = kind.make({"ts": 1777636800, "srcIP": "192.0.2.1", **fields})
    assert rejections([event], kind, now=NOW) == {0: reason}


@pytest.mark.parametrize(
    ("kind", "fields"),
    [(DNS, {}), (DNS, {"query": "."}), (TLS, {}), (LEASE, {}), (HTTP, {"url": "a.example:443"})],
    ids=["a message without a question", "the root", "a bare handshake", "a bare lease", "CONNECT"],
)
def test_no_kind_needs_more(kind: Kind, fields: dict[str, Any]) -> None:
    event = kind.make({"ts": 1777636800, "srcIP": "192.0.2.1", **fields})
    assert rejections([event], kind, now=NOW) == {}


def test_every_field_that_can_be_wrong_can_be_read() -> None:
    for kind in KINDS.values():
        assert rejections([kind.make({})], kind, now=NOW) == {0: Reason.TS_MISSING}
