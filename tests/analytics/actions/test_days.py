"""When a day is looked at: once its hours are closed, once the stream is quiet, or at once."""

from datetime import date, datetime, timedelta

import pytest

from analytics.actions.days import LATENESS, QUIET, ShardDay, add_to_day
from analytics.models import EvaluationDay
from tenants.models import Work, WorkState
from tenants.scope import tenant_scope
from tests.analytics.engine import Engine

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
HOUR = timedelta(hours=1)
TARGET = ShardDay(1, date(2026, 5, 1))


@pytest.fixture
def since(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0) - 5 * HOUR


def add(
    engine: Engine,
    since: datetime,
    newest: datetime,
    *,
    urgent: bool = False,
    now: datetime | None = None,
) -> None:
    with tenant_scope(engine.tenant):
        add_to_day(
            tenant=engine.tenant,
            target=TARGET,
            since=since,
            newest=newest,
            urgent=urgent,
            now=now or engine.now,
        )


def waiting() -> list[datetime]:
    rows = Work.objects.filter(queue="analyse", state=WorkState.PENDING)
    return list(rows.order_by("due_at").values_list("due_at", flat=True))


def day(engine: Engine) -> EvaluationDay:
    with tenant_scope(engine.tenant):
        return EvaluationDay.objects.get(shard=TARGET.shard, day=TARGET.day)


def test_an_open_hour_waits_for_the_stream_to_fall_quiet(engine: Engine, since: datetime) -> None:
    add(engine, since, since + HOUR + LATENESS - timedelta(minutes=1))
    assert waiting() == [engine.now + QUIET]


def test_an_hour_closes_ten_minutes_behind_the_newest_event(
    engine: Engine, since: datetime
) -> None:
    add(engine, since, since + HOUR + LATENESS)
    assert waiting() == [engine.now]


def test_the_oldest_hour_that_was_not_looked_at_decides(engine: Engine, since: datetime) -> None:
    add(engine, since, since + HOUR)
    add(engine, since + HOUR, since + HOUR + LATENESS)
    assert waiting() == [engine.now]
    assert day(engine).dirty_since == since


def test_each_receipt_of_an_open_hour_starts_the_quiet_anew_and_there_is_one_row(
    engine: Engine, since: datetime
) -> None:
    for seconds in (0, 10, 20):
        add(engine, since, since, now=engine.now + timedelta(seconds=seconds))
    assert waiting() == [engine.now + timedelta(seconds=20) + QUIET]
    assert day(engine).generation == 3


def test_something_listed_is_looked_at_at_once(engine: Engine, since: datetime) -> None:
    add(engine, since, since, urgent=True)
    assert waiting() == [engine.now]


def test_what_is_due_is_not_put_off_by_what_comes_later(engine: Engine, since: datetime) -> None:
    add(engine, since, since, urgent=True)
    add(engine, since, since)
    assert waiting() == [engine.now]


def test_a_day_that_is_being_looked_at_gets_another_row(engine: Engine, since: datetime) -> None:
    add(engine, since, since, urgent=True)
    first = day(engine).work_id
    assert first is not None
    engine.lease(first)
    add(engine, since, since)
    assert waiting() == [engine.now + QUIET]
    assert day(engine).work_id != first


def test_bringing_a_day_forward_offers_it(
    engine: Engine, since: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: list[object] = []
    monkeypatch.setattr("tenants.offers.send", offered.extend)
    add(engine, since, since)
    assert offered == []
    add(engine, since, since, urgent=True)
    assert offered == [(day(engine).work_id, engine.tenant, "analyse")]
