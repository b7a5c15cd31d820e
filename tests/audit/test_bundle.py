"""A bundle is checked by its own program, alone, and by one checkpoint that somebody kept."""

import ast
import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from audit import checkpoints
from audit.bundle.making import catalogue
from audit.bundle.writing import VERIFIER
from audit.checkpoints import TreeHead
from audit.events import EventType
from audit.record import record
from audit.sequencer import Sequencer
from crypto import signatures
from crypto.merkle import CompactRange, leaf_hashes
from crypto.signatures import SigningKey
from tests.audit.conftest import ORIGIN, STAFF, Clock

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "wisdom"])

Deed = Callable[..., UUID]
AsOwner = Callable[..., Any]
SECONDS = 60
LEAVES = 30
# The program as a stranger runs it, in a process that cannot make a socket.
ALONE = (
    "import runpy, socket, sys\n"
    "def refuse(*_a, **_k): raise OSError('no network')\n"
    "socket.socket = refuse\n"
    "sys.argv = sys.argv[1:]\n"
    "runpy.run_path(sys.argv[0], run_name='__main__')\n"
)


@pytest.fixture(autouse=True)
def _deployment(settings: Any, checkpoint_path: Path) -> None:
    settings.AUDIT_ORIGIN = ORIGIN
    settings.CHECKPOINT_FILE = str(checkpoint_path)


@pytest.fixture
def kept(
    deed: Deed, start: Callable[[], Sequencer], clock: Clock, checkpoint_path: Path, tmp_path: Path
) -> Path:
    """Thirty entries and eleven checkpoints (one of the first alone), the newest kept."""
    one = start()
    for n in range(LEAVES):
        deed()
        clock.move(seconds=10)
        one.step(flush=n % 3 == 2)
    copy = tmp_path / "kept"
    copy.write_text(checkpoint_path.read_text())
    return copy


@pytest.fixture
def bundle(tmp_path: Path) -> Callable[..., Path]:
    number = iter(range(100))

    def bundle(*options: str) -> Path:
        folder = tmp_path / f"bundle{next(number)}"
        call_command("audit", "bundle", str(folder), *options)
        return folder

    return bundle


@pytest.fixture
def verified(signer: SigningKey) -> Callable[..., tuple[int, Any]]:
    def verified(
        folder: Path, *kept: Path, vkey: str | None = None, loose: bool = False
    ) -> tuple[int, Any]:
        line = signer.verifying.encode() if vkey is None else vkey
        outside = [part for each in kept for part in ("--checkpoint", str(each))]
        outside += ["--allow-unsigned"] if loose else []
        done = subprocess.run(
            [sys.executable, "-I", "-c", ALONE, str(folder / "verify.py"), str(folder), "--json",
             "--vkey", line, *outside],
            capture_output=True, text=True, timeout=SECONDS, env={}, check=False, cwd=folder,
        )  # fmt: skip
        assert done.stderr == ""
        return done.returncode, json.loads(done.stdout)

    return verified


@pytest.fixture
def tamper(as_owner: AsOwner) -> Callable[..., None]:
    def tamper(*statements: str) -> None:
        with as_owner() as session:
            session.execute("SET session_replication_role = replica")
            for each in statements:
                session.execute(each)

    return tamper


def test_the_program_is_short_and_needs_nothing_of_ours() -> None:
    lines = VERIFIER.read_text().splitlines()
    assert len(lines) < 200
    nodes = list(ast.walk(ast.parse(VERIFIER.read_text())))
    imported = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    assert imported <= sys.stdlib_module_names
    assert not imported & {"socket", "ssl", "urllib", "http"}


