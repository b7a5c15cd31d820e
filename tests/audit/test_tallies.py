from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from audit.actors import Actor
from audit.events import EventType
from audit.models import Entry, Tally
from audit.record import tally
from audit.scope import all_tenants_audit
from audit.sequencer import Sequencer
from audit.verify import Verdict

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "wisdom"])

Start = Callable[[], Sequencer]
Check = Callable[..., Verdict]
InScope = Callable[..., Any]

ENGINE = Actor(kind="engine", id="e1")


def entries() -> list[Entry]:
    with all_tenants_audit("reader", using="default"):
        return list(Entry.objects.order_by("idx"))


def test_a_minute_s_count_enters_once_the_minute_is_over(
    start: Start, clock: Any, check: Check
) -> None:
    for items in (10, 20):
        tally(
            event=EventType.WISDOM_ASKED,
            actor=ENGINE,
            tenant=None,
            now=clock(),
            items=items,
            using="wisdom",
        )
    one = start()
    clock.move(seconds=60)
    assert one.step().rows == 0
    clock.move(seconds=1)
    assert one.step().rows == 1
    assert one.step().rows == 0
    (entry,) = entries()
    leaf = entry.content()
    assert leaf.detail == {"calls": 2, "items": 30}
    assert (leaf.time, leaf.actor.id, leaf.tenant) == ("2026-05-01T12:00:00.000000Z", "e1", None)
    assert check().ok


def test_a_late_count_enters_as_the_difference(start: Start, clock: Any, in_scope: InScope) -> None:
    tenant = UUID("0190a1b2-0000-7000-8000-00000000000a")
    key = Actor(kind="key", id="k1")
    minute = clock()

    def count(items: int) -> None:
        with in_scope(tenant):
            tally(
                event=EventType.EVENTS_ACCEPTED, actor=key, tenant=tenant, now=minute, items=items
            )

    one = start()
    count(100)
    clock.move(seconds=90)
    one.step()
    count(7)
    one.step()
    assert [entry.content().detail for entry in entries()] == [
        {"calls": 1, "items": 100},
        {"calls": 1, "items": 7},
    ]
    assert {entry.tenant for entry in entries()} == {tenant}
    with in_scope(tenant):
        (row,) = Tally.objects.all()
    assert (row.emitted_calls, row.emitted_items) == (2, 107)
