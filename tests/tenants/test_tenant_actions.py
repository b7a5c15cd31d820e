"""Deeds on tenants and keys: each is one transaction with its row in the audit log."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError

from audit.actors import Actor
from tenants.actions import (
    api_keys,
    create_key,
    create_tenant,
    revoke_key,
    suspend_tenant,
    tenants,
)
from tenants.apikeys import ALL_SCOPES, Scope
from tenants.auth import caller
from tenants.errors import Forbidden, Unauthenticated
from tenants.models import KeyIndex, Tenant

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
SHELL = Actor(kind="shell", id="test")


def deeds(as_owner: Callable[..., Any]) -> list[str]:
    with as_owner() as session:
        rows = session.execute("SELECT event FROM audit_stage ORDER BY id").fetchall()
    return sorted(event for (event,) in rows)


def as_bearer(key: str) -> str:
    return f"Bearer {key}"


def test_a_new_tenants_key_opens_every_door(now: datetime, as_owner: Callable[..., Any]) -> None:
    new = create_tenant(name="a.example", actor=SHELL, reason="test", now=now)
    for scope in ALL_SCOPES:
        assert caller(as_bearer(new.api_key), scope=scope, now=now).tenant == new.tenant.id
    assert new.api_key not in repr(new)
    assert deeds(as_owner) == [
        "key.created",
        "key.tenant_key_created",
        "secret.stored",
        "tenant.created",
    ]  # fmt: skip -- the first key of a deployment makes its pepper


def test_no_part_of_a_key_is_stored(tenant: tuple[UUID, str], as_owner: Callable[..., Any]) -> None:
    secret = tenant[1].split("_")[2]
    with as_owner() as session:
        rows = session.execute("SELECT key_index::text FROM key_index").fetchall()
    assert len(rows) == 1
    assert secret not in rows[0][0]
    assert secret[:20] not in rows[0][0]


def test_a_name_is_taken_once(tenant: tuple[UUID, str], now: datetime) -> None:
    with pytest.raises(IntegrityError):
        create_tenant(name="first.example", actor=SHELL, reason="test", now=now)
    assert Tenant.objects.get().id == tenant[0]


def test_nothing_happens_that_cannot_be_recorded(
    tenant: tuple[UUID, str], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_what: object) -> None:
        raise DatabaseError

    for module in (api_keys, tenants):
        monkeypatch.setattr(module, "record", fail)
    key = tenant[1].split("_")[1]
    made: dict[str, Any] = {"actor": SHELL, "reason": "test", "now": now}
    row = Tenant.objects.get()
    for deed in (
        lambda: create_tenant(name="b.example", **made),
        lambda: create_key(tenant=row, label="x", scopes=ALL_SCOPES, **made),
        lambda: revoke_key(key=key, **made),
        lambda: suspend_tenant(tenant=row.id, **made),
    ):
        with pytest.raises(DatabaseError):
            deed()
    assert Tenant.objects.count() == KeyIndex.objects.count() == 1
    assert caller(as_bearer(tenant[1]), scope=Scope.INGEST, now=now).key == key


def test_a_revoked_key_stops_at_once_and_is_revoked_once(
    tenant: tuple[UUID, str], now: datetime, as_owner: Callable[..., Any]
) -> None:
    made: dict[str, Any] = {"actor": SHELL, "reason": "test", "now": now}
    key = tenant[1].split("_")[1]
    assert revoke_key(key=key, **made)
    assert not revoke_key(key=key, **made)
    assert not revoke_key(key="nobody", **made)
    with pytest.raises(Forbidden):
        caller(as_bearer(tenant[1]), scope=Scope.INGEST, now=now)
    assert deeds(as_owner).count("key.revoked") == 1


def test_a_key_ends_with_its_time(tenant: tuple[UUID, str], now: datetime) -> None:
    end = now + timedelta(hours=1)
    KeyIndex.objects.update(expires_at=end)
    second = timedelta(seconds=1)
    assert caller(as_bearer(tenant[1]), scope=Scope.INGEST, now=end - second).key
    with pytest.raises(Forbidden):
        caller(as_bearer(tenant[1]), scope=Scope.INGEST, now=end)


def test_a_suspended_tenants_keys_stop(
    tenant: tuple[UUID, str], now: datetime, as_owner: Callable[..., Any]
) -> None:
    made: dict[str, Any] = {"actor": SHELL, "reason": "test", "now": now}
    assert suspend_tenant(tenant=tenant[0], **made)
    assert not suspend_tenant(tenant=tenant[0], **made)
    with pytest.raises(Forbidden):
        caller(as_bearer(tenant[1]), scope=Scope.ALERTS, now=now)
    assert deeds(as_owner).count("tenant.suspended") == 1


def test_a_key_opens_only_what_its_scopes_say(tenant: tuple[UUID, str], now: datetime) -> None:
    row = Tenant.objects.get()
    key = create_key(
        tenant=row, label="reader", scopes=(Scope.ALERTS,), actor=SHELL, reason="test", now=now
    )
    assert caller(as_bearer(key), scope=Scope.ALERTS, now=now).tenant == tenant[0]
    for scope in (Scope.INGEST, Scope.ACCOUNT):
        with pytest.raises(Forbidden, match=scope):
            caller(as_bearer(key), scope=scope, now=now)


def test_a_key_with_the_right_id_and_another_secret_is_unknown(
    tenant: tuple[UUID, str], now: datetime
) -> None:
    KeyIndex.objects.update(mac=bytes(32))
    with pytest.raises(Unauthenticated):
        caller(as_bearer(tenant[1]), scope=Scope.INGEST, now=now)


def test_the_command_ends_with_a_line_of_json() -> None:
    out = StringIO()
    call_command("tenant", "create", "a.example", "--json", stdout=out)
    made = json.loads(out.getvalue().splitlines()[-1])
    assert Tenant.objects.get().id == UUID(made["tenant"])
    assert made["api_key"].startswith("twy_")
    with pytest.raises(CommandError, match="exists already"):
        call_command("tenant", "create", "a.example")
    with pytest.raises(CommandError, match="1 to 200"):
        call_command("tenant", "create", "  ")
    out = StringIO()
    call_command("tenant", "list", "--json", stdout=out)
    (row,) = json.loads(out.getvalue().splitlines()[-1])
    assert row == {
        "tenant": made["tenant"],
        "name": "a.example",
        "state": "active",
        "plan": "full",
    }
