"""The order of changes: no gap and no repeat for a reader, whatever commits when."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from django.db import connections, transaction

from analytics.actions.evaluation import SEQUENCE_QUEUE
from analytics.models import AlertChange, AlertSequence
from crypto.ids import uuid7
from tenants import offers
from tenants.models import Work, WorkState
from tenants.scope import tenant_scope
from tests.analytics.engine import BAD, Engine, reporting

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


@pytest.fixture
def alert(engine: Engine) -> UUID:
    engine.wisdom = reporting("c2")
    engine.send([engine.event(destIP=BAD)])
    engine.evaluate()
    engine.sequence()
    (row,) = engine.alerts()
    return row.id


def change(engine: Engine, alert: UUID) -> UUID:
    """Write a change as an evaluation does; inside the tenant's scope."""
    row = AlertChange.objects.create(
        id=uuid7(engine.now), alert_id=alert, kind="updated", severity=3
    )
    offers.add_work(
        tenant=engine.tenant, queue=SEQUENCE_QUEUE, due_at=engine.now, events=1, now=engine.now
    )
    return row.id


@contextmanager
def another_writes(engine: Engine, alert: UUID) -> Iterator[threading.Event]:
    """Another process has written a change and commits when the event is set."""
    written, commit = threading.Event(), threading.Event()

    def write() -> None:
        try:
            with tenant_scope(engine.tenant):
                change(engine, alert)
                written.set()
                commit.wait(20)
        finally:
            connections.close_all()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert written.wait(20)
        yield commit
    finally:
        commit.set()
        thread.join(20)


def places(engine: Engine) -> list[int | None]:
    return [seq for seq, _ in engine.changes()]


def waits() -> bool:
    return Work.objects.filter(queue=SEQUENCE_QUEUE, state=WorkState.PENDING).exists()


def test_changes_get_places_from_one_on(engine: Engine, alert: UUID) -> None:
    with tenant_scope(engine.tenant):
        change(engine, alert)
        change(engine, alert)
    assert engine.sequence() == 2
    assert places(engine) == [1, 2, 3]
    assert not waits()
    assert engine.sequence() == 0


def test_a_change_waits_while_an_earlier_one_may_still_commit(engine: Engine, alert: UUID) -> None:
    with another_writes(engine, alert) as commit:
        with tenant_scope(engine.tenant):
            later = change(engine, alert)
        assert engine.sequence() == 0
        assert waits()
        assert places(engine) == [1, None]
        commit.set()
    assert engine.sequence() == 2
    assert places(engine) == [1, 2, 3]
    with tenant_scope(engine.tenant):
        assert AlertChange.objects.get(id=later).seq == 3  # it was begun later
    assert not waits()


def test_what_is_rolled_back_leaves_no_gap(engine: Engine, alert: UUID) -> None:
    with tenant_scope(engine.tenant):
        change(engine, alert)
        transaction.set_rollback(True)
    assert places(engine) == [1]
    with tenant_scope(engine.tenant):
        change(engine, alert)
    assert engine.sequence() == 1
    assert places(engine) == [1, 2]


class Beside:
    """Threads with connections of their own; what goes wrong in one is raised by `joined`."""

    def __init__(self) -> None:
        self.errors: list[BaseException] = []
        self.threads: list[threading.Thread] = []

    def start(self, deed: Callable[[], object]) -> None:
        def run() -> None:
            try:
                deed()
            except BaseException as error:  # noqa: BLE001 -- raised again by whoever joins
                self.errors.append(error)
            finally:
                connections.close_all()

        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()

    def joined(self) -> None:
        for thread in self.threads:
            thread.join(20)
        if self.errors:
            raise self.errors[0]


def test_a_reader_never_sees_a_place_below_one_that_it_has_seen(
    engine: Engine, alert: UUID
) -> None:
    """Four writers with their own transactions, a sequencer and a reader at the same time."""
    writers, sequencer, stop = Beside(), Beside(), threading.Event()

    def write() -> None:
        for _ in range(12):
            with tenant_scope(engine.tenant):
                change(engine, alert)

    def order() -> None:
        while not stop.is_set():
            engine.sequence()

    for _ in range(4):
        writers.start(write)
    sequencer.start(order)
    seen: list[int] = []
    while len(seen) < 49 and not writers.errors and not sequencer.errors:
        with tenant_scope(engine.tenant):
            new = AlertChange.objects.filter(seq__gt=max(seen, default=0)).order_by("seq")
            seen += [seq for seq in new.values_list("seq", flat=True) if seq is not None]
    stop.set()
    writers.joined()
    sequencer.joined()
    assert seen == list(range(1, 50))


def test_one_tenants_order_is_not_anothers(engine: Engine, alert: UUID) -> None:
    neighbour = UUID(int=7)
    with tenant_scope(neighbour):
        AlertSequence.objects.create(epoch=1, last=41)
    with tenant_scope(engine.tenant):
        change(engine, alert)
    assert engine.sequence() == 1
    assert places(engine) == [1, 2]
    with tenant_scope(neighbour):
        assert AlertSequence.objects.get().last == 41


def test_the_work_of_a_sequencer_that_died_is_taken_up_after_its_lease(
    engine: Engine, alert: UUID
) -> None:
    with tenant_scope(engine.tenant):
        change(engine, alert)
    (work,) = Work.objects.filter(queue=SEQUENCE_QUEUE, state=WorkState.PENDING)
    engine.lease(work.id)
    assert engine.sequence() == 0
    Work.objects.filter(id=work.id).update(lease_until=engine.now.replace(year=2000))
    assert engine.sequence() == 1
