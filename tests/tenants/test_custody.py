"""Custody: what is sealed opens from what is stored, for whoever it belongs to and nobody else."""

import threading
import time
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connections

from crypto import envelope
from crypto.errors import CryptoError
from tenants import keys
from tenants.errors import KeyUnavailable
from tenants.keys import custody
from tenants.keys.root import read_key_file
from tenants.models import DataKey, TenantKey
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


@pytest.fixture
def owner(tenant: tuple[UUID, str]) -> UUID:
    return tenant[0]


def test_what_is_sealed_opens_from_what_is_stored(owner: UUID, now: datetime) -> None:
    sealed = keys.seal(owner, keys.SERIES, b"contents", "row", 1, now=now)
    keys.forget()
    assert keys.unseal(owner, keys.SERIES, sealed, "row", 1) == b"contents"


@pytest.mark.parametrize("context", [("row", 2), ("other", 1), ("row",), ("row", "1"), ("row1",)])
def test_another_row_does_not_open(owner: UUID, now: datetime, context: tuple[str | int]) -> None:
    sealed = keys.seal(owner, keys.SERIES, b"contents", "row", 1, now=now)
    with pytest.raises(CryptoError):
        keys.unseal(owner, keys.SERIES, sealed, *context)
    with pytest.raises(CryptoError):
        keys.unseal(owner, keys.INBOX, sealed, "row", 1)


def test_a_class_has_one_key_for_thirty_days(owner: UUID, now: datetime) -> None:
    for days in (0, 30, 60):
        keys.seal(owner, keys.SERIES, b"x", now=now + timedelta(days=days))
        keys.seal(owner, keys.SERIES, b"y", now=now + timedelta(days=days))
    keys.seal(owner, keys.INBOX, b"x", now=now)
    with tenant_scope(owner):
        assert DataKey.objects.filter(series_class=keys.SERIES).count() == 3
        assert DataKey.objects.filter(series_class=keys.INBOX).count() == 1


def test_processes_that_seal_first_at_once_agree_on_a_key(owner: UUID, now: datetime) -> None:
    ready = threading.Barrier(4)
    sealed: list[bytes] = []

    def run() -> None:
        try:
            ready.wait(10)
            key = custody._data_key(owner, keys.SERIES, 5, now)
            sealed.append(key.id.bytes)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(sealed) == 4
    assert len(set(sealed)) == 1


def test_without_the_tenants_key_nothing_opens_and_nothing_is_sealed(
    owner: UUID, now: datetime
) -> None:
    sealed = keys.seal(owner, keys.SERIES, b"contents", now=now)
    with tenant_scope(owner, using="keys"):
        TenantKey.objects.update(destroyed_at=now)
    keys.forget()
    with pytest.raises(KeyUnavailable):
        keys.unseal(owner, keys.SERIES, sealed)
    with pytest.raises(KeyUnavailable):
        keys.seal(owner, keys.INBOX, b"x", now=now)
    with pytest.raises(KeyUnavailable):
        keys.fingerprint_key(owner)


def test_keys_are_held_for_minutes_only(
    owner: UUID, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = keys.seal(owner, keys.SERIES, b"contents", now=now)
    with tenant_scope(owner, using="keys"):
        TenantKey.objects.update(destroyed_at=now)
    assert keys.unseal(owner, keys.SERIES, sealed) == b"contents"
    later = time.monotonic() + custody.HELD_SECONDS + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    with pytest.raises(KeyUnavailable):
        keys.unseal(owner, keys.SERIES, sealed)


def test_only_so_many_keys_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custody, "HELD", 3)
    held = custody._Held()
    key = envelope.DataKey(id=UUID(int=1), secret=bytes(32))
    loads: list[int] = []

    def load(number: int) -> envelope.DataKey:
        loads.append(number)
        return key

    for number in (0, 1, 2, 0, 3, 0, 1):
        held.get(UUID(int=number), "x", partial(load, number))
    assert loads == [0, 1, 2, 3, 1]
    assert len(held._entries) == 3


def test_blind_indexes_find_equals_of_one_field_and_one_tenant(owner: UUID, now: datetime) -> None:
    index = keys.blind_index(owner, "source", "10.0.0.1")
    assert index == keys.blind_index(owner, "source", b"10.0.0.1")
    assert len(index) == 16
    assert index != keys.blind_index(owner, "destination", "10.0.0.1")
    assert index != keys.blind_index(owner, "source", "10.0.0.2")
    other = UUID(int=2)
    keys.make_tenant_keys(other, now=now)
    assert index != keys.blind_index(other, "source", "10.0.0.1")
    assert keys.fingerprint_key(owner) != keys.fingerprint_key(other)


def test_making_a_tenants_keys_again_keeps_them(owner: UUID, now: datetime) -> None:
    before = keys.fingerprint_key(owner)
    keys.make_tenant_keys(owner, now=now)
    keys.forget()
    assert keys.fingerprint_key(owner) == before


def test_the_deployments_secrets_have_keys_by_purpose() -> None:
    sealed = keys.system_seal("totp", b"seed", 1)
    assert keys.system_unseal("totp", sealed, 1) == b"seed"
    with pytest.raises(CryptoError):
        keys.system_unseal("totp", sealed, 2)
    with pytest.raises(CryptoError):
        keys.system_unseal("feeds", sealed, 1)
    assert keys.system_key("totp") != keys.system_key("feeds")


@pytest.mark.parametrize(
    ("content", "mode", "fault"),
    [
        (b"00" * 32, 0o644, "mode"),
        (b"00" * 31, 0o400, "holds 31 bytes"),
        (b"zz" * 32, 0o400, "not hexadecimal"),
        (b"\xff" * 32, 0o400, "cannot be read"),
        (None, 0, "cannot be read"),
    ],
)
def test_a_key_file_that_is_none_or_open_to_others_is_refused(
    tmp_path: Path, content: bytes | None, mode: int, fault: str
) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
        file.chmod(mode)
    with pytest.raises(KeyUnavailable, match=fault):
        read_key_file(str(file))


def test_a_key_file_of_its_owner_is_read(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("0a" * 32 + "\n")
    file.chmod(0o400)
    assert read_key_file(str(file)) == b"\x0a" * 32


def test_a_pepper_that_is_not_configured_is_unavailable() -> None:
    with pytest.raises(KeyUnavailable):
        keys.pepper(99)
    version, pepper = keys.primary_pepper()
    assert keys.pepper(version) == pepper
