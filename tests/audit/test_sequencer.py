from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from audit import checkpoints, sequencer
from audit.actors import Actor
from audit.errors import Inconsistent, RolledBack
from audit.events import EventType
from audit.models import Checkpoint, Entry
from audit.record import record
from audit.scope import all_tenants_audit
from audit.sequencer import Progress, Sequencer
from audit.verify import Verdict
from crypto import signatures
from crypto.signatures import SigningKey

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "wisdom"])

Deed = Callable[..., UUID]
Start = Callable[[], Sequencer]
Check = Callable[..., Verdict]
Logged = Callable[[], list[UUID]]
AsOwner = Callable[..., Any]


def entries() -> list[Entry]:
    with all_tenants_audit("reader", using="default"):
        return list(Entry.objects.order_by("idx"))


def test_the_deeds_of_both_databases_enter_the_one_log_once(
    deed: Deed, start: Start, logged: Logged, check: Check
) -> None:
    ids = [deed(), deed(using="wisdom"), deed()]
    one = start()
    assert one.step() == Progress(rows=3, size=3, signed=True, more=False)
    assert one.step() == Progress(rows=0, size=3, signed=False, more=False)
    assert logged() == [ids[0], ids[2], ids[1]]
    assert [entry.content().source for entry in entries()] == ["default", "default", "wisdom"]
    assert check().ok


def test_an_entry_holds_what_was_recorded(start: Start, clock: Any) -> None:
    tenant = UUID("0190a1b2-0000-7000-8000-00000000000a")
    stage = record(
        event=EventType.KEY_REVOKED,
        actor=Actor(kind="staff", id="s1"),
        now=clock(),
        tenant=tenant,
        resource="key/k1",
        reason="line\nbreak",
        request_id="r1",
        detail={"b": 2, "a": "é"},
    )
    clock.move(seconds=1)
    start().step()
    (entry,) = entries()
    assert bytes(entry.leaf).decode() == (
        '{"actor":{"id":"s1","kind":"staff"},"detail":{"a":"é","b":2},"event":"key.revoked",'
        f'"id":"{stage}","outcome":"success","reason":"line\\nbreak","request_id":"r1",'
        '"resource":"key/k1","schema":1,"sequenced":"2026-05-01T12:00:01.000000Z",'
        '"source":"default","tenant":"0190a1b2-0000-7000-8000-00000000000a",'
        '"time":"2026-05-01T12:00:00.000000Z"}'
    )
    assert (entry.stage, entry.tenant, entry.event) == (stage, tenant, "key.revoked")


def test_transactions_are_ordered_as_numbers_not_as_text(
    start: Start, logged: Logged, as_owner: AsOwner, clock: Any
) -> None:
    early, late = UUID(int=2), UUID(int=1)
    with as_owner() as session:
        for stage, xid in ((early, "9"), (late, "10")):
            session.execute(
                "INSERT INTO audit_stage VALUES (%s, %s::text::xid8, NULL, 'e', 'staff', 's', '',"
                " 'success', '', '', '{}', %s, 1)",
                [stage, xid, clock()],
            )
    start().step()
    assert logged() == [early, late]


def test_a_backlog_is_taken_batch_by_batch(
    deed: Deed, start: Start, logged: Logged, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequencer, "BATCH", 4)
    with transaction.atomic():
        ids = [deed() for _ in range(10)]
    one = start()
    steps = [one.step() for _ in range(3)]
    assert [(each.rows, each.more) for each in steps] == [(4, True), (4, True), (2, False)]
    assert logged() == sorted(ids)
    one.step(flush=True)
    assert check().ok


# -- signing


def test_a_grown_log_is_signed_once_a_minute_or_on_demand(
    deed: Deed, start: Start, clock: Any, check: Check
) -> None:
    one = start()
    deed()
    assert one.step().signed
    deed()
    clock.move(seconds=59)
    assert not one.step().signed
    clock.move(seconds=1)
    assert one.step().signed
    clock.move(seconds=600)
    assert not one.step(flush=True).signed, "it did not grow"
    deed()
    assert one.step(flush=True).signed
    deed()
    clock.move(hours=-1)
    assert one.step().signed, "a clock set back does not put signing off"
    assert check().checkpoints == 4
    assert check().clock_back == (3,)


def test_the_newest_checkpoint_lies_in_a_file_with_its_key(
    deed: Deed, start: Start, signer: SigningKey, checkpoint_path: Path
) -> None:
    deed()
    start().step()
    head = checkpoints.opened(
        checkpoint_path.read_text(), key=signer.verifying, origin="tawny.example/test"
    )
    assert head.size == 1
    public = checkpoints.public_key_path(checkpoint_path)
    assert checkpoints.read_public_key(public, name=signer.name) == signer.verifying
    (stored,) = Checkpoint.objects.all()
    assert (stored.note, bytes(stored.root)) == (checkpoint_path.read_text(), head.root)


def test_no_log_that_was_changed_since_the_last_checkpoint_is_signed(
    deed: Deed, start: Start, as_owner: AsOwner, logged: Logged
) -> None:
    one = start()
    deed()
    one.step()
    deed()
    one.step()
    with as_owner() as session:
        session.execute("SET session_replication_role = replica")
        session.execute(
            "UPDATE audit_log SET leaf ="
            " convert_to(replace(convert_from(leaf, 'UTF8'), '17', '18'), 'UTF8') WHERE idx = 1"
        )
    deed()
    with pytest.raises(Inconsistent, match="rows from 1 to 3"):
        one.step(flush=True)
    assert Checkpoint.objects.count() == 1
    assert len(logged()) == 2, "the step left nothing behind"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_head SET nodes = decode(repeat('00', 32), 'hex')",
        "UPDATE audit_checkpoint SET nodes = decode(repeat('00', 32), 'hex')",
        "UPDATE audit_checkpoint SET nodes = ''",
        "UPDATE audit_checkpoint SET note = replace(note, 'test', 'best')",
        "DELETE FROM audit_checkpoint",
    ],
)
def test_a_state_that_does_not_continue_what_was_signed_is_not_signed(
    change: str, deed: Deed, start: Start, as_owner: AsOwner, checkpoint_path: Path
) -> None:
    deed()
    start().step()
    before = checkpoint_path.read_text()
    with as_owner() as session:
        session.execute("SET session_replication_role = replica")
        session.execute(change)
    deed()
    with pytest.raises(Inconsistent):
        start().step(flush=True)
    assert checkpoint_path.read_text() == before


def test_an_older_database_is_not_signed_on(deed: Deed, start: Start, as_owner: AsOwner) -> None:
    one = start()
    deed()
    one.step()
    deed()
    one.step(flush=True)
    with as_owner() as session:
        session.execute("SET session_replication_role = replica")
        session.execute("DELETE FROM audit_log WHERE idx = 1")
        session.execute("DELETE FROM audit_checkpoint WHERE size = 2")
        session.execute(
            "UPDATE audit_head SET size = 1, nodes = (SELECT nodes FROM audit_checkpoint)"
        )
    with pytest.raises(RolledBack):
        start().step()


def test_another_key_or_name_does_not_continue_the_log(
    deed: Deed, start: Start, signer: SigningKey, checkpoint_path: Path, clock: Any
) -> None:
    deed()
    start().step()
    deed()
    for other, origin in (
        (signatures.generate("tawny.example/test"), "tawny.example/test"),
        (signer, "other.example/log"),
    ):
        stranger = Sequencer(
            signer=other, origin=origin, checkpoint_path=checkpoint_path, now=clock
        )
        with pytest.raises(Inconsistent):
            stranger.step(flush=True)
