"""What is older than the contract keeps goes in whole epochs, and everything stays provable."""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connections, transaction

from audit import feed
from audit.checkpoints import TreeHead, opened, sign
from audit.errors import NotSealed
from audit.models import Entry, Epoch
from audit.retiring import RETENTION, Swept, retire
from audit.scope import all_tenants_audit, bulk_cursor
from audit.sequencer import Sequencer
from audit.verify import Verdict
from crypto.merkle import includes, leaf_hash
from crypto.signatures import SigningKey
from tests.audit.conftest import ORIGIN, STAFF, Clock
from tests.conftest import _Reached

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "wisdom"])

SIZE = 512
"""Leaves of an epoch here: two stored nodes, so that a test need not make a million."""
SECONDS = 60
TENANT = UUID("0190a1b2-0000-7000-8000-0000000000aa")
Deed = Callable[..., UUID]
AsOwner = Callable[..., Any]


@pytest.fixture(autouse=True)
def _deployment(settings: Any, checkpoint_path: Path) -> None:
    settings.AUDIT_ORIGIN = ORIGIN
    settings.CHECKPOINT_FILE = str(checkpoint_path)


@pytest.fixture(autouse=True)
def small_epochs(as_owner: AsOwner) -> Iterator[None]:
    """Cut the log into partitions of 512 leaves for this test."""

    def cut(width: int, count: int, number: int) -> None:
        with as_owner() as session:
            session.execute("SET session_replication_role = replica")
            for name in [
                row[0]
                for row in session.execute(
                    "SELECT inhrelid::regclass::text FROM pg_inherits"
                    " WHERE inhparent = 'audit_log'::regclass"
                ).fetchall()
            ]:
                if not name.endswith("default"):
                    session.execute(f"DROP TABLE {name}")
            session.execute("TRUNCATE audit_log_default")
            session.execute("DROP TABLE IF EXISTS audit_log_00000000, audit_log_00000001")
            for n in range(count):
                session.execute(
                    "SELECT audit_partition('audit_log', %s, %s, %s)",
                    [f"{n + number:08}", str(n * width), str((n + 1) * width)],
                )
            if number:  # names that the sequencer would make partitions of a million under
                for n in range(2):
                    session.execute(f"CREATE TABLE audit_log_{n:08} ()")
            session.execute(
                "DO $$ DECLARE name text; BEGIN FOR name IN SELECT inhrelid::regclass::text"
                " FROM pg_inherits WHERE inhparent = 'audit_log'::regclass LOOP"
                " EXECUTE format('ALTER TABLE %s OWNER TO tawny_owner', name); END LOOP; END $$"
            )

    cut(SIZE, 6, 10)
    yield
    connections["default"].close()
    cut(1 << 20, 2, 0)


@pytest.fixture
def grow(
    deed: Deed, start: Callable[[], Sequencer], clock: Clock, checkpoint_path: Path
) -> Callable[[int], list[str]]:
    """Let the log grow, a checkpoint each 37 leaves; return what was signed."""
    one: list[Sequencer] = []

    def grow(leaves: int) -> list[str]:
        one.append(start())
        notes = []
        for n in range(leaves):
            deed(tenant=TENANT if n % 3 == 0 else None)
            if n % 37 == 36 or n == leaves - 1:
                clock.move(seconds=61)
                one[-1].step(flush=True)
                notes.append(checkpoint_path.read_text())
        one[-1].step()  # inner nodes are stored a step later at the latest
        return notes

    return grow


@pytest.fixture
def as_role() -> Iterator[Callable[[str], None]]:
    """Serve the log's database as another role until the test ends."""

    def become(role: str) -> None:
        assert _Reached.connection is not None
        for alias in ("default", "wisdom"):
            connections[alias].close()
            connections[alias].settings_dict.update(
                USER=role, PASSWORD=_Reached.connection.passwords[role]
            )

    yield become
    become("tawny_app")


@pytest.fixture
def sweep(signer: SigningKey, clock: Clock, as_role: Callable[[str], None]) -> Callable[..., Swept]:
    def sweep(*, before: datetime | None = None, archive: Path | None = None) -> Swept:
        as_role("tawny_owner")
        try:
            return retire(
                before=before or clock() - RETENTION,
                key=signer.verifying,
                origin=ORIGIN,
                archive=archive,
                actor=STAFF,
                now=clock(),
                sources=("default", "wisdom"),
            )
        finally:
            as_role("tawny_app")

    return sweep


