"""A tenant reads its own entries and can hold them against a checkpoint."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from audit.actors import Actor
from audit.checkpoints import opened
from audit.events import EventType
from audit.record import record
from audit.sequencer import Sequencer
from crypto import signatures
from crypto.merkle import includes, leaf_hash
from tenants.actions import create_tenant
from tests.config.described import check_answer, document_of
from tests.tenants.doors import get, post

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])

ORIGIN = "tawny.example/test"
STAFF = Actor(kind="staff", id="0190a1b2-0000-7000-8000-000000000001")
DOCUMENT = document_of("config.urls.embedded")
SIGNER = signatures.generate(ORIGIN)


@pytest.fixture
def sequencer(tmp_path: Path, now: datetime) -> Sequencer:
    return Sequencer(
        signer=SIGNER, origin=ORIGIN, checkpoint_path=tmp_path / "checkpoint", now=lambda: now
    )


@pytest.fixture
def deed(now: datetime) -> Callable[..., UUID]:
    number = iter(range(100_000))

    def deed(tenant: UUID | None, event: EventType = EventType.STAFF_READ) -> UUID:
        return record(
            event=event, actor=STAFF, now=now, tenant=tenant, resource=f"alert/{next(number)}",
            reason="ticket 17", detail={"rows": 3},
        )  # fmt: skip

    return deed


def read(key: str, query: str = "", *, status: int = 200) -> Any:
    answer = get(f"/v1/audit?{query}", key=key)
    assert answer.status_code == status, answer.content
    check_answer(DOCUMENT, "GET", "/v1/audit", answer)
    return answer.json()


def followed(key: str, query: str) -> Iterator[Any]:
    follow = ""
    while True:
        page = read(key, f"{query}&follow={follow}")
        yield page
        follow = page["follow"]
        if not page["more"]:
            return


def test_a_tenant_reads_its_own_entries_and_no_others(
    tenant: tuple[UUID, str], deed: Callable[..., UUID], sequencer: Sequencer, now: datetime
) -> None:
    other = create_tenant(name="two", actor=STAFF, reason="t", now=now)
    for _ in range(4):
        deed(tenant[0])
        deed(other.tenant.id)
        deed(None)
    sequencer.step(flush=True)
    mine = read(tenant[1], "event=staff.read")["entries"]
    theirs = read(other.api_key, "event=staff.read")["entries"]
    assert [each["resource"] for each in mine] == ["alert/0", "alert/3", "alert/6", "alert/9"]
    assert [each["resource"] for each in theirs] == ["alert/1", "alert/4", "alert/7", "alert/10"]
    for each in read(tenant[1])["entries"]:
        leaf = json.loads(base64.b64decode(each["leaf"]))
        assert leaf["tenant"] == str(tenant[0])
        assert (leaf["event"], leaf["reason"]) == (each["event"], each["reason"])
    assert mine[0] | {"leaf": ""} == {
        "index": mine[0]["index"], "time": "2026-05-01T12:00:00.000000Z", "event": "staff.read",
        "label": "Staff read a tenant's rows", "actor": {"kind": "staff", "id": STAFF.id},
        "resource": "alert/0", "outcome": "success", "reason": "ticket 17", "detail": {"rows": 3},
        "leaf": "",
    }  # fmt: skip


def test_every_entry_is_told_once_in_the_order_of_the_log(
    tenant: tuple[UUID, str], deed: Callable[..., UUID], sequencer: Sequencer
) -> None:
    for _ in range(25):
        deed(tenant[0])
    sequencer.step(flush=True)
    whole = read(tenant[1])
    pages = list(followed(tenant[1], "limit=7"))
    assert [len(page["entries"]) for page in pages[:3]] == [7, 7, 7]
    indices = [each["index"] for page in pages for each in page["entries"]]
    assert indices == [each["index"] for each in whole["entries"]] == sorted(indices)
    assert pages[-1]["follow"] == whole["follow"]
    deed(tenant[0])
    assert read(tenant[1], f"follow={whole['follow']}")["entries"] == []
    sequencer.step(flush=True)
    assert len(read(tenant[1], f"follow={whole['follow']}")["entries"]) == 1


def test_proofs_hold_against_the_checkpoint_of_the_answer(
    tenant: tuple[UUID, str], deed: Callable[..., UUID], sequencer: Sequencer
) -> None:
    for n in range(700):
        deed(tenant[0] if n % 9 == 0 else None)
        if n in {40, 350}:
            sequencer.step(flush=True)
    sequencer.step(flush=True)
    page = read(tenant[1], "proofs=1")
    head = opened(page["checkpoint"], key=SIGNER.verifying, origin=ORIGIN)
    assert len(page["entries"]) > 77
    for each in page["entries"]:
        leaf = leaf_hash(base64.b64decode(each["leaf"]))
        proof = [base64.b64decode(step) for step in each["proof"]]
        assert includes(
            leaf=leaf, index=each["index"], size=head.size, proof=proof, root=head.root
        ), each["index"]


def test_an_entry_that_is_not_signed_yet_waits_where_proofs_are_asked_for(
    tenant: tuple[UUID, str], deed: Callable[..., UUID], sequencer: Sequencer
) -> None:
    assert read(tenant[1], "proofs=1") == {
        "entries": [], "begins": 0, "checkpoint": None, "follow": "1-0", "more": False,
    }  # fmt: skip
    deed(tenant[0])
    sequencer.step(flush=True)
    before = len(read(tenant[1], "proofs=1")["entries"])
    deed(tenant[0])
    sequencer.step()
    page = read(tenant[1], "proofs=1")
    assert len(page["entries"]) == before
    assert len(read(tenant[1])["entries"]) == before + 1
    assert "proof" not in read(tenant[1])["entries"][0]
    sequencer.step(flush=True)
    assert len(read(tenant[1], f"proofs=1&follow={page['follow']}")["entries"]) == 1


def test_what_cannot_be_read_is_refused(tenant: tuple[UUID, str]) -> None:
    for query in ("follow=2-1", "follow=x", "limit=0", "limit=1001", "limit=-1", "limit=٣",
                  "event=staff.reed", "proofs=yes", f"tenant={tenant[0]}"):  # fmt: skip
        assert read(tenant[1], query, status=400)["message"]
    read("nobody", status=401)


def test_polls_are_counted_by_the_minute(
    tenant: tuple[UUID, str], as_owner: Callable[..., Any]
) -> None:
    read(tenant[1])
    read(tenant[1])
    with as_owner() as session:
        rows = session.execute(
            "SELECT tenant, sum(calls) FROM audit_tally WHERE event = 'audit.polled' GROUP BY 1"
        ).fetchall()
    assert [(row[0], int(row[1])) for row in rows] == [(tenant[0], 2)]


def test_anybody_reads_the_newest_checkpoint_and_nobody_keeps_it_in_a_cache(
    deed: Callable[..., UUID], sequencer: Sequencer
) -> None:
    path = "/v1/transparency/checkpoint"
    empty = get(path)
    assert empty.status_code == 404
    check_answer(DOCUMENT, "GET", path, empty)
    for size in (1, 2):
        deed(None)
        sequencer.step(flush=True)
        answer = get(path)
        check_answer(DOCUMENT, "GET", path, answer)
        assert answer["Content-Type"].startswith("text/plain")
        assert answer["Cache-Control"] == "no-store"
        head = opened(answer.content.decode(), key=SIGNER.verifying, origin=ORIGIN)
        assert head.size == size
    assert post(path, b"").status_code == 405
