"""Named secrets: sealed at rest, versioned, audited, never shown; the peppers among them."""

import io
import json
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F

from audit.actors import Actor
from config.first_start import keep_peppers
from crypto import mac
from crypto.errors import CryptoError
from tenants import keys
from tenants.apikeys import Scope
from tenants.auth import caller
from tenants.errors import KeyUnavailable, NoSecret, Unauthenticated, UnfitTerms
from tenants.keys import peppers, secrets
from tenants.models import KeyIndex, NamedSecret
from wisdom.actions import create_engine
from wisdom.auth import engine_of
from wisdom.models import Engine

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])

ACTOR = Actor(kind="shell", id="test")
VALUE = b"s3cr3t of a feed"


def run(*arguments: str) -> Any:
    out = StringIO()
    call_command("keys", *arguments, "--json", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue().splitlines()[-1])


def audited(as_owner: Callable[..., Any]) -> list[tuple[str, str]]:
    with as_owner("default") as session:
        rows: list[tuple[str, str]] = session.execute(
            "SELECT event, resource FROM audit_stage WHERE event LIKE 'secret.%' ORDER BY event"
        ).fetchall()
    return rows


def test_a_secret_has_versions_and_the_newest_is_given(
    now: datetime, as_owner: Callable[..., Any]
) -> None:
    assert secrets.put("feeds/one", VALUE, actor=ACTOR, now=now) == 1
    assert secrets.put("feeds/one", b"newer", actor=ACTOR, now=now) == 2
    assert secrets.get("feeds/one") == b"newer"
    assert secrets.get("feeds/one", version=1) == VALUE
    assert (secrets.names(), secrets.versions("feeds/one")) == (["feeds/one"], [1, 2])
    assert secrets.remove("feeds/one", version=1, actor=ACTOR, now=now) == 1
    with pytest.raises(NoSecret):
        secrets.get("feeds/one", version=1)
    assert secrets.remove("feeds/one", actor=ACTOR, now=now) == 1
    assert secrets.remove("feeds/one", actor=ACTOR, now=now) == 0
    with pytest.raises(NoSecret):
        secrets.get("feeds/one")
    told = audited(as_owner)
    assert told == [
        ("secret.removed", "secret:feeds/one"), ("secret.removed", "secret:feeds/one"),
        ("secret.stored", "secret:feeds/one"), ("secret.stored", "secret:feeds/one"),
    ]  # fmt: skip


def test_a_secret_is_sealed_to_its_name_and_version(now: datetime) -> None:
    secrets.put("a", VALUE, actor=ACTOR, now=now)
    secrets.put("b", b"other", actor=ACTOR, now=now)
    row = NamedSecret.objects.using("keys").get(name="a")
    assert VALUE not in bytes(row.sealed)
    NamedSecret.objects.using("keys").filter(name="b").update(sealed=row.sealed)
    with pytest.raises(CryptoError):
        secrets.get("b")


@pytest.mark.parametrize("name", ["", "A", "/a", "a b", "a" * 101, "a\n", "ä"])
def test_an_unfit_name_is_refused(name: str, now: datetime) -> None:
    with pytest.raises(UnfitTerms):
        secrets.put(name, VALUE, actor=ACTOR, now=now)


@pytest.mark.parametrize("value", [b"", b"x" * 65_537])
def test_an_unfit_value_is_refused(value: bytes, now: datetime) -> None:
    with pytest.raises(UnfitTerms):
        secrets.put("a", value, actor=ACTOR, now=now)


def test_the_command_reads_a_value_from_a_file_or_stdin_and_shows_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "value"
    file.write_bytes(VALUE + b"\n")
    assert run("secret", "put", "feeds/one", "--file", str(file)) == {
        "name": "feeds/one", "version": 1,
    }  # fmt: skip
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"typed\r\n")))
    assert run("secret", "put", "feeds/one")["version"] == 2
    assert secrets.get("feeds/one") == b"typed"
    assert secrets.get("feeds/one", version=1) == VALUE
    assert run("secret", "list") == [{"name": "feeds/one", "versions": [1, 2]}]
    assert run("secret", "remove", "feeds/one", "--version", "2")["removed"] == 1
    for arguments in (
        ("secret", "remove", "nothing"),
        ("secret", "remove", "pepper"),
        ("secret", "put", "pepper", "--file", str(file)),
        ("secret", "put", "x", "--file", str(tmp_path / "none")),
        ("secret", "put", "X", "--file", str(file)),
    ):
        with pytest.raises(CommandError):
            run(*arguments)


def test_no_argument_takes_a_value() -> None:
    with pytest.raises(CommandError):
        run("secret", "put", "feeds/one", "s3cr3t")
    assert secrets.names() == []


