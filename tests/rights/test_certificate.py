"""The certificate of a deletion is checked offline, by whoever has the log's key."""

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta
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
from crypto.ids import uuid7
from tenants import certificates
from tenants.actions import create_tenant, delete_tenant, deletion
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
    first, *_ = document.keys
    earlier = "2020-01-01T00:00:00.000000Z"

    def altered(**fields: str) -> list[certificates.Destroyed]:
        return [msgspec.structs.replace(each, **fields) for each in document.keys]

    def added(**fields: str) -> list[certificates.Destroyed]:
        return [*document.keys, msgspec.structs.replace(first, **fields)]

    changes: list[Document] = [
        forged(document, keys=added()),
        forged(document, keys=added(digest=other)),
        forged(document, keys=added(digest=other, destroyed_at=earlier)),
        forged(document, keys=added(destroyed_at=earlier)),
        forged(document, keys=added(purpose="other", destroyed_at=earlier)),
        forged(document, keys=altered(destroyed_at=earlier)),
        forged(document, keys=altered(destroyed_at=earlier, actor="shell:another")),
        forged(document, keys=altered(destroyed_at=earlier, reason="another")),
        forged(document, keys=altered(
            destroyed_at=earlier, actor="shell:another", reason="another")),
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


def test_every_version_of_a_key_is_proven(tenant: tuple[UUID, str], now: datetime) -> None:
    with tenant_scope(tenant[0], using="keys"):
        for row in TenantKey.objects.filter(purpose="wrap"):
            for version in (2, 3):
                TenantKey.objects.create(
                    id=uuid7(now), purpose="wrap", version=version, wrapped=b"w", created_at=now,
                    check_value=bytes([version]) + bytes(row.check_value)[1:],
                )  # fmt: skip
    delete_tenant(tenant=tenant[0], actor=SHELL, reason="asked", now=now)
    sequence()
    whole = certificate(tenant[0], origin=django_settings.AUDIT_ORIGIN)
    assert [each.purpose for each in whole.keys].count("wrap") == 3
    assert fault(whole) is None
    for missing in range(len(whole.keys)):
        keys = [each for number, each in enumerate(whole.keys) if number != missing]
        assert fault(forged(whole, keys=keys)) is not None
        keys = [
            msgspec.structs.replace(each, digest="0" * 64) if number == missing else each
            for number, each in enumerate(whole.keys)
        ]
        assert fault(forged(whole, keys=keys)) == "a key's digest is not the entry's"


def test_what_an_interrupted_deletion_said_first_is_proven_too(
    tenant: tuple[UUID, str], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """The process ends here."""

    def killed(**_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(deletion, "record", killed)
        with pytest.raises(Killed):
            delete_tenant(tenant=tenant[0], actor=SHELL, reason="first", now=now)
    later = now + timedelta(minutes=1)
    delete_tenant(tenant=tenant[0], actor=SHELL, reason="again", now=later)
    sequence()
    whole = certificate(tenant[0], origin=django_settings.AUDIT_ORIGIN)
    assert {each.reason for each in whole.keys} == {"first"}
    assert fault(whole) is None
    keys = [msgspec.structs.replace(each, reason="again") for each in whole.keys]
    assert fault(forged(whole, keys=keys)) == (
        "the entry does not state these times, actors and reasons"
    )


def test_an_entry_that_states_no_more_than_digests_proves_its_own_words_alone(
    tenant: tuple[UUID, str], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def once(keys: list[certificates.Destroyed]) -> dict[str, str]:
        return certificates.named((each.purpose, each.digest) for each in keys)

    with monkeypatch.context() as patched:
        patched.setattr(certificates, "said", once)
        delete_tenant(tenant=tenant[0], actor=SHELL, reason="asked", now=now)
    sequence()
    older = certificate(tenant[0], origin=django_settings.AUDIT_ORIGIN)
    assert fault(older) is None
    for changed in (
        {"reason": "another"}, {"actor": "shell:another"},
        {"destroyed_at": "2020-01-01T00:00:00.000000Z"},
    ):  # fmt: skip
        keys = [msgspec.structs.replace(each, **changed) for each in older.keys]
        assert fault(forged(older, keys=keys)) is not None


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