def verified(folder: Path, signer: SigningKey, *kept: Path) -> tuple[int, Any]:
    outside = [part for each in kept for part in ("--checkpoint", str(each))]
    done = subprocess.run(
        [sys.executable, "-I", str(folder / "verify.py"), str(folder), "--json", "--vkey",
         signer.verifying.encode(), *outside],
        capture_output=True, text=True, timeout=SECONDS, env={}, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def kept(folder: Path, note: str) -> Path:
    path = folder / f"kept-{note.splitlines()[1]}"
    path.write_text(note)
    return path


def leaves() -> dict[int, bytes]:
    with all_tenants_audit("reader", using="default"):
        return {each.idx: bytes(each.leaf) for each in Entry.objects.order_by("idx")}


def test_only_whole_epochs_older_than_the_limit_go(
    grow: Callable[[int], list[str]], clock: Clock, sweep: Callable[..., Swept]
) -> None:
    grow(SIZE + 100)
    clock.move(days=RETENTION.days - 1)
    assert sweep(before=clock() - RETENTION).epochs == (), "its last leaf is not old enough"
    clock.move(days=2)
    grow(SIZE)
    swept = sweep()
    assert [(each.start, each.stop) for each in swept.epochs] == [(0, SIZE)]
    assert min(leaves()) == SIZE
    assert sweep().epochs == (), "the second is old in part only"


def test_the_log_goes_on_and_old_and_new_checkpoints_verify(
    *,
    grow: Callable[[int], list[str]],
    clock: Clock,
    sweep: Callable[..., Swept],
    check: Callable[..., Verdict],
    signer: SigningKey,
    tmp_path: Path,
) -> None:
    old = grow(2 * SIZE + 50)
    clock.move(days=RETENTION.days + 1)
    assert len(sweep(archive=tmp_path / "archive").epochs) == 2
    new = grow(90)
    folder = tmp_path / "bundle"
    paths = [kept(tmp_path, note) for note in (*old, *new)]
    options = [part for each in paths for part in ("--checkpoint", str(each))]
    call_command("audit", "bundle", str(folder), *options)
    assert json.loads((folder / "bundle.json").read_bytes())["start"] == 2 * SIZE
    code, said = verified(folder, signer, *paths)
    assert (code, said["findings"]) == (0, [])
    assert said["checkpoints"] >= len(paths)
    call_command("audit", "verify", *options)
    ends = {note.splitlines()[1] for note in old}
    assert any(int(size) < SIZE and int(size) % 256 for size in ends), "within a stored node"
    epochs = json.loads((folder / "epochs.json").read_bytes())
    assert [(each["start"], each["stop"]) for each in epochs] == [(0, SIZE), (SIZE, 2 * SIZE)]
    assert check(*new).findings[0].fault == "index", "without the kept tree nothing verifies"


def test_a_checkpoint_of_another_log_is_not_shown_to_be_a_beginning(
    *,
    grow: Callable[[int], list[str]],
    clock: Clock,
    sweep: Callable[..., Swept],
    signer: SigningKey,
    as_owner: AsOwner,
    tmp_path: Path,
) -> None:
    old = grow(SIZE + 40)
    clock.move(days=RETENTION.days + 1)
    sweep()
    head = opened(old[2], key=signer.verifying, origin=ORIGIN)
    forged = sign(TreeHead(origin=ORIGIN, size=head.size, root=bytes(32)), signer)
    path = kept(tmp_path, forged)
    folder = tmp_path / "bundle"
    call_command("audit", "bundle", str(folder), "--checkpoint", str(path))
    code, said = verified(folder, signer, path)
    assert (code, said["findings"][0]["fault"]) == (1, "earlier")
    with pytest.raises(SystemExit):
        call_command("audit", "verify", "--checkpoint", str(path))
    with as_owner() as session:  # and kept hashes that somebody changed show nothing either
        session.execute("SET session_replication_role = replica")
        session.execute("UPDATE audit_edge SET hashes = set_bit(hashes, 3, 1 - get_bit(hashes, 3))")
    path.write_text(old[2])
    other = tmp_path / "other"
    call_command("audit", "bundle", str(other), "--checkpoint", str(path))
    assert verified(other, signer, path)[1]["findings"][0]["fault"] == "earlier"


def test_a_kept_leaf_is_proved_and_the_feed_says_where_it_begins(
    grow: Callable[[int], list[str]],
    clock: Clock,
    sweep: Callable[..., Swept],
    signer: SigningKey,
    in_scope: Callable[..., Any],
) -> None:
    grow(SIZE + 60)
    clock.move(days=RETENTION.days + 1)
    sweep()
    note = grow(30)[-1]
    head = opened(note, key=signer.verifying, origin=ORIGIN)
    with in_scope(TENANT):
        page = feed.page(TENANT, place=0, limit=100, proofs=True)
    assert page.begins == SIZE
    assert len(page.entries) > 20
    for each in page.entries:
        assert each.proof is not None
        assert includes(
            leaf=leaf_hash(each.leaf), index=each.index, size=head.size, proof=each.proof,
            root=head.root,
        )  # fmt: skip


def test_an_archive_is_restored_to_the_byte_and_held_against_the_kept_tree(
    *,
    grow: Callable[[int], list[str]],
    clock: Clock,
    sweep: Callable[..., Swept],
    signer: SigningKey,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    grow(2 * SIZE + 50)
    before = leaves()
    clock.move(days=RETENTION.days + 1)
    swept = sweep(archive=tmp_path / "archive")
    second = Path(swept.epochs[1].archive)
    restored = {}
    for path in sorted(second.glob("entries-*.gz")):
        for line in gzip.decompress(path.read_bytes()).splitlines():
            head, _, leaf = line[7:-1].partition(b',"leaf":')
            restored[int(head)] = leaf
    for idx in range(SIZE, 2 * SIZE):
        assert restored[idx] == before[idx]
    for each in swept.epochs:
        code, said = verified(Path(each.archive), signer)
        assert (code, said["findings"]) == (0, [])
    capsys.readouterr()
    call_command("audit", "verify", "--archive", str(second), "--json")
    assert json.loads(capsys.readouterr().out) == {
        "ok": True, "folder": str(second), "start": SIZE, "stop": 2 * SIZE,
    }  # fmt: skip
    path = second / "entries-0000.ndjson.gz"
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(content.replace(b'"alert/600"', b'"alert/601"', 1)))
    with pytest.raises(SystemExit):
        call_command("audit", "verify", "--archive", str(second), "--json")
    said = json.loads(capsys.readouterr().out)
    assert (said["ok"], "leaf 600 " in said["finding"]) == (False, True)


def test_an_epoch_that_was_tampered_with_is_not_retired(
    grow: Callable[[int], list[str]],
    clock: Clock,
    sweep: Callable[..., Swept],
    as_owner: AsOwner,
) -> None:
    grow(SIZE + 40)
    with as_owner() as session:
        session.execute("SET session_replication_role = replica")
        session.execute(
            "UPDATE audit_log SET leaf = convert_to(replace(convert_from(leaf, 'UTF8'), 'ticket',"
            " 'errand'), 'UTF8') WHERE idx = 300"
        )
    clock.move(days=RETENTION.days + 1)
    with pytest.raises(NotSealed, match="not those that were signed"):
        sweep()
    assert min(leaves()) == 0


def test_days_of_staging_go_once_all_of_them_is_in_the_log(
    *,
    grow: Callable[[int], list[str]],
    deed: Deed,
    clock: Clock,
    sweep: Callable[..., Swept],
    start: Callable[[], Sequencer],
) -> None:
    clock.time = clock.time.replace(year=2034)
    day = f"{clock():%Y%m%d}"
    start().step()
    grow(5)
    clock.move(days=1)
    deed()
    later = f"{clock():%Y%m%d}"
    clock.move(days=RETENTION.days + 2)
    gone = sweep().days
    assert {f"default:audit_stage_{day}", f"default:audit_taken_{day}"} <= set(gone)
    assert f"default:audit_stage_{later}" not in gone, "one of its rows waits for the sequencer"
    start().step(flush=True)
    more = sweep().days
    assert f"default:audit_stage_{later}" in more
    start().step()
    with all_tenants_audit("reader", using="default"):
        entries = Entry.objects.filter(event="staging.dropped")
        assert sorted(each.content().resource for each in entries) == sorted((*gone, *more))


REFUSED = (
    "DROP TABLE audit_log_00000010",
    "ALTER TABLE audit_log DETACH PARTITION audit_log_00000010",
    "TRUNCATE audit_log_00000010",
    "DELETE FROM audit_log",
    "INSERT INTO audit_epoch SELECT 0, 256, '', sha256(''), now(), now(), now(), '', ''",
    "INSERT INTO audit_edge VALUES (1, '')",
    "UPDATE audit_epoch SET archive = 'x'",
    "DELETE FROM audit_edge",
)


@pytest.mark.parametrize("statement", REFUSED)
def test_the_application_can_retire_nothing(statement: str) -> None:
    with (
        pytest.raises(ProgrammingError, match=r"must be owner|permission denied") as refused,
        transaction.atomic(),
        connections["default"].cursor() as cursor,
    ):
        cursor.execute(statement)
    assert isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege)