def test_a_whole_log_verifies_with_the_checkpoint_from_outside(
    kept: Path, bundle: Callable[..., Path], verified: Callable[..., Any]
) -> None:
    folder = bundle()
    code, said = verified(folder, kept)
    assert (code, said["ok"], said["findings"]) == (0, True, [])
    assert (said["size"], said["checkpoints"], said["unsigned"]) == (LEAVES, 11, 0)
    assert verified(folder, kept, vkey="")[1]["key"] == "the bundle's own"
    names = {line.split("  ")[1] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    assert names == {each.name for each in folder.iterdir()} - {"SHA256SUMS"}
    subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=folder, check=True)  # noqa: S607 -- the auditor's own tool
    coverage = json.loads((folder / "coverage.json").read_bytes())
    assert (coverage["entries"], coverage["events"]) == (LEAVES, {"staff.read": LEAVES})
    with pytest.raises(CommandError, match="not empty"):
        call_command("audit", "bundle", str(folder))


def test_a_part_of_the_log_verifies_between_two_checkpoints(
    kept: Path, bundle: Callable[..., Path], verified: Callable[..., Any], clock: Clock
) -> None:
    start = clock() - timedelta(seconds=10 * LEAVES)
    since, until = (start + timedelta(seconds=10 * n) for n in (10, 20))
    folder = bundle("--since", since.isoformat(), "--until", until.isoformat())
    code, said = verified(folder)
    assert (code, said["findings"]) == (0, [])
    assert json.loads((folder / "bundle.json").read_bytes())["start"] == 9
    assert said["size"] == 21
    assert verified(folder, kept)[1]["findings"][0]["fault"] == "missing", "it ends before that"


def without_signatures(folder: Path, *, of: int) -> None:
    """Leave only the checkpoints of at most so many entries."""
    path = folder / "checkpoints.ndjson"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(
        "".join(each for each in lines if int(json.loads(each)["note"].split("\n")[1]) <= of)
    )


def test_entries_that_no_checkpoint_signs_are_not_whole(
    kept: Path, bundle: Callable[..., Path], verified: Callable[..., Any]
) -> None:
    folder = bundle()
    without_signatures(folder, of=0)
    code, said = verified(folder)
    assert (code, said["ok"], said["unsigned"]) == (1, False, LEAVES)
    assert said["findings"] == [
        {"fault": "unsigned", "first": 0, "last": 29, "message": "no checkpoint signs these"}
    ]
    assert verified(folder, kept)[0] == 0, "the one that was kept signs them all"
    code, said = verified(folder, loose=True)
    assert (code, said["ok"], said["unsigned"]) == (0, True, LEAVES)
    assert said["allowed"] == "entries 0 to 29: no checkpoint signs these"


@pytest.mark.usefixtures("kept")
def test_what_follows_the_kept_checkpoint_is_not_whole_by_it(
    bundle: Callable[..., Path], verified: Callable[..., Any], tmp_path: Path
) -> None:
    folder = bundle()
    first = (folder / "checkpoints.ndjson").read_text().splitlines()[4]
    only = tmp_path / "only"
    only.write_text(json.loads(first)["note"])
    without_signatures(folder, of=0)
    code, said = verified(folder, only)
    assert (code, said["first_bad"], said["findings"][0]["fault"]) == (1, 12, "unsigned")
    assert verified(folder, only, loose=True)[0] == 0
    (folder / "entries-0000.ndjson.gz").write_bytes(b"")
    assert verified(folder, only, loose=True)[0] == 1, "only what is unsigned is allowed"


