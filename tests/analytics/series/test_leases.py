"""Who had an address at a time."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

from analytics.ingest.batches import to_batch
from analytics.ingest.events import LEASE, LeaseEvent
from analytics.series.leases import LASTS, Leases
from destinations import addresses

DAY = 1_777_593_600
NOW = (DAY + 86_400) * 10**9
HERE = addresses.parse("192.0.2.1")


def lease(second: int, host: str, **fields: Any) -> LeaseEvent:
    return LeaseEvent(ts=DAY + second, srcIP="192.0.2.1", srcHost=host, **fields)


def table(*events: LeaseEvent) -> pa.Table:
    return to_batch(events, LEASE, now=NOW)[0]


def host(leases: Leases, second: int, source: bytes = HERE) -> str:
    return leases.at(source, (DAY + second) * 10**9).get("srcHost", "")


def test_a_lease_names_the_source_from_its_time_on() -> None:
    leases = Leases(table(lease(100, "one", srcUser="u", srcMac="AA:BB")))
    assert [host(leases, second) for second in (99, 100, 5000)] == ["", "one", "one"]
    named = leases.at(HERE, NOW - 1)
    assert named == {"srcHost": "one", "srcUser": "u", "srcMac": "aa:bb"}
    assert host(leases, 200, addresses.parse("192.0.2.2")) == ""


def test_the_next_lease_takes_the_address_over() -> None:
    leases = Leases(table(lease(500, "two"), lease(100, "one")))
    assert [host(leases, second) for second in (499, 500)] == ["one", "two"]


@pytest.mark.parametrize("end", [{"termination": True}, {"duration": 0}])
def test_a_lease_that_was_ended_names_nobody(end: dict[str, Any]) -> None:
    leases = Leases(table(lease(100, "one"), lease(300, "one", **end)))
    assert [host(leases, second) for second in (299, 300, 301)] == ["one", "", ""]


def test_a_lease_ends_with_its_duration_or_after_a_day() -> None:
    leases = Leases(table(lease(0, "one", duration=60)))
    assert [host(leases, second) for second in (59, 60)] == ["one", ""]
    open_end = Leases(table(lease(0, "one")))
    assert open_end.at(HERE, DAY * 10**9 + LASTS - 1)
    assert not open_end.at(HERE, DAY * 10**9 + LASTS)


@given(st.permutations([lease(5, "a"), lease(5, "b"), lease(9, "c"), lease(9, "", srcUser="u")]))
def test_the_order_in_which_leases_came_decides_nothing(events: list[LeaseEvent]) -> None:
    leases = Leases(table(*events))
    assert [host(leases, second) for second in (5, 8, 9)] == ["b", "b", "c"]
