"""The root key is rotated while everything serves, and goes on where it was killed."""

import itertools
import json
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings as deployment
from django.core.management import CommandError, call_command
from django.db import connections

from audit.actors import Actor
from tenants import keys
from tenants.actions import create_tenant, rotation
from tenants.errors import KeyUnavailable, UnfitTerms
from tenants.keys import keyring, providers
from tenants.keys.keyring import Name
from tenants.models import RootState, RootVersion
from tests.keys.services import Vault

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])

ACTOR = Actor(kind="shell", id="test")
OLD, NEW = Name("file", "root", 1), Name("file", "root", 2)


class Killed(BaseException):
    """As sudden as a kill: nothing that handles exceptions handles it."""


@pytest.fixture(autouse=True)
def root(settings: Any, tmp_path: Path) -> Path:
    """A root key of the test's own, so that no other test's is rotated."""
    path = tmp_path / "root"
    path.write_text(Path(deployment.ROOT_KEY_FILE).read_text())
    path.chmod(0o400)
    settings.ROOT_KEY_FILE = str(path)
    keys.forget()
    return path


def rotate(now: datetime, **options: Any) -> rotation.Rotated:
    return rotation.rotate(actor=ACTOR, reason="test", now=now, sleep=lambda _: None, **options)


def counts() -> dict[Name, int]:
    return {each.name: each.keys for each in rotation.status()}


def make(number: int, now: datetime) -> list[tuple[UUID, bytes]]:
    """Make tenants and seal something for each."""
    made = []
    for each in range(number):
        new = create_tenant(name=f"t{each}.example", actor=ACTOR, reason="test", now=now)
        made.append((new.tenant.id, keys.seal(new.tenant.id, keys.SERIES, b"kept", now=now)))
    return made


def opens(tenant: UUID, sealed: bytes) -> bool:
    return keys.unseal(tenant, keys.SERIES, sealed) == b"kept"


def test_every_key_moves_and_what_was_sealed_before_opens(now: datetime, root: Path) -> None:
    made = make(3, now)
    done = rotate(now)
    assert (done.version, done.rewrapped, done.resumed) == (NEW, 7, False)
    assert counts() == {OLD: 0, NEW: 7}
    assert all(opens(*each) for each in made)
    index = keys.blind_index(made[0][0], "source", "x")
    system = keys.system_seal("totp", b"seed")
    rotation.retire(name=OLD, actor=ACTOR, reason="test", now=now + timedelta(minutes=2))
    assert not root.exists()
    assert all(opens(*each) for each in made)
    assert keys.blind_index(made[0][0], "source", "x") == index
    assert keys.system_unseal("totp", system) == b"seed"
    assert rotate(now + timedelta(days=1)).version == Name("file", "root", 3)


