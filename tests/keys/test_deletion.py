"""A deleted tenant's rows open nowhere, whatever copy of the main database is put back."""

import json
from datetime import datetime
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from audit.actors import Actor
from tenants import keys
from tenants.actions import create_tenant, delete_tenant, deletion, resume_tenant
from tenants.errors import KeyUnavailable, UnfitTerms
from tenants.models import DataKey, KeyCertificate, Pending, Tenant, TenantKey
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])

ACTOR = Actor(kind="shell", id="test")
EVENTS = '{"ts":"2026-05-01T10:00:00Z","srcIP":"10.0.0.1","query":"example.com"}'
CLASSES = (keys.INBOX, keys.SERIES, keys.FINDINGS, keys.CONFIGURATION)


def sealed(tenant: UUID, now: datetime) -> list[tuple[str, bytes]]:
    return [
        (each, keys.seal(tenant, each, b"kept", number, now=now))
        for each in CLASSES
        for number in range(25)
    ]


def opened(tenant: UUID, rows: list[tuple[str, bytes]]) -> int:
    count = 0
    for place, (series_class, row) in enumerate(rows):
        try:
            keys.unseal(tenant, series_class, row, place % 25)
        except KeyUnavailable:
            continue
        count += 1
    return count


def test_an_older_copy_of_the_main_database_opens_nothing_of_a_deleted_tenant(
    tenant: tuple[UUID, str], client: Client, now: datetime, as_owner: Any
) -> None:
    owner, key = tenant
    other = create_tenant(name="b.example", actor=ACTOR, reason="test", now=now).tenant.id
    mine, theirs = sealed(owner, now), sealed(other, now)
    bearer = {"authorization": f"Bearer {key}"}
    sent = client.post("/v1/events/dns", EVENTS, content_type="application/json", headers=bearer)
    assert sent.status_code == 200
    with as_owner("default") as session:
        session.execute("CREATE TABLE dump_data_key AS SELECT * FROM data_key")
        session.execute("CREATE TABLE dump_inbox AS SELECT * FROM inbox_part")
    try:
        gone = delete_tenant(tenant=owner, actor=ACTOR, reason="contract ended", now=now)
        assert gone.rows["inbox_part"] == 1
        assert gone.rows["data_key"] == 5  # the event came today, in an epoch of its own
        with as_owner("default") as session:
            left = session.execute("SELECT count(*) FROM inbox_part").fetchone()
            assert left == (0,)
            session.execute(
                "INSERT INTO data_key SELECT * FROM dump_data_key ON CONFLICT DO NOTHING"
            )
            session.execute("INSERT INTO inbox_part SELECT * FROM dump_inbox")
            session.execute("UPDATE tenant SET state = 'active' WHERE id = %s", [owner])
    finally:
        with as_owner("default") as session:
            session.execute("DROP TABLE dump_data_key, dump_inbox")
    keys.forget()
    assert opened(owner, mine) == 0
    assert opened(other, theirs) == len(theirs) == 100
    with pytest.raises(KeyUnavailable):
        keys.fingerprint_key(owner)
    keys.make_tenant_keys(owner, now=now)
    assert opened(owner, mine) == 0


def test_a_deletion_is_certified_audited_and_final(
    tenant: tuple[UUID, str], client: Client, now: datetime, as_owner: Any
) -> None:
    owner, key = tenant
    sealed(owner, now)
    first = delete_tenant(tenant=owner, actor=ACTOR, reason="contract ended", now=now)
    again = delete_tenant(tenant=owner, actor=ACTOR, reason="contract ended", now=now)
    assert [each.purpose for each in first.certificates] == ["index", "wrap"]
    assert again.certificates == first.certificates
    assert not any(again.rows.values())
    with tenant_scope(owner, using="keys"):
        assert KeyCertificate.objects.count() == 2
        rows = TenantKey.objects.values_list("wrapped", "destroyed_at")
        assert [(bytes(wrapped), at) for wrapped, at in rows] == [(b"", now)] * 2
    assert Tenant.objects.get(id=owner).name == f"deleted {owner}"
    assert not resume_tenant(tenant=owner, actor=ACTOR, reason="no", now=now)
    bearer = {"authorization": f"Bearer {key}"}
    assert client.get("/v1/alerts", headers=bearer).status_code == 403
    with as_owner("default") as session:
        events = session.execute(
            "SELECT event, detail->>'digest_wrap' FROM audit_stage WHERE tenant = %s"
            " AND (event LIKE 'tenant.%%' OR event LIKE 'key.tenant_keys%%') ORDER BY id",
            [owner],
        ).fetchall()
    names = sorted(event for event, _ in events)
    assert names == [
        "key.tenant_keys_destroyed", "tenant.created", "tenant.deleted", "tenant.purged",
    ]  # fmt: skip
    assert [digest for _, digest in events if digest] == [first.certificates[1].digest.hex()]


def test_a_deletion_that_was_interrupted_goes_on(
    tenant: tuple[UUID, str], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, _ = tenant
    rows = sealed(owner, now)

    def killed(*_arguments: Any, **_options: Any) -> Any:
        raise KeyboardInterrupt

    for step in ("_end", "purge", "_empty"):
        with monkeypatch.context() as patch:
            patch.setattr(deletion, step, killed)
            with pytest.raises(KeyboardInterrupt):
                delete_tenant(tenant=owner, actor=ACTOR, reason="test", now=now)
        assert opened(owner, rows) == 0
    monkeypatch.setattr(deletion, "BATCH", 3)
    assert delete_tenant(tenant=owner, actor=ACTOR, reason="x", now=now).rows["data_key"] == 4
    with tenant_scope(owner):
        assert not DataKey.objects.exists()


def test_a_living_or_unknown_tenant_is_not_purged(tenant: tuple[UUID, str], now: datetime) -> None:
    with pytest.raises(UnfitTerms, match="not deleted"):
        deletion.purge(tenant=tenant[0])
    with pytest.raises(UnfitTerms, match="no tenant"):
        delete_tenant(tenant=UUID(int=9), actor=ACTOR, reason="test", now=now)


def test_the_command_wants_the_name_again_and_a_reason(tenant: tuple[UUID, str]) -> None:
    name = "first.example"
    for arguments in (["--confirm", "other", "--reason", "x"], ["--confirm", name]):
        with pytest.raises(CommandError):
            call_command("tenant", "delete", name, *arguments)
    out = StringIO()
    call_command("tenant", "delete", name, "--confirm", name, "--reason", "x", "--json", stdout=out)
    said = json.loads(out.getvalue())
    assert said["tenant"] == str(tenant[0])
    assert Pending.objects.get().id == UUID(said["approval"])
    assert Tenant.objects.get(id=tenant[0]).state == "active"  # see test_approved_deeds


def test_every_table_of_tenants_rows_is_one_that_a_deletion_can_empty() -> None:
    tables = [model._meta.db_table for model in deletion._tables()]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM unnest(%s::text[]) AS name"
            " WHERE NOT has_table_privilege(name, 'DELETE')",
            [tables],
        )
        assert cursor.fetchall() == []
    assert tables[-1] == "data_key"
