"""What each kind of access reads (THREAT_MODEL.md), tried: everything found is tried as a key.

A thief has bytes. Each test collects the bytes of one kind of access, takes every 32 of them that
could be a key (aligned on what the formats store: each column, each line, each hexadecimal string),
and tries to open with it every envelope found anywhere in the deployment. None opens.
"""

import json
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.conf import settings
from django.test import Client
from redis import Redis

from audit.actors import Actor
from config.embedded import state
from console.actions import create_staff
from console.models import Role
from crypto import envelope, kdf, mac
from crypto.errors import CryptoError
from tenants import keys
from tenants.actions import create_tenant
from tenants.actions.deletion import delete_tenant
from tenants.keys import secrets
from tenants.keys.files import read_key_file
from tenants.keys.providers.file import FileProvider
from tests.analytics.engine import Engine

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])

ACTOR = Actor(kind="shell", id="test")
SECRET = b"a feed's very own key"
DATABASES = ("default", "keys", "wisdom")
Rows = dict[str, list[tuple[Any, ...]]]
_HEX = re.compile(rb"[0-9a-fA-F]{64}")


@dataclass(slots=True)
class Found:
    """What one kind of access gives: values as they are stored."""

    values: set[bytes] = field(default_factory=set)

    def add(self, value: Any) -> None:
        if isinstance(value, str):
            value = value.encode()
        if isinstance(value, UUID):
            value = value.bytes
        if isinstance(value, (bytes, memoryview)):
            self.values.add(bytes(value))

    def add_rows(self, rows: Rows) -> None:
        for table in rows.values():
            for row in table:
                for value in row:
                    self.add(value)

    def add_files(self, *paths: Path) -> None:
        for path in paths:
            for file in [path] if path.is_file() else sorted(path.rglob("*")):
                if file.is_file():
                    for line in file.read_bytes().splitlines():
                        self.values.add(line)

    def candidates(self) -> Iterator[bytes]:
        """Yield what could be a key: 32 bytes as they are, in hexadecimal, or a value's end."""
        for value in self.values:
            if len(value) == 32:
                yield value
            elif len(value) in {48, 60 + 32, 64}:
                yield value[:32]
                yield value[-32:]
            for match in _HEX.finditer(value):
                yield bytes.fromhex(match[0].decode())


def derived(secret: bytes) -> Iterator[tuple[UUID | None, bytes]]:
    """Yield the keys that the product would derive from a secret, of every purpose."""
    yield None, secret
    yield None, kdf.hkdf(secret, info=b"root|wrap")
    for purpose in ("totp_seed", "letter", "mail_link", "named-secret", "wisdom-cache"):
        made = kdf.hkdf(secret, info=b"system|" + purpose.encode(), length=48)
        yield UUID(bytes=made[:16]), made[16:]


@dataclass(frozen=True, slots=True)
class Sealed:
    """An envelope and the context that its row gives: a thief knows the formats."""

    blob: bytes
    context: bytes


def _whoever_asks(key: envelope.DataKey, _name: UUID) -> envelope.DataKey:
    return key


def opened_with(found: Found, sealed: list[Sealed]) -> int:
    """Return how many envelopes open with anything found, wrapped keys in turn."""
    tries = {key for each in found.candidates() for _, key in derived(each)}
    held = {key for key in tries if len(key) == 32}
    count = 0
    fresh = held
    while fresh:
        gained: set[bytes] = set()
        for each in sealed:
            for key in fresh:
                named = envelope.DataKey(id=UUID(int=0), secret=key)
                try:
                    plain = envelope.unseal(
                        key=partial(_whoever_asks, named), sealed=each.blob, context=each.context
                    )
                except CryptoError:
                    continue
                count += 1
                if len(plain) == 32:
                    gained |= {more for _, more in derived(plain)}
        fresh = gained - held
        held |= fresh
    return count


