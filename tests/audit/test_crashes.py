"""What breaks off, or comes back as another, loses and repeats nothing."""

import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import Error, connections, transaction

from audit import checkpoints, log, sequencer
from audit.errors import AnotherSequencer
from audit.sequencer import Sequencer
from audit.verify import Verdict

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "wisdom"])

Deed = Callable[..., UUID]
Start = Callable[[], Sequencer]
Check = Callable[..., Verdict]
Logged = Callable[[], list[UUID]]
AsOwner = Callable[..., Any]


def test_a_crash_before_the_commit_leaves_the_step_before(
    deed: Deed, start: Start, logged: Logged, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    deed()
    start().step()
    deed()

    def crash(*_args: Any) -> None:
        raise OSError("the machine went away")

    with monkeypatch.context() as patch:
        patch.setattr(log, "save_position", crash)
        with pytest.raises(OSError, match="went away"):
            start().step()
    assert len(logged()) == 1
    start().step(flush=True)
    assert len(logged()) == 2
    assert check().ok


def test_a_crash_between_commit_and_file_is_made_good_at_the_next_start(
    deed: Deed, start: Start, check: Check, checkpoint_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deed()
    start().step()

    def crash(*_args: Any) -> None:
        raise OSError("the disk is full")

    deed()
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "write_atomically", crash)
        with pytest.raises(OSError, match="full"):
            start().step(flush=True)
    assert "\n1\n" in checkpoint_path.read_text()
    start().step()
    assert "\n2\n" in checkpoint_path.read_text()
    assert check(checkpoint_path.read_text()).ok


def test_a_sequencer_that_is_cut_off_anywhere_loses_and_repeats_nothing(
    deed: Deed, start: Start, logged: Logged, check: Check, as_owner: AsOwner
) -> None:
    chance = random.Random(7)
    expected = []
    cut = 0
    with as_owner() as session:
        for _ in range(12):
            with transaction.atomic():
                expected += [deed() for _ in range(20)]
            pid = connections["default"].connection.info.backend_pid
            kill = threading.Timer(
                chance.uniform(0, 0.03),
                session.execute,
                ["SELECT pg_terminate_backend(%s)", [pid]],
            )
            kill.start()
            try:
                start().step(flush=True)
            except Error:
                cut += 1
            kill.join()
            connections["default"].close()
    start().step(flush=True)
    assert sorted(logged()) == sorted(expected)
    assert check().ok
    assert cut > 0


def test_a_second_sequencer_is_refused_while_the_first_is_in_a_step(
    deed: Deed, start: Start, as_owner: AsOwner
) -> None:
    deed()
    with as_owner() as session, session.transaction():
        session.execute("SELECT pg_advisory_xact_lock(%s)", [log.LOCK_KEY])
        with pytest.raises(AnotherSequencer):
            start().step()
    assert start().step().rows == 1


@pytest.mark.parametrize("source", ["default", "wisdom"])
def test_a_restored_server_is_read_again_and_nothing_enters_twice(
    *,
    source: str,
    deed: Deed,
    start: Start,
    logged: Logged,
    check: Check,
    as_owner: AsOwner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sequencer, "BATCH", 2)
    first = [deed(using=source) for _ in range(5)]
    one = start()
    while one.step().more:
        pass
    with as_owner() as session:  # as in a new cluster: another identity, smaller xids
        session.execute(
            "UPDATE audit_cursor SET cluster = 'another/1', xid = '99999999' WHERE source = %s",
            [source],
        )
    second = [deed(using=source) for _ in range(3)]
    while one.step().more:
        pass
    third = [deed(using=source)]
    one.step(flush=True)
    assert sorted(logged()) == sorted(first + second + third)
    assert check().ok


def test_a_server_whose_count_fell_back_is_read_again(
    deed: Deed, start: Start, logged: Logged, as_owner: AsOwner
) -> None:
    deed()
    start().step()
    with as_owner() as session:
        session.execute("UPDATE audit_cursor SET xid = '99999999' WHERE source = 'default'")
    deed()
    start().step()
    assert len(logged()) == 2


def test_the_log_grows_over_restarts_and_stays_one_tree(
    deed: Deed, start: Start, clock: Any, check: Check, checkpoint_path: Path
) -> None:
    for _ in range(8):
        deed()
        start().step()
        clock.move(seconds=40)
    start().step(flush=True)
    verdict = check(checkpoint_path.read_text())
    assert verdict.ok
    assert (verdict.size, verdict.unsigned) == (8, 0)
