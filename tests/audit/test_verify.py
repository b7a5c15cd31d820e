"""The offline check, against a log that somebody changed; without a database."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from audit import checkpoints
from audit.checkpoints import TreeHead
from audit.leaves import canonical
from audit.verify import UNSIGNED_FOR, Fault, Row, StoredCheckpoint, Verdict, verify
from crypto import signatures
from crypto.merkle import CompactRange, leaf_hash, leaf_hashes
from crypto.signatures import SigningKey

ORIGIN = "tawny.example/test"
SIGNER = signatures.generate(ORIGIN)
SIZE = 100
SIGNED = (10, 60, 90)
SEQUENCED = datetime(2026, 5, 1, 12, 0, 1, tzinfo=UTC)


def leaf(n: int, *, sequenced: str = "2026-05-01T12:00:01.000000Z") -> bytes:
    return canonical(
        {
            "id": f"0190a1b2-0000-7000-8000-{n:012x}",
            "event": "staff.read",
            "tenant": None,
            "time": "2026-05-01T12:00:00.000000Z",
            "sequenced": sequenced,
            "detail": {"n": n},
        }
    )


def row(idx: int, content: bytes, n: int) -> Row:
    return (
        idx,
        content,
        leaf_hash(content),
        f"0190a1b2-0000-7000-8000-{n:012x}",
        "staff.read",
        None,
        "2026-05-01T12:00:00.000000Z",
    )


def sign(rows: list[Row], size: int, *, signer: SigningKey = SIGNER) -> StoredCheckpoint:
    tree = CompactRange().extend(leaf_hashes(each[1] for each in rows[:size]))
    head = TreeHead(origin=ORIGIN, size=size, root=tree.root())
    return StoredCheckpoint(
        size=size, root=tree.root(), nodes=tree.encode(), note=checkpoints.sign(head, signer)
    )


@dataclass
class Log:
    rows: list[Row] = field(default_factory=lambda: [row(n, leaf(n), n) for n in range(SIZE)])
    checkpoints: list[StoredCheckpoint] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    now: datetime = SEQUENCED + UNSIGNED_FOR

    def __post_init__(self) -> None:
        self.checkpoints = [sign(self.rows, size) for size in SIGNED]
        self.outside = [self.checkpoints[-1].note]

    def check(self, *, page: int = 7) -> Verdict:
        pages = [self.rows[start : start + page] for start in range(0, len(self.rows), page)]
        return verify(
            pages=pages,
            checkpoints=self.checkpoints,
            key=SIGNER.verifying,
            origin=ORIGIN,
            now=lambda: self.now,
            outside=self.outside,
        )

    def renumber(self) -> None:
        self.rows = [(n, *each[1:]) for n, each in enumerate(self.rows)]

    def rewrite(self, idx: int, content: bytes) -> None:
        """Change a leaf and hide it from its stored hash."""
        self.rows[idx] = (idx, content, leaf_hash(content), *self.rows[idx][3:])


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.mark.parametrize("page", [1, 7, 10, 1000])
def test_a_whole_log_is_whole_however_it_is_cut(log: Log, page: int) -> None:
    verdict = log.check(page=page)
    assert verdict.ok
    assert verdict.first_bad is None
    assert (verdict.size, verdict.checkpoints, verdict.unsigned) == (100, 3, 10)
    assert verdict.root == CompactRange().extend(leaf_hashes(r[1] for r in log.rows)).root()


def test_an_empty_log_is_whole() -> None:
    verdict = verify(
        pages=[], checkpoints=[], key=SIGNER.verifying, origin=ORIGIN, now=lambda: SEQUENCED
    )
    assert verdict.ok
    assert verdict.size == 0


def test_leaves_that_nothing_signs_are_allowed_for_two_minutes(log: Log) -> None:
    assert (log.check().unsigned, log.check().allowed) == (10, 10)
    log.now += timedelta(microseconds=1)
    verdict = log.check()
    assert [(f.fault, f.first, f.last) for f in verdict.findings] == [(Fault.UNSIGNED, 90, 99)]
    assert (verdict.unsigned, verdict.allowed, verdict.first_bad) == (10, 0, 90)


def test_of_leaves_that_nothing_signs_the_older_are_named(log: Log) -> None:
    for n in range(95, SIZE):
        log.rewrite(n, leaf(n, sequenced="2026-05-01T12:03:00.000000Z"))
    log.now += timedelta(minutes=1)
    for page in (1, 7, 1000):
        verdict = log.check(page=page)
        assert [(f.fault, f.first, f.last) for f in verdict.findings] == [(Fault.UNSIGNED, 90, 94)]
        assert (verdict.unsigned, verdict.allowed) == (10, 5)


def test_a_leaf_from_the_future_is_not_young(log: Log) -> None:
    log.rewrite(99, leaf(99, sequenced="2027-05-01T12:00:00.000000Z"))
    assert [f.fault for f in log.check().findings] == [Fault.UNSIGNED]


@settings(max_examples=50)
@given(st.integers(0, SIZE - 1), st.data())
def test_one_flipped_bit_is_found_and_named(idx: int, data: st.DataObject) -> None:
    log = Log()
    changed = bytearray(log.rows[idx][1])
    bit = data.draw(st.integers(0, 8 * len(changed) - 1))
    changed[bit // 8] ^= 1 << bit % 8
    log.rows[idx] = (idx, bytes(changed), *log.rows[idx][2:])
    verdict = log.check()
    assert verdict.first_bad == idx
    assert verdict.findings[0].fault is Fault.HASH


def test_a_rewritten_leaf_with_its_hash_is_found_within_its_checkpoint(log: Log) -> None:
    log.rewrite(42, leaf(42).replace(b'"n":42', b'"n":43'))
    verdict = log.check()
    assert [(f.fault, f.first, f.last) for f in verdict.findings] == [(Fault.ROOT, 10, 59)]


def deleted(log: Log) -> None:
    del log.rows[42]


def inserted(log: Log) -> None:
    log.rows.insert(42, row(42, leaf(1000), 1000))
    log.renumber()


def reordered(log: Log) -> None:
    log.rows[42], log.rows[43] = log.rows[43], log.rows[42]
    log.renumber()


def deleted_and_renumbered(log: Log) -> None:
    del log.rows[42]
    log.renumber()


def repeated(log: Log) -> None:
    log.rows.insert(43, log.rows[42])


@pytest.mark.parametrize(
    ("change", "fault", "first", "last"),
    [
        (deleted, Fault.INDEX, 42, 42),
        (repeated, Fault.INDEX, 43, 43),
        (inserted, Fault.ROOT, 10, 59),
        (reordered, Fault.ROOT, 10, 59),
        (deleted_and_renumbered, Fault.ROOT, 10, 59),
    ],
)
def test_rows_that_came_went_or_moved_are_found(
    log: Log, change: Callable[[Log], None], fault: Fault, first: int, last: int
) -> None:
    change(log)
    finding = log.check().findings[0]
    assert (finding.fault, finding.first, finding.last) == (fault, first, last)


def test_a_cut_tail_is_found_by_a_checkpoint_that_was_kept_elsewhere(log: Log) -> None:
    del log.rows[70:]
    log.checkpoints.pop()
    verdict = log.check()
    assert [(f.fault, f.first, f.last) for f in verdict.findings] == [(Fault.MISSING, 70, 89)]
    log.outside.clear()
    assert log.check().ok, "without one, nobody can know"


def test_an_older_state_of_everything_is_found_from_outside(log: Log) -> None:
    old = Log()
    old.rows = log.rows[:60]
    old.checkpoints = log.checkpoints[:2]
    assert old.check().first_bad == 60


def test_a_log_that_was_signed_again_with_another_key_is_found(log: Log) -> None:
    forger = signatures.generate(ORIGIN)
    log.rows[42] = row(42, leaf(1000), 1000)
    log.checkpoints = [sign(log.rows, size, signer=forger) for size in SIGNED]
    verdict = log.check()
    assert {finding.fault for finding in verdict.findings} == {Fault.CHECKPOINT, Fault.ROOT}


def test_a_fork_that_the_real_key_signed_is_found_from_outside(log: Log) -> None:
    log.rows[42] = row(42, leaf(1000), 1000)
    log.checkpoints = [sign(log.rows, size) for size in SIGNED]
    verdict = log.check()
    assert [(f.fault, f.last) for f in verdict.findings] == [(Fault.ROOT, 89)]


def test_a_checkpoint_whose_columns_were_changed_is_named(log: Log) -> None:
    for changed in (
        replace(log.checkpoints[1], root=bytes(32)),
        replace(log.checkpoints[1], nodes=bytes(32 * 4)),
        replace(log.checkpoints[1], nodes=b""),
        replace(log.checkpoints[1], note=log.checkpoints[0].note),
        replace(log.checkpoints[1], note="nothing"),
    ):
        other = Log()
        other.checkpoints = [log.checkpoints[0], changed, log.checkpoints[2]]
        finding = other.check().findings[0]
        assert (finding.fault, finding.first, finding.last) == (Fault.CHECKPOINT, 10, 59)


def test_a_checkpoint_from_outside_that_is_none_is_a_fault(log: Log) -> None:
    log.outside = ["no note\n"]
    assert log.check().findings[0].fault is Fault.CHECKPOINT


@pytest.mark.parametrize("column", [3, 4, 5, 6])
def test_a_column_that_says_other_than_its_leaf_is_found(log: Log, column: int) -> None:
    changed = list(log.rows[42])
    changed[column] = "0190a1b2-0000-7000-8000-0000000000ff"
    log.rows[42] = tuple(changed)  # type: ignore[assignment]  # one value of a row was changed
    verdict = log.check()
    assert verdict.findings[0].fault is Fault.COLUMNS
    assert verdict.first_bad == 42


@pytest.mark.parametrize("content", [b"\xff", b"[]", b'{"id":1}'])
def test_a_leaf_that_is_no_entry_is_found(log: Log, content: bytes) -> None:
    log.checkpoints = []
    log.outside = []
    log.rewrite(42, content)
    verdict = log.check()
    assert verdict.findings[0].fault is Fault.LEAF
    assert verdict.first_bad == 42


def test_a_clock_that_went_back_is_noted_and_the_log_stays_whole(log: Log) -> None:
    for n in range(50, SIZE):
        content = leaf(n, sequenced="2026-05-01T11:00:00.000000Z")
        log.rows[n] = row(n, content, n)
    log.checkpoints = [sign(log.rows, size) for size in (*SIGNED, SIZE)]
    log.outside = []
    verdict = log.check()
    assert verdict.ok
    assert verdict.clock_back == (50,)
