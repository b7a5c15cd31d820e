"""Offers of work: lost, doubled and late messages cost time, never work."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from kombu.exceptions import OperationalError

from crypto.ids import uuid7
from tenants import offers
from tenants.models import Work, WorkState
from tenants.models.work import MAX_CLAIMS, claim
from tenants.offers import OFFER_AGAIN_SECONDS, add_work, send, sweep

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
TENANT = UUID(int=1)
QUEUES = ("ingest", "analyse")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def now() -> datetime:
    """The machine's clock: the sweep goes by the database's."""
    return datetime.now(UTC)


class Broker:
    """Takes messages, or cannot be reached."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, dict[str, str], str]] = []
        self.is_down = False

    def send_task(self, name: str, *, kwargs: dict[str, str], queue: str, retry: bool) -> None:
        assert not retry  # a request never waits for a broker
        if self.is_down:
            raise OperationalError("refused")
        self.messages.append((name, kwargs, queue))


@pytest.fixture(autouse=True)
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    broker = Broker()
    monkeypatch.setattr(offers, "current_app", broker)
    return broker


def add(now: datetime, *, due_at: datetime | None = None, queue: str = "ingest") -> UUID:
    return add_work(tenant=TENANT, queue=queue, due_at=due_at or now, events=0, now=now)


def made_earlier(now: datetime, **columns: Any) -> UUID:
    row = {"queue": "ingest", "due_at": now - MINUTE, "created_at": now - MINUTE, **columns}
    return Work.objects.create(id=uuid7(now), tenant_id=TENANT, **row).id


def test_a_message_names_a_tenant_and_a_row_and_nothing_else(broker: Broker, now: datetime) -> None:
    work = add(now)
    expected = ("analytics.ingest", {"tenant": str(TENANT), "work": str(work)}, "ingest")
    assert broker.messages == [expected]


def test_a_message_is_sent_on_commit_and_not_without(broker: Broker, now: datetime) -> None:
    with transaction.atomic():
        add(now)
        assert broker.messages == []
    assert len(broker.messages) == 1
    with transaction.atomic():
        add(now)
        transaction.set_rollback(True)
    assert len(broker.messages) == 1
    assert Work.objects.count() == 1


def test_what_is_due_later_is_not_offered_before(broker: Broker, now: datetime) -> None:
    work = add(now, due_at=now + MINUTE)
    assert sweep(queues=QUEUES) == 0
    Work.objects.filter(id=work).update(due_at=now)
    assert sweep(queues=QUEUES) == 1
    assert len(broker.messages) == 1


def test_the_sequencers_queue_gets_no_message(broker: Broker, now: datetime) -> None:
    add(now, queue="sequence")
    assert send([(UUID(int=3), TENANT, "sequence")]) == 0
    assert broker.messages == []


def test_a_lost_message_is_sent_again_but_not_at_every_sweep(broker: Broker, now: datetime) -> None:
    work = add(now)
    broker.messages.clear()  # lost
    assert sweep(queues=QUEUES) == 0
    Work.objects.update(offered_at=now - timedelta(seconds=OFFER_AGAIN_SECONDS + 1))
    assert sweep(queues=QUEUES) == 1
    assert sweep(queues=QUEUES) == 0
    assert broker.messages[0][1]["work"] == str(work)


def test_a_broker_that_is_down_fails_no_request_and_is_tried_again(
    broker: Broker, now: datetime
) -> None:
    broker.is_down = True
    with transaction.atomic():
        work = add(now)
    assert Work.objects.filter(id=work, state=WorkState.PENDING).exists()
    broker.is_down = False
    Work.objects.update(offered_at=None)
    assert sweep(queues=QUEUES) == 1


def test_expired_leases_are_offered_and_live_ones_are_not(broker: Broker, now: datetime) -> None:
    gone = made_earlier(now, state=WorkState.LEASED, lease_until=now - MINUTE)
    made_earlier(now, state=WorkState.LEASED, lease_until=now + MINUTE)
    for state in (WorkState.DONE, WorkState.DEAD):
        made_earlier(now, state=state)
    made_earlier(now, queue="feeds")
    assert sweep(queues=QUEUES) == 1
    assert broker.messages[0][1]["work"] == str(gone)
    assert claim(gone, lease=MINUTE) is not None


def test_a_sweep_offers_the_oldest_first_and_only_so_many(broker: Broker, now: datetime) -> None:
    works = [made_earlier(now, due_at=now - MINUTE * (9 - n)) for n in range(5)]
    assert sweep(queues=QUEUES, limit=2) == 2
    assert {each[1]["work"] for each in broker.messages} == {str(work) for work in works[:2]}
    assert sweep(queues=QUEUES, limit=9) == 3


def test_what_killed_its_workers_is_dead_and_the_audit_log_says_so(
    now: datetime, as_owner: Callable[..., Any]
) -> None:
    work = made_earlier(now, state=WorkState.LEASED, lease_until=now - MINUTE, attempt=MAX_CLAIMS)
    assert sweep(queues=QUEUES) == 0
    assert Work.objects.get(id=work).state == WorkState.DEAD
    with as_owner() as session:
        rows = session.execute(
            "SELECT tenant, resource FROM audit_stage WHERE event = 'work.dead'"
        ).fetchall()
    assert rows == [(TENANT, f"work:{work}")]