@dataclass(slots=True)
class Deployment:
    """A deployment with something of everything in it, and all that is sealed there."""

    tenant: UUID
    api_key: str
    as_owner: Callable[..., Any]
    shredded: UUID

    def rows(self, alias: str) -> Rows:
        """Return every table as the backup's role reads it."""
        with self.as_owner(alias) as session:
            session.execute("SET ROLE tawny_backup")
            tables = session.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'r'"
                " AND relnamespace = 'public'::regnamespace"
            ).fetchall()
            read = {
                table: session.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 -- our own
                for (table,) in tables
            }
            session.execute("RESET ROLE")
        return read

    def sealed(self) -> list[Sealed]:
        """Return envelopes of every kind, with their contexts as their rows give them."""
        found = []
        with self.as_owner("keys") as session:
            for tenant, name, purpose, blob in session.execute(
                "SELECT tenant_id, id, purpose, wrapped FROM tenant_key WHERE length(wrapped) > 0"
            ).fetchall():
                bound = b"wrap|" + name.bytes + keys.tenant_context(tenant, purpose)
                found.append(Sealed(bytes(blob), bound))
            for name, version, blob in session.execute(
                "SELECT name, version, sealed FROM named_secret"
            ).fetchall():
                found.append(Sealed(bytes(blob), envelope.context(secrets.PURPOSE, name, version)))
        with self.as_owner("default") as session:
            for tenant, name, blob in session.execute(
                "SELECT tenant_id, id, wrapped FROM data_key"
            ).fetchall():
                bound = b"wrap|" + name.bytes + envelope.context("data_key", tenant)
                found.append(Sealed(bytes(blob), bound))
            for user, device, blob in session.execute(
                "SELECT user_id, id, sealed_seed FROM staff_totp"
            ).fetchall():
                found.append(Sealed(bytes(blob), envelope.context("totp_seed", user, device)))
            for row in session.execute(
                "SELECT tenant_id, id, work_id, part, kind, schema, sealed FROM inbox_part"
            ).fetchall():
                bound = envelope.context(row[0], keys.INBOX, "inbox_part", *row[1:6])
                found.append(Sealed(bytes(row[6]), bound))
        return found


@pytest.fixture
def deployment(tenant: tuple[UUID, str], now: datetime, as_owner: Callable[..., Any]) -> Deployment:
    create_staff(username="owner", role=Role.OWNER, actor=ACTOR, reason="test", now=now)
    secrets.put("feeds/one", SECRET, actor=ACTOR, now=now)
    engine = Engine(tenant=tenant[0], now=datetime.now().astimezone())
    engine.accept([engine.event()])
    gone = create_tenant(name="gone.example", actor=ACTOR, reason="test", now=now).tenant.id
    keys.seal(gone, keys.SERIES, b"theirs", now=now)
    return Deployment(tenant=tenant[0], api_key=tenant[1], as_owner=as_owner, shredded=gone)


def test_the_attempt_succeeds_for_whoever_has_the_root_key(deployment: Deployment) -> None:
    root = Found()
    root.add_files(Path(settings.ROOT_KEY_FILE))
    assert opened_with(root, deployment.sealed()) == len(deployment.sealed())
    assert len(deployment.sealed()) >= 9


def test_a_dump_of_the_database_opens_nothing(deployment: Deployment) -> None:
    found = Found()
    found.add_rows(deployment.rows("default"))
    found.add_rows(deployment.rows("wisdom"))
    assert len(found.values) > 20
    assert opened_with(found, deployment.sealed()) == 0


def test_a_dump_holds_no_api_key_seed_or_secret(deployment: Deployment) -> None:
    seed = keys.system_unseal("totp_seed", *_seed(deployment))
    for alias in DATABASES:
        for table, rows in deployment.rows(alias).items():
            for value in (bytes(each) if isinstance(each, (bytes, memoryview)) else each
                          for row in rows for each in row):  # fmt: skip
                text = value if isinstance(value, bytes) else str(value).encode()
                for private in (deployment.api_key.encode(), seed, SECRET):
                    assert private not in text, table


def _seed(deployment: Deployment) -> tuple[bytes, int, int]:
    with deployment.as_owner("default") as session:
        (row,) = session.execute("SELECT sealed_seed, user_id, id FROM staff_totp").fetchall()
    return bytes(row[0]), row[1], row[2]


