"""An entry's page checks the proof on the spot, and says so when it does not hold."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from audit.actors import Actor
from audit.checkpoints import public_key_path
from audit.events import EventType
from audit.record import record
from crypto import signatures
from tests.console.people import START, Person

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


def note(number: int) -> None:
    record(
        event=EventType.TENANT_CREATED,
        actor=Actor(kind="shell", id="tests"),
        now=START,
        resource=f"number:{number}",
    )


@pytest.fixture
def reader(jo: Person, sequenced: Callable[[], None]) -> Person:
    jo.sign_in()
    for number in range(5):
        note(number)
    sequenced()
    return jo


def standing(reader: Person, index: int = 2) -> tuple[str, str]:
    seen = reader.browser.get(f"/console/audit/{index}/").context["seen"]
    return str(seen.standing), seen.key


def test_a_signed_entry_is_proven_by_the_key_that_signed(reader: Person) -> None:
    assert standing(reader) == ("proven", "tawny.example/test")
    page = reader.browser.get("/console/audit/2/")
    assert b"Inclusion proof checked." in page.content
    seen = page.context["seen"]
    assert seen.covered.size == seen.size
    assert len(seen.proof) >= 2


def test_an_entry_after_the_checkpoint_is_sequenced_and_not_yet_signed(
    reader: Person, as_owner: Callable[..., Any]
) -> None:
    with as_owner() as session:
        session.execute("SET session_replication_role = replica")
        session.execute("DELETE FROM audit_checkpoint")
    assert standing(reader) == ("unsigned", "")
    assert b"waits" in reader.browser.get("/console/audit/").content


def test_a_leaf_that_was_changed_does_not_prove(
    reader: Person, as_owner: Callable[..., Any]
) -> None:
    with as_owner() as session:
        session.execute("SET session_replication_role = replica")
        session.execute(
            "UPDATE audit_log SET leaf = convert_to(replace(convert_from(leaf, 'UTF8'),"
            " 'number:1', 'number:9'), 'UTF8')"
        )
    page = [reader.browser.get(f"/console/audit/{index}/") for index in range(5)]
    broken = [each for each in page if each.context["seen"].standing == "broken"]
    assert len(broken) == 1
    assert b"The proof does not hold." in broken[0].content


def test_a_checkpoint_of_another_key_does_not_prove(reader: Person) -> None:
    other = signatures.generate("tawny.example/test")
    public_key_path(Path(settings.CHECKPOINT_FILE)).write_text(other.verifying.encode() + "\n")
    assert standing(reader) == ("broken", "")


def test_without_the_public_key_no_signature_is_claimed(reader: Person) -> None:
    public_key_path(Path(settings.CHECKPOINT_FILE)).unlink()
    assert standing(reader) == ("proven", "")
    assert b"was not checked here" in reader.browser.get("/console/audit/2/").content


@pytest.mark.parametrize("index", ["99999", "9" * 30])
def test_an_entry_that_is_not_there_is_not_found(reader: Person, index: str) -> None:
    assert reader.browser.get(f"/console/audit/{index}/").status_code == 404
