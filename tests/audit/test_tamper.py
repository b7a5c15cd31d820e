"""What a superuser does to the database, the check finds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from audit.sequencer import Sequencer
from audit.verify import Fault, Verdict

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "wisdom"])

Deed = Callable[..., UUID]
Start = Callable[[], Sequencer]
Check = Callable[..., Verdict]
AsOwner = Callable[..., Any]
Tamper = Callable[..., None]

LEAVES = 9


@pytest.fixture
def kept(deed: Deed, start: Start, clock: Any, checkpoint_path: Path) -> str:
    """A log of nine entries and three checkpoints, the newest of which somebody kept."""
    one = start()
    for n in range(LEAVES):
        deed()
        clock.move(seconds=1)
        one.step(flush=n % 3 == 2)
    return checkpoint_path.read_text()


@pytest.fixture
def tamper(as_owner: AsOwner) -> Callable[..., None]:
    def tamper(*statements: str) -> None:
        with as_owner() as session:
            session.execute("SET session_replication_role = replica")
            for each in statements:
                session.execute(each)

    return tamper


MOVED = "UPDATE audit_log SET idx = idx + 100 WHERE idx >= 4"
BACK = "UPDATE audit_log SET idx = idx - 99 WHERE idx >= 100"
CUT = "DELETE FROM audit_log WHERE idx >= 5"
REWRITTEN = (
    "UPDATE audit_log SET leaf ="
    " convert_to(replace(convert_from(leaf, 'UTF8'), 'ticket', 'errand'), 'UTF8') WHERE idx = 4"
)
COPIED = (
    "INSERT INTO audit_log SELECT 4, leaf, leaf_hash, stage, tenant, event, occurred_at"
    " FROM audit_log WHERE idx = 3"
)
CASES: dict[str, tuple[tuple[str, ...], Fault, int]] = {
    "one bit": (
        ("UPDATE audit_log SET leaf = set_bit(leaf, 100, 1 - get_bit(leaf, 100)) WHERE idx = 4",),
        Fault.HASH,
        4,
    ),
    "one bit and the stored hash": (
        (
            REWRITTEN,
            "UPDATE audit_log SET leaf_hash = sha256('\\x00'::bytea || leaf) WHERE idx = 4",
        ),
        Fault.ROOT,
        4,
    ),
    "deletion": (("DELETE FROM audit_log WHERE idx = 4",), Fault.INDEX, 4),
    "insertion": (
        (
            MOVED,
            BACK,
            COPIED,
        ),
        Fault.ROOT,
        4,
    ),
    "reorder": (
        (
            "UPDATE audit_log SET idx = 100 WHERE idx = 4",
            "UPDATE audit_log SET idx = 4 WHERE idx = 5",
            "UPDATE audit_log SET idx = 5 WHERE idx = 100",
        ),
        Fault.ROOT,
        4,
    ),
    "cut tail": ((CUT, "DELETE FROM audit_checkpoint WHERE size > 5"), Fault.MISSING, 5),
    "a column": (
        ("UPDATE audit_log SET event = 'staff.login' WHERE idx = 4",),
        Fault.COLUMNS,
        4,
    ),
    "a checkpoint": (
        ("UPDATE audit_checkpoint SET root = sha256('') WHERE size = 6",),
        Fault.CHECKPOINT,
        4,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_every_change_is_found_and_its_place_named(
    case: str, kept: str, tamper: Tamper, check: Check
) -> None:
    statements, fault, place = CASES[case]
    assert check(kept).ok
    tamper(*statements)
    verdict = check(kept)
    finding = verdict.findings[0]
    assert finding.fault is fault
    assert finding.first <= place <= finding.last
    assert finding.last - finding.first < (4 if fault is Fault.MISSING else 3)


def test_an_older_backup_is_found_by_a_checkpoint_from_outside(
    kept: str, tamper: Tamper, check: Check
) -> None:
    tamper(
        "DELETE FROM audit_log WHERE idx >= 6",
        "DELETE FROM audit_checkpoint WHERE size > 6",
        "UPDATE audit_head SET size = 6,"
        " nodes = (SELECT nodes FROM audit_checkpoint WHERE size = 6)",
    )
    assert check().ok, "in itself it is whole"
    verdict = check(kept)
    assert (verdict.findings[0].fault, verdict.first_bad) == (Fault.MISSING, 6)


def test_a_fork_that_the_stolen_database_went_on_with_is_found(
    *, kept: str, tamper: Tamper, check: Check, deed: Deed, start: Start, checkpoint_path: Path
) -> None:
    tamper(
        "DELETE FROM audit_log WHERE idx >= 6",
        "DELETE FROM audit_checkpoint WHERE size > 6",
        "UPDATE audit_head SET size = 6,"
        " nodes = (SELECT nodes FROM audit_checkpoint WHERE size = 6)",
    )
    checkpoint_path.unlink()
    for _ in range(5):
        deed()
    start().step(flush=True)
    assert check().ok, "the signer saw nothing: its file was taken away"
    verdict = check(kept)
    assert (verdict.findings[0].fault, verdict.first_bad, verdict.findings[0].last) == (
        Fault.ROOT,
        6,
        8,
    )


def test_deleting_every_checkpoint_hides_nothing(
    kept: str, tamper: Tamper, check: Check, clock: Any
) -> None:
    tamper("DELETE FROM audit_checkpoint", *CASES["reorder"][0])
    assert (check().unsigned, check().allowed) == (LEAVES, LEAVES), "as in a log's first minute"
    assert not check(kept).ok
    clock.move(minutes=3)
    verdict = check()
    assert [(each.fault, each.first, each.last) for each in verdict.findings] == [
        (Fault.UNSIGNED, 0, LEAVES - 1)
    ]
