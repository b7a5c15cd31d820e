"""The sweeper: a thread in every worker that offers again what waits."""

import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import DatabaseError

from config import sweeper
from config.celery import QUEUES


@pytest.fixture(autouse=True)
def _stopped() -> Iterator[None]:
    yield
    sweeper.stop()


def sweeping(monkeypatch: pytest.MonkeyPatch, deed: Callable[[int], None]) -> threading.Event:
    """Run the sweeper with a sweep of its own; the event is set at its third turn."""
    turns: list[int] = []
    third = threading.Event()

    def sweep(*, queues: tuple[str, ...]) -> int:
        assert queues == QUEUES
        turns.append(1)
        if len(turns) == 3:
            third.set()
        deed(len(turns))
        return 0

    monkeypatch.setattr(sweeper, "sweep", sweep)
    monkeypatch.setattr(sweeper, "keep_time", lambda: None)
    monkeypatch.setattr(sweeper, "EVERY_SECONDS", 0.005)
    return third


def sweepers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "sweeper"]


def test_a_ready_worker_sweeps_until_it_shuts_down(monkeypatch: pytest.MonkeyPatch) -> None:
    third = sweeping(monkeypatch, lambda turn: None)  # noqa: ARG005 -- it only counts
    sweeper.start(sender="worker")
    assert third.wait(10)
    (thread,) = sweepers()
    assert thread.daemon
    sweeper.stop(sender="worker")
    thread.join(10)
    assert not sweepers()


def test_a_database_that_is_away_is_asked_again_and_nothing_private_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(turn: int) -> None:
        if turn < 3:
            raise DatabaseError("DETAIL: (10.0.0.1)")

    third = sweeping(monkeypatch, fail)
    sweeper.start()
    assert third.wait(10)
    sweeper.stop()
    for thread in sweepers():
        thread.join(10)
    assert "DatabaseError" in caplog.text
    assert "10.0.0.1" not in caplog.text