def test_the_command_refuses_the_application_and_a_limit_that_is_too_near(
    *,
    grow: Callable[[int], list[str]],
    clock: Clock,
    as_role: Callable[[str], None],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    grow(SIZE + 10)
    clock.move(days=RETENTION.days + 1)
    with time_machine.travel(clock(), tick=False):
        with pytest.raises(CommandError, match="only the owner"):
            call_command("audit", "retire")
        as_role("tawny_owner")
        with pytest.raises(CommandError, match="kept for 731 days"):
            call_command("audit", "retire", "--before", clock().isoformat())
        capsys.readouterr()
        call_command("audit", "retire", "--archive", str(tmp_path / "a"), "--json")
    said = json.loads(capsys.readouterr().out)
    assert [each["stop"] for each in said["epochs"]] == [SIZE]
    assert Epoch.objects.get().stop == SIZE


def test_the_kept_tables_are_the_owners_alone() -> None:
    with bulk_cursor(using="default") as cursor:
        rows = cursor.execute(
            "SELECT table_name, privilege_type FROM information_schema.role_table_grants"
            " WHERE grantee = 'tawny_app' AND table_name IN ('audit_epoch', 'audit_edge')"
        ).fetchall()
    assert sorted(rows) == [("audit_edge", "SELECT"), ("audit_epoch", "SELECT")]