def test_a_version_in_use_the_primary_and_a_fresh_rotations_old_one_are_not_retired(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(1, now)
    retire: dict[str, Any] = {"actor": ACTOR, "reason": "test", "now": now + timedelta(hours=1)}
    rotate(now)
    with pytest.raises(UnfitTerms, match="primary"):
        rotation.retire(name=NEW, **retire)
    with pytest.raises(UnfitTerms, match="60 s"):
        rotation.retire(name=OLD, actor=ACTOR, reason="test", now=now)
    monkeypatch.setattr(rotation, "wrapped_names", lambda: iter([OLD, NEW]))
    with pytest.raises(UnfitTerms, match="1 keys"):
        rotation.retire(name=OLD, **retire)


def test_a_process_that_has_not_reported_holds_the_rotation_up(now: datetime) -> None:
    tenant, sealed = make(1, now)[0]
    with connections["keys"].cursor() as cursor:
        cursor.execute(
            "INSERT INTO keyring_reader VALUES ('elsewhere:1', %s, clock_timestamp())",
            [json.dumps([str(OLD)])],
        )
    with pytest.raises(UnfitTerms, match="elsewhere:1"):
        rotate(now, wait=2)
    assert counts() == {OLD: 3, NEW: 0}
    assert RootVersion.objects.using("keys").get(version=2).state == RootState.DECRYPT
    assert opens(tenant, sealed)
    with connections["keys"].cursor() as cursor:
        cursor.execute("UPDATE keyring_reader SET versions = versions || %s::jsonb",
                       [json.dumps([str(NEW)])])  # fmt: skip
    assert rotate(now).resumed
    assert counts() == {OLD: 0, NEW: 3}


STEPS = [
    "adopt_system_secret", "await_readers", "_promote", "_rewrap_all", "_rewrap_system",
    "_rewrap_tenant", "_rewrap", "record",
]  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_rotation_killed_at_any_step_goes_on_with_no_read_failed(
    now: datetime, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    made = make(3, now)
    ended = threading.Event()
    failed: list[BaseException] = []
    reads = itertools.count()

    def serve(number: int) -> None:
        try:
            while not ended.is_set():
                tenant, sealed = made[number]
                keys.forget()
                assert opens(tenant, sealed)
                again = keys.seal(tenant, keys.SERIES, b"kept", now=now)
                assert opens(tenant, again)
                next(reads)
        except BaseException as error:  # noqa: BLE001 -- told to the test
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=serve, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    real: Callable[..., Any] = getattr(rotation, step)
    calls = itertools.count()

    def killed(*arguments: Any, **options: Any) -> Any:
        fatal = next(calls) == (1 if step in {"_rewrap_tenant", "_rewrap", "record"} else 0)
        if fatal and when == "before":
            raise Killed
        said = real(*arguments, **options)
        if fatal:
            raise Killed
        return said

    try:
        monkeypatch.setattr(rotation, step, killed)
        with pytest.raises(Killed):
            rotate(now)
        monkeypatch.setattr(rotation, step, real)
        done = rotate(now)
    finally:
        ended.set()
        for thread in threads:
            thread.join(20)
    assert failed == []
    assert next(reads) > 0
    primary = RootVersion.objects.using("keys").get(state=RootState.PRIMARY)
    assert keyring.name_of(primary) == done.version == NEW
    assert counts() == {OLD: 0, NEW: 7}
    keys.forget()
    assert all(opens(*each) for each in made)


def test_a_root_that_is_another_than_was_recorded_is_refused(now: datetime, root: Path) -> None:
    tenant, sealed = make(1, now)[0]
    root.chmod(0o600)
    root.write_text("0c" * 32)
    keys.forget()
    with pytest.raises(KeyUnavailable, match="another key"):
        opens(tenant, sealed)
    assert len(keyring.compare_all()) == 1


def test_a_deployment_moves_from_its_file_to_vault(
    now: datetime, settings: Any, tmp_path: Path
) -> None:
    made = make(2, now)
    vault = Vault()
    token = tmp_path / "token"
    token.write_text(vault.TOKEN)
    token.chmod(0o400)
    with vault.served() as address:
        settings.KEY_PROVIDER = "vault_transit"
        settings.KEY_PROVIDER_OPTIONS = {"vault_transit": {
            "address": address, "mount": "transit", "key": "root", "token_file": str(token),
        }}  # fmt: skip
        done = rotate(now)
        assert done.version.provider == "vault_transit"
        assert counts() == {OLD: 0, done.version: 5}
        assert all(opens(*each) for each in made)
        providers.forget()


def run(*arguments: str) -> Any:
    out = StringIO()
    call_command("keys", *arguments, "--json", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue().splitlines()[-1])


def test_the_command_rotates_counts_and_retires_only_what_is_free(now: datetime) -> None:
    make(2, now)
    assert run("rotate") == {"version": "file:root:2", "rewrapped": 5, "resumed": False}
    assert run("status") == [
        {"version": "file:root:1", "state": "decrypt", "keys": 0},
        {"version": "file:root:2", "state": "primary", "keys": 5},
    ]
    for version in ("file:root:1", "file:root:2", "file:root:9", "nonsense"):
        with pytest.raises(CommandError):
            run("retire", version)
    assert {row["module"] for row in run("inventory")} >= {"crypto.aead", "crypto.signatures"}
