"""Events as they are shown again: strict types, one spelling, nothing that is null."""

import math

import msgspec
from hypothesis import given, settings, strategies as st

from analytics.ingest.batches import to_batch
from analytics.ingest.echo import event_of
from analytics.ingest.events import DNS, IP, DnsEvent, Header, IpEvent

NOW = 1_777_636_800 * 10**9  # 2026-05-01T12:00:00Z
TEXTS = st.text(max_size=12)
ADDRESSES = st.sampled_from(["192.0.2.1", "2001:db8::1", "::ffff:198.51.100.7", "::", "fe80::1%e"])
COUNTS = st.one_of(st.just(-1), st.integers(0, 2**63 - 1))
EVENTS = st.builds(
    IpEvent,
    ts=st.integers(946_684_800, 1_777_636_800),
    srcIP=ADDRESSES,
    destIP=ADDRESSES,
    srcPort=st.integers(-1, 65_535),
    srcHost=TEXTS,
    labels=st.lists(TEXTS, max_size=3),
    localOrig=st.sampled_from([None, True, False]),
    bytesIn=COUNTS,
    duration=st.one_of(st.just(math.nan), st.floats(0, 1e12)),
    app=TEXTS,
)


def echoed(event: Header) -> dict[str, object]:
    kind = DNS if isinstance(event, DnsEvent) else IP
    batch, rejected = to_batch([event], kind, now=NOW)
    assert rejected == {}
    return event_of(batch, 0, kind)


def test_an_event_is_shown_in_the_wires_names_and_spelling() -> None:
    event = DnsEvent(
        ts="2026-05-01T14:00:00.123456789+02:00",
        srcIP="::ffff:192.0.2.1",
        query="EXAMPLE.com.",
        qtype="A",
        answers=("198.51.100.7", ""),
        localOrig=False,
    )
    assert echoed(event) == {
        "ts": "2026-05-01T12:00:00.123456Z",
        "srcIP": "192.0.2.1",
        "query": "example.com",
        "qtype": "A",
        "answers": ["198.51.100.7"],
        "localOrig": False,
    }


@given(EVENTS)
@settings(deadline=None)
def test_nothing_shown_is_null_and_what_is_shown_is_the_same_event(event: IpEvent) -> None:
    shown = echoed(event)
    assert None not in shown.values()
    assert {"ts", "srcIP", "destIP"} <= shown.keys()
    again = msgspec.convert(shown, IpEvent)
    assert echoed(again) == shown


def test_a_column_that_was_not_read_is_not_shown() -> None:
    batch, _ = to_batch([IpEvent(ts=1, srcIP="192.0.2.1", destIP="192.0.2.2")], IP, now=10**18)
    assert batch.num_rows == 0  # the year 1970 is a clock that was never set
    sound, _ = to_batch(
        [IpEvent(ts=1777636800, srcIP="192.0.2.1", destIP="192.0.2.2", app="ssl")], IP, now=NOW
    )
    assert event_of(sound.select(["ts", "app"]), 0, IP) == {
        "ts": "2026-05-01T12:00:00.000000Z",
        "app": "ssl",
    }