def test_a_bundle_ends_at_the_newest_checkpoint_and_says_what_follows_it(
    *,
    kept: Path,
    deed: Deed,
    start: Callable[[], Sequencer],
    bundle: Callable[..., Path],
    verified: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    for _ in range(4):
        deed()
    start().step()
    capsys.readouterr()
    folder = bundle()
    assert "; 4 newer entries are not signed yet" in capsys.readouterr().out
    code, said = verified(folder, kept)
    assert (code, said["size"], said["unsigned"]) == (0, LEAVES, 0)
    folder = bundle("--since", "2033-01-01")
    code, said = verified(folder, kept)
    assert (code, said["size"]) == (0, LEAVES)


def test_the_catalogue_says_of_every_event_when_it_is_recorded() -> None:
    entries = catalogue()
    assert [each["event"] for each in entries] == [each.value for each in EventType]
    assert all(each["when"] and each["label"] for each in entries)


def rehashed(where: str) -> str:
    return f"UPDATE audit_log SET leaf_hash = sha256('\\x00'::bytea || leaf) WHERE {where}"  # noqa: S608 -- the test's own


MOVED = ("UPDATE audit_log SET idx = idx + 100 WHERE idx >= 14",)
BACK = "UPDATE audit_log SET idx = idx - {} WHERE idx >= 100"
EDITED = (
    "UPDATE audit_log SET leaf ="
    " convert_to(replace(convert_from(leaf, 'UTF8'), 'ticket', 'errand'), 'UTF8') WHERE idx = 14"
)
COPIED = (
    "INSERT INTO audit_log SELECT 14, leaf, leaf_hash, stage, tenant, event, occurred_at"
    " FROM audit_log WHERE idx = 13"
)
HEAD = (
    "UPDATE audit_head SET size = 15, nodes = (SELECT nodes FROM audit_checkpoint WHERE size = 15)"
)
TAMPERED: dict[str, tuple[tuple[str, ...], str, int, int]] = {
    "edit one bit": (
        ("UPDATE audit_log SET leaf = set_bit(leaf, 100, 1 - get_bit(leaf, 100)) WHERE idx = 14",),
        "hash", 14, 14,
    ),
    "edit, the stored hash too": ((EDITED, rehashed("idx = 14")), "root", 12, 14),
    "delete": (("DELETE FROM audit_log WHERE idx = 14",), "index", 14, 14),
    "delete and close the gap": (
        ("DELETE FROM audit_log WHERE idx = 14", MOVED[0], BACK.format(101)), "root", 12, 14,
    ),
    "insert": (
        (*MOVED, BACK.format(99),
         COPIED),
        "root", 12, 14,
    ),
    "reorder": (
        ("UPDATE audit_log SET idx = 100 WHERE idx = 13",
         "UPDATE audit_log SET idx = 13 WHERE idx = 14",
         "UPDATE audit_log SET idx = 14 WHERE idx = 100"),
        "root", 12, 14,
    ),
    "truncate the tail": (
        ("DELETE FROM audit_log WHERE idx >= 26", "DELETE FROM audit_checkpoint WHERE size > 24"),
        "missing", 24, 29,
    ),
    "roll back": (
        ("DELETE FROM audit_log WHERE idx >= 15", "DELETE FROM audit_checkpoint WHERE size > 15",
         HEAD),
        "missing", 15, 29,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TAMPERED)
def test_what_a_superuser_does_is_caught_and_its_place_named(
    *,
    case: str,
    kept: Path,
    tamper: Callable[..., None],
    bundle: Callable[..., Path],
    verified: Callable[..., Any],
) -> None:
    statements, fault, first, last = TAMPERED[case]
    tamper(*statements)
    code, said = verified(bundle(), kept)
    found = said["findings"][0]
    assert code == 1
    assert (found["fault"], found["first"], found["last"]) == (fault, first, last)
    assert said["first_bad"] == first


def test_a_fork_signed_with_another_key_is_caught(
    *,
    kept: Path,
    as_owner: AsOwner,
    tamper: Callable[..., None],
    bundle: Callable[..., Path],
    verified: Callable[..., Any],
    checkpoint_path: Path,
) -> None:
    tamper(EDITED, rehashed("idx = 14"))
    thief = signatures.generate(ORIGIN)
    with as_owner() as session:
        session.execute("SET session_replication_role = replica")
        leaves = [
            bytes(row[0]) for row in session.execute("SELECT leaf FROM audit_log ORDER BY idx")
        ]
        for size in (1, *range(3, LEAVES + 1, 3)):
            tree = CompactRange().extend(leaf_hashes(leaves[:size]))
            note = checkpoints.sign(TreeHead(origin=ORIGIN, size=size, root=tree.root()), thief)
            session.execute(
                "UPDATE audit_checkpoint SET root = %s, nodes = %s, note = %s WHERE size = %s",
                [tree.root(), tree.encode(), note, size],
            )
    checkpoints.public_key_path(checkpoint_path).write_text(thief.verifying.encode())
    folder = bundle()
    assert verified(folder, vkey="")[0] == 0, "in itself it is whole"
    code, said = verified(folder, kept)
    assert (code, said["first_bad"]) == (1, 0)
    assert said["findings"][0]["fault"] == "checkpoint"
    code, said = verified(folder, kept, vkey="")
    assert code == 1
    assert (said["findings"][0]["fault"], said["findings"][0]["last"]) == ("checkpoint", 29)


def test_a_clock_that_was_set_back_is_caught(
    *,
    kept: Path,
    deed: Deed,
    start: Callable[[], Sequencer],
    clock: Clock,
    bundle: Callable[..., Path],
    verified: Callable[..., Any],
) -> None:
    one = start()
    clock.move(seconds=-30)
    deed()
    one.step(flush=True)
    assert verified(bundle(), kept)[0] == 0, "a clock may be corrected by less than a minute"
    clock.move(hours=-2)
    deed()
    one.step(flush=True)
    code, said = verified(bundle(), kept)
    assert code == 1
    assert [(each["fault"], each["first"]) for each in said["findings"]] == [("clock", 31)]


def test_a_file_that_is_damaged_or_missing_is_named_by_its_range(
    kept: Path, bundle: Callable[..., Path], verified: Callable[..., Any]
) -> None:
    folder = bundle()
    path = folder / "entries-0000.ndjson.gz"
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(content.replace(b'alert/17"', b'alert/18"')))
    assert verified(folder, kept)[1]["first_bad"] == 17
    path.write_bytes(gzip.compress(content)[:-300])
    assert verified(folder, kept)[1]["findings"][0]["fault"] == "damaged"
    path.unlink()
    found = verified(folder, kept)[1]["findings"][0]
    assert (found["fault"], found["first"], found["last"]) == ("damaged", 0, 29)


HOSTILE = (
    "a\r\nb", "\x1b[2J\x1b[31m", "\u202egnp.exe", '"}\n{"idx":0,"leaf":{}}', "\\", "\u2028\u2029",
    "\x00\x7f\x85", "]]>'; --", "\ud800", "\ufeff\ufffe", '","sequenced":"2000-01-01T00:00:00Z',
)  # fmt: skip


def test_whatever_a_field_holds_is_one_valid_line_and_a_megabyte_is_refused(
    *,
    clock: Clock,
    start: Callable[[], Sequencer],
    bundle: Callable[..., Path],
    verified: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    for text in HOSTILE:
        record(
            event=EventType.STAFF_READ, actor=STAFF, now=clock(), resource=text, reason=text,
            request_id=text, detail={"sequenced": text},
        )  # fmt: skip
    for name in ("resource", "reason", "request_id"):
        with pytest.raises(Exception, match="the limit is"):
            record(event=EventType.STAFF_READ, actor=STAFF, now=clock(), **{name: "x" * (1 << 20)})  # type: ignore[arg-type]  # chosen by name
    with pytest.raises(Exception, match="the limit is"):
        record(event=EventType.STAFF_READ, actor=STAFF, now=clock(), detail={"a": "x" * (1 << 20)})
    start().step(flush=True)
    folder = bundle()
    assert verified(folder)[1]["findings"] == []
    lines = gzip.decompress((folder / "entries-0000.ndjson.gz").read_bytes()).split(b"\n")
    assert lines.pop() == b""
    read = [json.loads(line)["leaf"]["reason"] for line in lines]
    expected = [each.replace("\x00", "\ufffd").replace("\ud800", "\ufffd") for each in HOSTILE]
    assert sorted(read) == sorted(expected)
    capsys.readouterr()
    call_command("audit", "list", "--limit", "50")
    shown = capsys.readouterr().out
    assert shown.isascii()
    assert all(each.isprintable() for each in shown.splitlines())
    assert len([json.loads(each) for each in shown.splitlines()]) == len(HOSTILE)