def home_with_pepper(tmp_path: Path, settings: Any, text: str = "0b" * 32) -> Path:
    """A home of before: its pepper is a file."""
    file = tmp_path / "pepper_1"
    file.write_text(text)
    file.chmod(0o400)
    settings.PEPPERS = {1: str(file)}
    keys.forget()
    return file


def known(key: str, now: datetime) -> UUID:
    return caller(f"Bearer {key}", scope=Scope.INGEST, now=now).tenant


def test_an_older_homes_pepper_is_adopted_once_and_its_keys_go_on(
    now: datetime, settings: Any, tmp_path: Path
) -> None:
    from tenants.actions import create_tenant  # noqa: PLC0415 -- after the home is as of then

    file = home_with_pepper(tmp_path, settings)
    new = create_tenant(name="old.example", actor=ACTOR, reason="test", now=now)
    row = KeyIndex.objects.get(tenant=new.tenant)
    assert bytes(row.mac) == mac.tag(bytes.fromhex("0b" * 32), new.api_key.encode())
    assert secrets.names() == []
    keep_peppers(now=now)
    assert not file.exists()
    assert secrets.versions("pepper") == [1]
    keys.forget()
    assert known(new.api_key, now) == new.tenant.id
    keep_peppers(now=now)
    assert secrets.versions("pepper") == [1]


def test_a_pepper_file_that_is_not_the_one_that_is_kept_stays(
    now: datetime, settings: Any, tmp_path: Path
) -> None:
    secrets.keep("pepper", bytes(32), version=1, actor=ACTOR, now=now)
    file = home_with_pepper(tmp_path, settings)
    keep_peppers(now=now)
    assert file.exists()


def test_a_rotation_of_the_pepper_invalidates_no_key_and_retags_each_at_its_next_use(
    tenant: tuple[UUID, str], now: datetime
) -> None:
    engine, engines_key = create_engine(name="e", actor=ACTOR, reason="", now=now)
    assert run("rotate-pepper") == {"pepper": 2}
    assert peppers.users(1) == 2
    with pytest.raises(CommandError, match="2 live keys"):
        run("secret", "remove", "pepper", "--version", "1")
    assert known(tenant[1], now) == tenant[0]
    assert engine_of(f"Bearer {engines_key}").id == engine.id
    assert KeyIndex.objects.get(tenant=tenant[0]).pepper == 2
    assert Engine.objects.get(id=engine.id).pepper == 2
    assert known(tenant[1], now) == tenant[0]
    assert engine_of(f"Bearer {engines_key}").id == engine.id
    for version in ("2", "9"):
        with pytest.raises(CommandError):
            run("secret", "remove", "pepper", "--version", version)
    with pytest.raises(CommandError, match="not 60 s old"):
        run("secret", "remove", "pepper", "--version", "1")
    age(peppers.SETTLED)
    assert run("secret", "remove", "pepper", "--version", "1") == {"name": "pepper", "removed": 1}
    assert known(tenant[1], now) == tenant[0]


def age(by: timedelta) -> None:
    """Have the peppers been made earlier."""
    NamedSecret.objects.using("keys").filter(name="pepper").update(created_at=F("created_at") - by)


def test_a_pepper_is_not_retired_while_a_process_may_still_tag_under_it(now: datetime) -> None:
    peppers.primary_pepper()
    peppers.rotate(actor=ACTOR, now=now)
    for early in (timedelta(0), peppers.SETTLED - timedelta(microseconds=1)):
        with pytest.raises(UnfitTerms, match="may not know of it"):
            peppers.retire(1, actor=ACTOR, now=now + early)
    assert secrets.versions("pepper") == [1, 2]
    peppers.retire(1, actor=ACTOR, now=now + peppers.SETTLED)
    assert secrets.versions("pepper") == [2]


def test_a_process_looks_for_a_newer_pepper_well_before_an_older_one_may_go() -> None:
    assert timedelta(seconds=3 * peppers.LOOKED_SECONDS) < peppers.SETTLED


def test_a_wrong_key_is_not_retagged(tenant: tuple[UUID, str], now: datetime) -> None:
    run("rotate-pepper")
    before = KeyIndex.objects.get(tenant=tenant[0])
    KeyIndex.objects.filter(id=before.id).update(mac=bytes(32))
    with pytest.raises(Unauthenticated):
        known(tenant[1], now)
    after = KeyIndex.objects.get(id=before.id)
    assert (after.pepper, bytes(after.mac)) == (1, bytes(32))


def test_a_key_whose_pepper_is_gone_is_unavailable_not_wrong(
    tenant: tuple[UUID, str], now: datetime
) -> None:
    run("rotate-pepper")
    secrets.remove("pepper", version=1, actor=ACTOR, now=now)
    keys.forget()
    with pytest.raises(KeyUnavailable):
        known(tenant[1], now)
