"""Who was told to wait costs nobody anything until the wait is over."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.actors import Actor
from tenants import limits, refusals
from tenants.actions import create_tenant
from tenants.auth import Caller
from tenants.errors import Limited
from tenants.plans import Limits, Plan, Rate
from tests.tenants.doors import get, post

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
WIDE = Rate(per_second=1e9, burst=1e9)


@pytest.fixture(autouse=True)
def _two_requests(settings: Any) -> None:
    few = Rate(per_second=2, burst=2)
    settings.LIMITS = {
        Plan.FULL: Limits(
            key_requests=few,
            tenant_requests=few,
            key_octets=WIDE,
            tenant_octets=WIDE,
            events_a_day=None,
            days=None,
        )
    }


def send(key: str, body: bytes = b"{}", **more: Any) -> Any:
    return post("/v1/events/ip", body, key=key, **more)


def refused(key: str, ask: Callable[[str], Any]) -> Any:
    """Ask until it is refused."""
    return next(answer for answer in (ask(key) for _ in range(9)) if answer.status_code > 400)


def alerts(key: str) -> Any:
    return get("/v1/alerts", key=key)


@pytest.mark.parametrize(("ask", "status"), [(send, 503), (alerts, 429)])
def test_a_refusal_is_repeated_without_a_query_until_its_wait_is_over(
    ask: Callable[[str], Any], status: int, tenant: tuple[UUID, str]
) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        first = refused(tenant[1], ask)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            again = ask(tenant[1])
        assert len(asked) == 0
        assert (first.status_code, again.status_code) == (status, status)
        assert again.content == first.content
        for name in ("Retry-After", "RateLimit", "RateLimit-Policy"):
            assert again[name] == first[name]
        clock.shift(0.51)
        assert ask(tenant[1]).status_code == 200


def test_another_key_another_door_and_another_tenant_are_asked_for_themselves(
    tenant: tuple[UUID, str], now: datetime
) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False):
        refused(tenant[1], send)
        assert alerts(tenant[1]).status_code == 200
        actor = Actor(kind="shell", id="test")
        other = create_tenant(name="second.example", actor=actor, reason="test", now=now)
        assert send(other.api_key).status_code == 200
        assert send("twy_nobody").status_code == 401


def test_every_refusal_is_counted_in_the_audit_logs_minute(
    tenant: tuple[UUID, str], as_owner: Any
) -> None:
    moment = datetime.now(UTC)
    with time_machine.travel(moment, tick=False):
        answers = [send(tenant[1]).status_code for _ in range(20)]
    refusals.tell_left(now=moment)
    with as_owner() as session:
        (calls,) = session.execute(
            "SELECT sum(calls) FROM audit_tally WHERE event = 'requests.limited'"
        ).fetchone()
    assert calls == answers.count(503) == 18


def test_a_small_body_of_a_refused_request_is_read_away_and_a_broken_length_matters_not(
    tenant: tuple[UUID, str],
) -> None:
    refused(tenant[1], send)
    assert send(tenant[1], b"x" * (1 << 20)).status_code == 503
    assert send(tenant[1], CONTENT_LENGTH="none").status_code == 503


def test_no_refusal_is_remembered_past_its_longest(now: datetime) -> None:
    who = Caller(tenant=UUID(int=1), key="K" * 12)
    refusal = Limited("wait", status=503, retry_after=3_600, headers={})
    refusals.hold("K", refusal, door=limits.EVENTS, tenant=who.tenant, key=who.key, now=now)
    for late in (timedelta(seconds=1), -timedelta(seconds=1)):  # a clock may be set back
        refusals.hold("K", refusal, door=limits.EVENTS, tenant=who.tenant, key=who.key, now=now)
        refusals.repeat("K", door=limits.EVENTS, now=now + late)
