"""A data key seals so many messages and no more; then its epoch gets the next one (ENC-3)."""

import ast
import os
import random
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import pytest
from django.db import connections, transaction

from config.embedded.state import REPOSITORY
from crypto import envelope
from tenants import keys
from tenants.keys import counts
from tenants.models import DataKey
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


@pytest.fixture
def owner(tenant: tuple[UUID, str]) -> UUID:
    return tenant[0]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "LEASE", 7)


def rows(tenant: UUID) -> list[DataKey]:
    with tenant_scope(tenant):
        return list(DataKey.objects.filter(series_class=keys.SERIES).order_by("number"))


def set_leased(tenant: UUID, leased: int) -> None:
    with tenant_scope(tenant):
        DataKey.objects.filter(series_class=keys.SERIES).update(leased=leased)
    counts.forget()


def sealed(tenant: UUID, now: datetime, number: int) -> list[bytes]:
    return [keys.seal(tenant, keys.SERIES, b"x", each, now=now) for each in range(number)]


def by_key(blobs: list[bytes]) -> Counter[UUID]:
    return Counter(envelope.key_id(each) for each in blobs)


def test_the_bound_is_the_one_of_the_bar() -> None:
    assert counts.MOST_MESSAGES == 2**28


def test_sealing_writes_once_a_lease(owner: UUID, now: datetime) -> None:
    blobs = sealed(owner, now, counts.LEASE + 1)
    assert len(by_key(blobs)) == 1
    assert rows(owner)[0].leased == 2 * counts.LEASE


@pytest.mark.parametrize("seed", range(12))
def test_near_its_end_a_key_seals_what_is_left_and_a_next_one_goes_on(
    owner: UUID, now: datetime, seed: int
) -> None:
    source = random.Random(seed)
    keys.prepare(owner, keys.SERIES, now=now)
    left, more = source.randrange(40), source.randrange(1, 40)
    set_leased(owner, counts.MOST_MESSAGES - left)
    keys.forget()
    blobs = sealed(owner, now, left + more)
    first, *later = rows(owner)
    assert by_key(blobs)[first.id] == left
    assert [by_key(blobs)[each.id] for each in later] == [more]
    assert first.leased == counts.MOST_MESSAGES
    keys.forget()
    for number, blob in enumerate(blobs):
        assert keys.unseal(owner, keys.SERIES, blob, number) == b"x"


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("seed", range(4))
def test_no_key_seals_too_many_whoever_seals_at_once_and_forgets_what_was_leased(
    owner: UUID, now: datetime, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(counts, "MOST_MESSAGES", 50)
    blobs: list[bytes] = []
    failed: list[BaseException] = []

    def run(number: int) -> None:
        source = random.Random(100 * seed + number)
        try:
            for _ in range(60):
                blobs.append(keys.seal(owner, keys.SERIES, b"x", now=now))
                if source.random() < 0.1:
                    counts.forget()
        except BaseException as error:  # noqa: BLE001 -- told to the test
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert len(blobs) == 240
    used = by_key(blobs)
    leased = {row.id: row.leased for row in rows(owner)}
    assert all(used[key] <= leased[key] <= 50 for key in used)
    assert [row.number for row in rows(owner)] == list(range(len(leased)))


@pytest.mark.usefixtures("few")
def test_a_transaction_that_is_rolled_back_takes_no_count_and_no_key_with_it(
    owner: UUID, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "MOST_MESSAGES", 20)
    keys.prepare(owner, keys.SERIES, now=now)
    blobs: list[bytes] = []
    with tenant_scope(owner):
        blobs += sealed(owner, now, 45)
        transaction.set_rollback(True)
    assert sum(row.leased for row in rows(owner)) >= 45
    keys.forget()
    for number, blob in enumerate(blobs):
        assert keys.unseal(owner, keys.SERIES, blob, number) == b"x"


@pytest.mark.usefixtures("few")
def test_a_forked_process_draws_nothing_of_its_parents(owner: UUID, now: datetime) -> None:
    sealed(owner, now, 1)
    (row,) = rows(owner)
    assert counts._undrawn.left(row.id) == 6
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, b"%d" % counts._undrawn.left(row.id))
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 10) == b"0"
    os.close(reader)
    os.close(writer)
    assert counts._undrawn.left(row.id) == 6


def calls() -> Iterator[tuple[str, ast.Call]]:
    for package in ("config", "console", "analytics", "wisdom", "feeds", "tenants"):
        for path in (REPOSITORY / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call):
                    yield path.name, node


def test_every_row_is_sealed_under_a_class_that_has_a_name() -> None:
    assert keys.CLASSES == (keys.INBOX, keys.SERIES, keys.FINDINGS, keys.CONFIGURATION)
    named = {name for name in vars(keys) if getattr(keys, name) in keys.CLASSES}
    found = 0
    for file, call in calls():
        if ast.unparse(call.func) in {"keys.seal", "keys.unseal", "keys.prepare"}:
            found += 1
            assert ast.unparse(call.args[1]).removeprefix("keys.") in named, file
    assert found > 15