def test_the_database_of_keys_opens_nothing_alone_or_with_the_other_two(
    deployment: Deployment,
) -> None:
    found = Found()
    found.add_rows(deployment.rows("keys"))
    assert opened_with(found, deployment.sealed()) == 0
    for alias in ("default", "wisdom"):
        found.add_rows(deployment.rows(alias))
    assert opened_with(found, deployment.sealed()) == 0


def test_the_broker_opens_nothing_and_names_no_more_than_ids(deployment: Deployment) -> None:
    valkey = Redis.from_url(settings.CACHE_URL)
    found = Found()
    for name in valkey.scan_iter():
        found.add(name)
        found.add(valkey.dump(name))
    found.add_files(state.home() / "valkey")
    found.add(json.dumps({"tenant": str(deployment.tenant), "work": str(deployment.tenant)}))
    assert opened_with(found, deployment.sealed()) == 0


def test_the_data_folder_and_the_write_ahead_log_open_nothing(deployment: Deployment) -> None:
    with deployment.as_owner("default") as session:
        session.execute("CHECKPOINT")
    content = b"".join(
        file.read_bytes() for file in (state.home() / "pg").rglob("*") if file.is_file()
    )
    root = read_key_file(settings.ROOT_KEY_FILE)
    pepper = keys.primary_pepper()[1]
    provider = FileProvider(settings.ROOT_KEY_FILE)
    private = [root, pepper, SECRET, deployment.api_key.encode(), provider._key(1).secret]
    private += [key for _, key in derived(root)]
    private.append(keys.fingerprint_key(deployment.tenant))
    for each in private:
        assert each not in content
        assert each.hex().encode() not in content
    found = Found(values={match[0] for match in _HEX.finditer(content)})
    assert opened_with(found, deployment.sealed()) == 0


def test_an_older_backup_opens_nothing_of_a_tenant_that_was_deleted(
    deployment: Deployment, now: datetime
) -> None:
    before = deployment.sealed()
    gone = deployment.shredded
    theirs = [each for each in before if gone.bytes in each.context]
    assert len(theirs) == 3
    delete_tenant(tenant=gone, actor=ACTOR, reason="test", now=now)
    found = Found()
    for alias in DATABASES:
        found.add_rows(deployment.rows(alias))
    found.add_files(Path(settings.ROOT_KEY_FILE))
    data_keys = [each for each in theirs if b"data_key" in each.context]
    assert len(data_keys) == 1
    assert opened_with(found, data_keys) == 0


def test_the_logs_hold_nothing_that_opens(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = Client(raise_request_exception=False)
    bearer = {"authorization": f"Bearer {deployment.api_key}"}
    client.get("/v1/alerts", headers=bearer)
    client.post("/v1/events/ip", "{}", content_type="application/json", headers=bearer)
    found = Found()
    for line in caplog.text.splitlines():
        found.add(line)
    found.add_files(state.home() / "logs")
    assert opened_with(found, deployment.sealed()) == 0
    assert not [each for each in found.values if deployment.api_key.encode() in each]


def test_a_row_says_which_rows_of_one_tenant_are_equal_and_of_two_tenants_nothing(
    deployment: Deployment,
) -> None:
    one = keys.blind_index(deployment.tenant, "source", "10.0.0.1")
    assert one == keys.blind_index(deployment.tenant, "source", "10.0.0.1")
    assert one != keys.blind_index(deployment.shredded, "source", "10.0.0.1")
    assert one != mac.tag(bytes(32), b"10.0.0.1", length=16)


@pytest.mark.usefixtures("deployment")
def test_the_staff_role_of_the_database_may_not_read_a_wrapped_key() -> None:
    reached = state.connection()
    assert reached is not None
    with (
        psycopg.connect(
            host=str(reached.socket_dir), port=reached.port, dbname="tawny_keys",
            user="tawny_staff", password=reached.passwords["tawny_staff"], autocommit=True,
        ) as session,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):  # fmt: skip
        session.execute("SELECT count(*) FROM tenant_key")
