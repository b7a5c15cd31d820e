"""The race that a cursor over ids loses: an earlier id that becomes visible later."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from time import sleep
from typing import Any
from uuid import UUID

import pytest
from django.db import connections, transaction

from audit.ordering import settled
from audit.sequencer import Sequencer
from audit.verify import Verdict

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "wisdom"])

Deed = Callable[..., UUID]
Start = Callable[[], Sequencer]
Check = Callable[..., Verdict]
Logged = Callable[[], list[UUID]]


class OpenTransaction:
    """A transaction of another connection, held open until it is told to end."""

    def __init__(self, using: str) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._atomic = transaction.Atomic(using, savepoint=True, durable=False)
        self._using = using
        self._thread.submit(self._atomic.__enter__).result()

    def run(self, deed: Deed) -> UUID:
        return self._thread.submit(deed, using=self._using).result()

    def end(self, error: type[Exception] | None = None) -> None:
        value = error() if error else None
        self._thread.submit(self._atomic.__exit__, error, value, None).result()
        self._thread.submit(connections.close_all).result()
        self._thread.shutdown()


@pytest.fixture(params=["default", "wisdom"])
def slow(request: pytest.FixtureRequest) -> OpenTransaction:
    return OpenTransaction(request.param)


def test_an_earlier_id_that_commits_later_is_not_missed(
    slow: OpenTransaction, deed: Deed, start: Start, logged: Logged, clock: Any
) -> None:
    early = slow.run(deed)
    clock.move(seconds=1)
    late = deed(using=slow._using)
    assert early < late
    one = start()
    assert one.step().rows == 0, "the later one waits for the earlier"
    slow.end()
    assert one.step().rows == 2
    assert logged() == [early, late]


def test_a_transaction_that_rolls_back_holds_nothing_up(
    slow: OpenTransaction, deed: Deed, start: Start, logged: Logged
) -> None:
    slow.run(deed)
    kept = deed(using=slow._using)
    slow.end(ZeroDivisionError)
    assert start().step().rows == 1
    assert logged() == [kept]


def test_a_transaction_that_began_earlier_and_wrote_later_comes_later(
    slow: OpenTransaction, deed: Deed, start: Start, logged: Logged
) -> None:
    first = deed(using=slow._using)
    one = start()
    assert one.step().rows == 1
    second = slow.run(deed)
    slow.end()
    one.step()
    assert logged() == [first, second]


def test_what_is_settled_never_falls_and_stays_below_what_runs(
    slow: OpenTransaction, deed: Deed
) -> None:
    with connections[slow._using].cursor() as cursor:
        before = settled(cursor)
        slow.run(deed)
        during = settled(cursor)
        slow.end()
        after = settled(cursor)
    assert before <= during < after


def test_many_writers_of_different_length_lose_nothing(
    start: Start, deed: Deed, logged: Logged, check: Check
) -> None:
    def write(seed: int) -> list[UUID]:
        chance = Random(seed)
        ids = []
        for _ in range(15):
            with transaction.atomic():
                ids.append(deed())
                sleep(chance.uniform(0, 0.01))
        connections.close_all()
        return ids

    one = start()
    with ThreadPoolExecutor(max_workers=6) as writers:
        running = [writers.submit(write, seed) for seed in range(6)]
        while not all(each.done() for each in running):
            one.step()
        expected = [each for writer in running for each in writer.result()]
    one.step(flush=True)
    assert sorted(logged()) == sorted(expected)
    assert check().ok
