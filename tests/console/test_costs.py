"""What a page costs: the same number of statements for three tenants and for two hundred."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connections
from django.test import Client

from audit.actors import Actor
from audit.events import EventType
from audit.record import tally
from console.engine import tenants as listing
from crypto.ids import uuid7
from tenants.models import KeyIndex, Tenant, Work
from tenants.scope import tenant_scope
from tests.console.people import START, Clock, Person

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])

GATE = 4
"""The session, the person, the device, the session's row."""
TOLD = 3
"""Of an owner: alarms, what waits for an approval, what waits for a review."""
READ = 1
"""The row of the audit log, or the count of its minute."""
MANY = 200
CEILINGS = {
    "/console/": 22,
    "/console/live/": 22,
    "/console/tenants/": 11,
    "/console/tenants/?heard=silent": 13,
    "/console/tenants/?q=site&state=active&keys=none": 11,
    "/console/tenants/export/?as=csv": 11,
    "/console/feeds/": 1,
    "/console/jobs/?state=dead": 3,
    "/console/jobs/live/": 1,
    "/console/audit/": 12,
    "/console/audit/?q=tenant": 12,
    "/console/keys/": 6,
    "/console/staff/": 3,
    "/console/system/": 10,
    "/console/search/?q=site": 6,
}
"""Statements of each page on all databases together, besides the gate's; none grows with rows."""


def fill(count: int, *, first: int = 0) -> None:
    tenants = Tenant.objects.bulk_create(
        Tenant(id=uuid7(START), name=f"Site {number:03d}", created_at=START)
        for number in range(first, first + count)
    )
    KeyIndex.objects.bulk_create(
        KeyIndex(
            id=f"{number:012d}", tenant=each, pepper=1, mac=bytes(32), scopes=[], created_at=START,
            expires_at=START + timedelta(days=3),
        )
        for number, each in enumerate(tenants, first)
    )  # fmt: skip
    Work.objects.bulk_create(
        Work(
            id=uuid7(START), tenant_id=each.id, queue="ingest", state="dead", due_at=START,
            created_at=START,
        )
        for each in tenants
    )  # fmt: skip
    for each in tenants:
        with tenant_scope(each.id):
            tally(
                event=EventType.EVENTS_ACCEPTED,
                actor=Actor(kind="key", id="a"),
                tenant=each.id,
                now=START - timedelta(minutes=90),
                items=7,
            )


@contextmanager
def counted() -> Iterator[list[str]]:
    """Collect the statements of every database."""
    said: list[str] = []

    def note(execute: object, sql: str, *rest: object) -> object:
        said.append(sql)
        return execute(sql, *rest)  # type: ignore[operator] # Django's wrapper

    with (
        connections["default"].execute_wrapper(note),
        connections["keys"].execute_wrapper(note),
        connections["wisdom"].execute_wrapper(note),
    ):
        yield said


def costs(browser: Client) -> dict[str, int]:
    found = {}
    for where, ceiling in CEILINGS.items():
        with counted() as said:
            answer = browser.get(where)
            assert answer.status_code == 200, where
            if answer.streaming:
                assert b"Site 002" in b"".join(answer.streaming_content)  # type: ignore[attr-defined] # it streams
        found[where] = len(said) - GATE - READ - TOLD
        assert found[where] <= ceiling, (where, "\n".join(said))
    return found


def test_a_page_costs_as_much_for_two_hundred_tenants_as_for_three(
    jo: Person, clock: Clock
) -> None:
    browser = jo.sign_in().browser
    clock.advance(seconds=5)
    fill(3)
    costs(browser)  # what a process reads once is read
    few = costs(browser)
    fill(MANY - 3, first=3)
    many = costs(browser)
    assert many == few
    page = browser.get("/console/tenants/").context
    assert len(page["rows"]) == listing.TENANTS_PER_PAGE
    assert page["following"] == f"Site {listing.TENANTS_PER_PAGE - 1:03d}"
    assert len(browser.get("/console/").context["totals"].silent) == MANY
