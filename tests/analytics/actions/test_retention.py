"""Retention: each kind of row goes when its time since receipt is over, and not before."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from analytics.actions.retention import SERIES, retain
from analytics.models import (
    Alert,
    AlertChange,
    IdentityRun,
    InboxPart,
    Segment,
    SourceSketch,
    Window,
)
from tenants.models import UsageDay, Work, WorkState
from tenants.scope import tenant_scope
from tests.analytics.engine import BAD, Engine, reporting

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


@pytest.fixture
def filled(engine: Engine) -> Engine:
    engine.wisdom = reporting("c2")
    engine.send([engine.event(number, destIP=BAD) for number in range(3)])
    engine.evaluate()
    engine.sequence()
    return engine


def left(engine: Engine) -> dict[str, int]:
    with tenant_scope(engine.tenant):
        return {
            model._meta.db_table: model.objects.count()
            for model in (InboxPart, IdentityRun, Segment, SourceSketch, Alert, AlertChange)
        }


@pytest.mark.parametrize(
    ("age", "gone"),
    [
        (timedelta(hours=23), set()),
        (timedelta(hours=25), {"inbox_part"}),
        (timedelta(hours=71), {"inbox_part"}),
        (timedelta(hours=97), {"inbox_part", "identity_run"}),
        (timedelta(days=89), {"inbox_part", "identity_run"}),
        (timedelta(days=92), {"inbox_part", "identity_run", "segment", "source_sketch"}),
        (timedelta(days=399), {"inbox_part", "identity_run", "segment", "source_sketch"}),
        (timedelta(days=401), None),
    ],
)
def test_each_kind_has_its_time(filled: Engine, age: timedelta, gone: set[str] | None) -> None:
    before = left(filled)
    assert all(before.values())
    retain(tenant=filled.tenant, now=filled.now + age)
    after = left(filled)
    assert {name for name, count in after.items() if not count} == (
        set(before) if gone is None else gone
    )


def test_a_request_that_waits_or_failed_is_kept_whatever_its_age(engine: Engine) -> None:
    works = [engine.accept([engine.event(number)]) for number in range(3)]
    Work.objects.filter(id=works[0]).update(state=WorkState.DEAD)
    engine.lease(works[1])
    retain(tenant=engine.tenant, now=engine.now + timedelta(days=30))
    assert Work.objects.count() == 3
    assert left(engine)["inbox_part"] == 3


def test_work_goes_with_its_inbox(filled: Engine) -> None:
    deleted = retain(tenant=filled.tenant, now=filled.now + timedelta(hours=25))
    assert deleted["work"] == 3  # ingest, analyse, sequence
    assert Work.objects.count() == 0


def test_windows_go_with_the_series(filled: Engine) -> None:
    with tenant_scope(filled.tenant):
        assert [window.events for window in Window.objects.all()] == [3]
    retain(tenant=filled.tenant, now=filled.now + timedelta(days=90, hours=-1))
    with tenant_scope(filled.tenant):
        assert [window.events for window in Window.objects.all()] == [3]
    retain(tenant=filled.tenant, now=filled.now + timedelta(days=92))
    with tenant_scope(filled.tenant):
        assert Window.objects.count() == 0


def test_retention_counts_from_receipt_not_from_the_events_time(engine: Engine) -> None:
    engine.send([engine.event(-400 * 86_400)])
    retain(tenant=engine.tenant, now=engine.now + timedelta(days=30))
    assert left(engine)["segment"] == 1


def test_a_neighbours_rows_stay(
    filled: Engine, now: datetime, as_owner: Callable[..., Any]
) -> None:
    neighbour = UUID(int=5)
    retain(tenant=neighbour, now=now + timedelta(days=900))
    assert all(left(filled).values())
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("tawny_app",)
    with as_owner() as session:
        assert session.execute("SELECT count(*) FROM segment").fetchone() == (1,)


def test_counts_of_usage_go_with_the_series(engine: Engine) -> None:
    engine.send([engine.event()])
    for days, left in ((0, 1), (1, 0)):
        retain(tenant=engine.tenant, now=engine.now + SERIES + timedelta(days=days))
        with tenant_scope(engine.tenant):
            assert UsageDay.objects.count() == left
