"""The certificate of a deletion is checked offline, by whoever has the log's key."""

import base64
import json
from collections.abc import Callable
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from audit.leaves import canonical
from crypto import envelope, signatures
from crypto.digests import sha256
from tenants import certificates
from tenants.actions import create_tenant, delete_tenant
from tenants.certificates import Document, certificate, fault
from tenants.models import TenantKey
from tenants.scope import tenant_scope
from tests.rights.full import SHELL, sequence

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


@pytest.fixture
def document(tenant: tuple[UUID, str], now: datetime) -> Document:
    create_tenant(name="other.example", actor=SHELL, reason="t", now=now)
    delete_tenant(tenant=tenant[0], actor=SHELL, reason="asked", now=now)
    sequence()
    return certificate(tenant[0], origin=django_settings.AUDIT_ORIGIN)


def test_a_certificate_names_every_key_and_verifies(
    document: Document, tenant: tuple[UUID, str]
) -> None:
    assert {each.purpose for each in document.keys} == {"wrap", "index"}
    assert document.tenant == str(tenant[0])
    assert fault(document) is None
    assert fault(document, vkey=document.vkey) is None
    with tenant_scope(tenant[0], using="keys"):
        rows = list(TenantKey.objects.all())
    digests = {
        sha256(envelope.context(row.tenant_id, row.id, bytes(row.check_value))).hex()
        for row in rows
    }
    assert {each.digest for each in document.keys} == digests
    assert all(bytes(row.wrapped) == b"" for row in rows)


def forged(document: Document, **changed: Any) -> Document:
    return msgspec.structs.replace(document, **changed)


def test_no_change_of_a_certificate_verifies(document: Document) -> None:
    audit = document.audit
    other = "0" * 64
    leaf = json.loads(base64.b64decode(audit.leaf))
    leaf["detail"]["digest_wrap"] = other
    lying = base64.b64encode(canonical(leaf)).decode()
    size = int(audit.checkpoint.split("\n")[1])
    changes: list[Document] = [
        forged(document, tenant=str(UUID(int=1))),
        forged(document, origin="elsewhere.example/log"),
        forged(document, keys=document.keys[:1]),
        forged(document, keys=[]),
        forged(document, keys=[msgspec.structs.replace(each, digest=other)
                               for each in document.keys]),
        forged(document, keys=[msgspec.structs.replace(each, destroyed_at="2030-01-01T00:00:00Z")
                               for each in document.keys]),
        forged(document, keys=[msgspec.structs.replace(each, reason="another")
                               for each in document.keys]),
        forged(document, keys=[msgspec.structs.replace(each, actor="shell:another")
                               for each in document.keys]),
        forged(document, audit=msgspec.structs.replace(audit, leaf=lying)),
        forged(document, audit=msgspec.structs.replace(audit, index=audit.index ^ 1)),
        forged(document, audit=msgspec.structs.replace(audit, proof=audit.proof[:-1])),
        forged(document, audit=msgspec.structs.replace(audit, proof=["x"])),
        forged(document, audit=msgspec.structs.replace(
            audit, checkpoint=audit.checkpoint.replace(f"\n{size}\n", f"\n{size + 1}\n"))),
    ]  # fmt: skip
    for number, each in enumerate(changes):
        assert fault(each) is not None, number


def test_another_logs_key_does_not_verify_it(document: Document) -> None:
    stranger = signatures.generate(django_settings.AUDIT_ORIGIN).verifying
    assert fault(document, vkey=stranger.encode()) is not None
    assert fault(document, vkey="nonsense") is not None


def test_the_entry_of_another_event_is_no_certificate(
    document: Document, tenant: tuple[UUID, str]
) -> None:
    from audit import feed  # noqa: PLC0415 -- one use

    with tenant_scope(tenant[0]):
        page = feed.page(tenant[0], place=0, limit=100, events={"tenant.deleted"}, proofs=True)
    (entry,) = page.entries
    other = certificates.Proof(
        index=entry.index,
        leaf=base64.b64encode(entry.leaf).decode(),
        proof=[base64.b64encode(each).decode() for each in entry.proof or ()],
        checkpoint=page.checkpoint,
    )
    assert fault(forged(document, audit=other)) == (
        "the entry is of another event or another tenant"
    )


def test_there_is_none_before_the_keys_are_gone_or_the_log_is_signed(
    tenant: tuple[UUID, str], now: datetime
) -> None:
    with pytest.raises(CommandError, match="no key"):
        call_command("tenant", "certificate", str(tenant[0]))
    delete_tenant(tenant=tenant[0], actor=SHELL, reason="asked", now=now)
    with pytest.raises(CommandError, match="checkpoint"):
        call_command("tenant", "certificate", str(tenant[0]))


def test_the_command_writes_what_the_command_verifies(
    document: Document,
    tenant: tuple[UUID, str],
    tmp_path: Path,
    as_owner: Callable[..., Any],
) -> None:
    def run(*arguments: str) -> Any:
        out = StringIO()
        call_command("tenant", *arguments, "--json", stdout=out)
        return json.loads(out.getvalue().splitlines()[-1])

    file = tmp_path / "certificate.json"
    said = run("certificate", str(tenant[0]), "--out", str(file))
    assert said == msgspec.to_builtins(document)
    with as_owner() as session:  # whatever became of the rows here: the file stands by itself
        session.execute("SET session_replication_role = replica")
        session.execute("DELETE FROM audit_log")
    assert run("verify-certificate", str(file), "--vkey", document.vkey)["ok"] is True
    file.write_bytes(file.read_bytes().replace(b'"digest": "', b'"digest": "f', 1))
    with pytest.raises(CommandError):
        call_command("tenant", "verify-certificate", str(file))
    file.write_text("{}")
    with pytest.raises(CommandError, match="no certificate"):
        call_command("tenant", "verify-certificate", str(file))
