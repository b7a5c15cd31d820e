"""Django's signing key is a named secret; an older home's file is taken in once."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core import signing
from django.core.signing import BadSignature

from audit.actors import Actor
from config.first_start import keep_signing_key
from config.settings.signing import Older, key, lazy_key
from tenants import keys
from tenants.errors import KeyUnavailable
from tenants.keys import secrets

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
ACTOR = Actor(kind="shell", id="test")


def test_a_key_is_made_once_and_kept_sealed() -> None:
    made = key()
    assert len(made) == 96
    assert key() == made
    assert secrets.names() == ["django"]


def test_an_older_homes_file_is_taken_in_and_goes(settings: Any, tmp_path: Path) -> None:
    file = tmp_path / "django"
    file.write_text("ab" * 32 + "\n")
    settings.SECRET_KEY_FILE = str(file)
    keep_signing_key()
    assert not file.exists()
    assert key() == "ab" * 32
    keep_signing_key()
    assert secrets.versions("django") == [1]


def test_what_an_earlier_key_signed_verifies_until_that_version_is_removed(
    settings: Any, now: datetime
) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = lazy_key(), Older()
    signed = signing.dumps("session")
    secrets.put("django", b"cd" * 48, actor=ACTOR, now=now)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = lazy_key(), Older()
    assert signing.loads(signed) == "session"
    assert signing.dumps("session").rpartition(":")[2] != signed.rpartition(":")[2]
    secrets.remove("django", version=1, actor=ACTOR, now=now)
    settings.SECRET_KEY_FALLBACKS = Older()
    with pytest.raises(BadSignature):
        signing.loads(signed)


def test_without_the_deployments_own_secret_nothing_is_signed(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import connections  # noqa: PLC0415 -- beside what it breaks

    settings.SECRET_KEY = lazy_key()
    keys.forget()
    connections["keys"].close()
    monkeypatch.setitem(connections["keys"].settings_dict, "PORT", "1")
    with pytest.raises(KeyUnavailable):
        signing.dumps("session")
    connections["keys"].close()
