import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.core.management import CommandError, call_command

from audit import checkpoints
from audit.models import Staged
from audit.scope import all_tenants_audit
from audit.sequencer import Sequencer
from crypto import signatures
from crypto.signatures import SigningKey
from tests.audit.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "wisdom"])

Deed = Callable[..., UUID]
Start = Callable[[], Sequencer]
AsOwner = Callable[..., Any]


@pytest.fixture(autouse=True)
def _deployment(settings: Any, checkpoint_path: Path) -> None:
    settings.AUDIT_ORIGIN = "tawny.example/test"
    settings.CHECKPOINT_FILE = str(checkpoint_path)


@pytest.fixture
def whole(deed: Deed, start: Start) -> None:
    for _ in range(5):
        deed()
    start().step()


def last_line(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def recorded() -> list[tuple[str, str]]:
    with all_tenants_audit("reader", using="default"):
        rows = Staged.objects.exclude(event="staff.read").order_by("id")
        return [(row.event, row.outcome) for row in rows]


@pytest.mark.usefixtures("whole")
def test_a_whole_log_exits_with_nought_and_leaves_an_entry(
    capsys: pytest.CaptureFixture[str],
) -> None:
    call_command("audit", "verify", "--json")
    verdict = last_line(capsys)
    assert verdict["ok"]
    assert (verdict["size"], verdict["checkpoints"], verdict["first_bad"]) == (5, 1, None)
    assert recorded() == [("audit.verified", "success")]


@pytest.mark.usefixtures("whole")
def test_a_changed_log_exits_with_one_and_names_the_entry(
    capsys: pytest.CaptureFixture[str], as_owner: AsOwner
) -> None:
    with as_owner() as session:
        session.execute("SET session_replication_role = replica")
        session.execute("UPDATE audit_log SET leaf = leaf || '\\x20'::bytea WHERE idx = 3")
    with pytest.raises(SystemExit) as exit_:
        call_command("audit", "verify", "--json")
    assert exit_.value.code == 1
    verdict = last_line(capsys)
    assert not verdict["ok"]
    assert verdict["first_bad"] == 3
    assert verdict["findings"][0]["fault"] == "hash"
    with pytest.raises(SystemExit):
        call_command("audit", "verify")
    assert "NOT WHOLE: first bad entry 3" in capsys.readouterr().out
    assert recorded() == [("audit.verified", "failure")] * 2


@pytest.mark.usefixtures("whole")
def test_a_checkpoint_and_key_from_elsewhere_are_used(
    tmp_path: Path,
    checkpoint_path: Path,
    signer: SigningKey,
    as_owner: AsOwner,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept = tmp_path / "kept"
    kept.write_text(checkpoint_path.read_text())
    key = tmp_path / "key.pem"
    key.write_bytes(signatures.encode_public(signer.verifying))
    checkpoints.public_key_path(checkpoint_path).unlink()
    with as_owner() as session:
        session.execute("SET session_replication_role = replica")
        session.execute("DELETE FROM audit_log WHERE idx = 4")
        session.execute("DELETE FROM audit_checkpoint")
    checkpoint_path.unlink()
    with pytest.raises(SystemExit):
        call_command("audit", "verify", "--json", "--public-key", str(key))
    verdict = last_line(capsys)
    assert (verdict["findings"][0]["fault"], verdict["unsigned"]) == ("unsigned", 4)
    with pytest.raises(SystemExit):
        call_command(
            "audit", "verify", "--json", "--public-key", str(key), "--checkpoint", str(kept)
        )
    assert last_line(capsys)["first_bad"] == 4


def test_a_log_that_cannot_be_checked_exits_with_two() -> None:
    with pytest.raises(CommandError) as error:
        call_command("audit", "verify")
    assert error.value.returncode == 2


@pytest.mark.usefixtures("whole")
def test_young_entries_that_nothing_signs_are_allowed_and_counted(
    deed: Deed, start: Start, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    one = start()
    for n in range(3):
        deed()
        one.step()
        clock.move(seconds=10 * (n > 0))
    with time_machine.travel(clock(), tick=False):
        call_command("audit", "verify")
    shown = capsys.readouterr().out
    assert "3 entries signed by no checkpoint\n3 of them are younger than 120 s: allowed" in shown
    with (
        time_machine.travel(clock() + timedelta(minutes=2), tick=False),
        pytest.raises(SystemExit) as exit_,
    ):
        call_command("audit", "verify")
    assert exit_.value.code == 1
    assert "entries 5 to 7: no checkpoint signs these [unsigned]" in capsys.readouterr().out


@pytest.mark.usefixtures("whole")
def test_the_list_shows_the_newest_first_and_leaves_an_entry(
    capsys: pytest.CaptureFixture[str],
) -> None:
    call_command("audit", "list", "--limit", "2", "--json")
    shown = last_line(capsys)["entries"]
    assert [each["idx"] for each in shown] == [4, 3]
    assert shown[0]["event"] == "staff.read"
    call_command("audit", "list", "--before", "2")
    assert [json.loads(line)["idx"] for line in capsys.readouterr().out.splitlines()] == [1, 0]
    assert recorded() == [("audit.read", "success")] * 2


def test_a_list_of_any_length_is_refused() -> None:
    with pytest.raises(CommandError):
        call_command("audit", "list", "--limit", "1001")
