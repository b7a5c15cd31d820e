"""First start: what is missing is made once, shown once, and kept for ever after."""

import stat
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from config.first_start import make_first_accounts, make_key_files, write_once
from console.models import Staff
from crypto import signatures
from tenants.apikeys import Scope
from tenants.auth import caller
from tenants.models import Tenant

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
KEYS = ("root", "checkpoint")


@pytest.fixture
def home(settings: Any, tmp_path: Path) -> Path:
    """A home that nobody has started yet."""
    keys = tmp_path / "keys"
    settings.CHECKPOINT_FILE = str(tmp_path / "checkpoint")
    settings.ROOT_KEY_FILE = str(keys / "root")
    settings.SECRET_KEY_FILE = str(keys / "django")
    settings.CHECKPOINT_KEY_FILE = str(keys / "checkpoint")
    settings.WISDOM_KEY_FILE = str(keys / "wisdom_key")
    return tmp_path


def test_key_files_are_their_owners_alone_and_made_once(home: Path) -> None:
    make_key_files()
    before = {name: (home / "keys" / name).read_bytes() for name in KEYS}
    assert len(set(before.values())) == len(KEYS)
    for name in KEYS:
        assert stat.S_IMODE((home / "keys" / name).stat().st_mode) == 0o400
    assert stat.S_IMODE((home / "keys").stat().st_mode) == 0o700
    origin = (home / "origin").read_text()
    make_key_files()
    assert {name: (home / "keys" / name).read_bytes() for name in KEYS} == before
    assert (home / "origin").read_text() == origin
    signatures.decode_private(before["checkpoint"], name=origin)


def test_a_start_that_was_interrupted_goes_on(home: Path) -> None:
    make_key_files()
    root = (home / "keys" / "root").read_bytes()
    (home / "keys" / "checkpoint").unlink()
    (home / "keys" / "checkpoint.new").write_bytes(b"half")
    make_key_files()
    assert (home / "keys" / "root").read_bytes() == root
    origin = (home / "origin").read_text()
    signatures.decode_private((home / "keys" / "checkpoint").read_bytes(), name=origin)
    assert not list((home / "keys").glob("*.new"))


def test_what_is_written_once_is_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "key"
    write_once(file, b"first")
    write_once(file, b"second")
    assert file.read_bytes() == b"first"


def test_accounts_are_made_and_shown_once(
    settings: Any, tmp_path: Path, now: datetime, as_owner: Callable[..., Any]
) -> None:
    settings.WISDOM_KEY_FILE = str(tmp_path / "wisdom_key")
    shown = make_first_accounts(now=now)
    assert set(shown) == {
        "tenant", "api_key", "console_username", "console_password", "totp_secret", "otpauth_uri",
    }  # fmt: skip
    who = caller(f"Bearer {shown['api_key']}", scope=Scope.INGEST, now=now)
    assert str(who.tenant) == shown["tenant"]
    assert (tmp_path / "wisdom_key").read_text().startswith("twe_")
    assert make_first_accounts(now=now) == {}
    assert Tenant.objects.count() == Staff.objects.count() == 1
    with as_owner() as session:
        (row,) = session.execute(
            "SELECT count(*) FROM audit_stage WHERE event = 'system.first_start'"
        ).fetchall()
    assert row == (1,)
