"""An archive holds everything of one tenant's, opens for it alone, and can be taken back in."""

import base64
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import Error as DatabaseError

from analytics.ingest.events import KINDS
from audit import feed
from audit.checkpoints import opened as opened_checkpoint
from crypto.digests import sha256
from crypto.merkle import includes, leaf_hash
from crypto.signatures import VerifyingKey
from crypto.stream import Passphrase, Recipient
from tawny.exported import unpack
from tawny.sealed import Identity, Unopened
from tenants.actions import create_tenant
from tenants.errors import UnfitTerms
from tenants.exports import export_tenant, registry
from tenants.models import Member, TenantModel
from tenants.scope import tenant_scope
from tests.analytics.engine import Engine
from tests.isolation.world import rows_of
from tests.rights.full import (
    COUNTS,
    MAIL,
    PASSPHRASE,
    SHELL,
    lines_of,
    make_full,
    opened,
    sequence,
)

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
SECRETS = ("mac", "pepper", "wrapped", "sealed", "check_value", "mail_index", "mail_tag")


def export(engine: Engine, path: Path, **changed: Any) -> Any:
    with path.open("wb") as out:
        return export_tenant(
            tenant=engine.tenant, out=out, actor=SHELL, reason="asked by the tenant",
            now=datetime.now(UTC),
            **{"to": Passphrase(text=PASSPHRASE, cost=2), "progress": lambda *_: None, **changed},
        )  # fmt: skip


def test_every_tenants_table_is_exported_or_says_why_not() -> None:
    assert registry.unaccounted() == set()


def test_a_new_tenants_table_without_an_exporter_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = apps.get_models
    forgotten: Any = type("Forgotten", (TenantModel,), {
        "__module__": "tenants.models", "Meta": type("Meta", (), {"abstract": True}),
    })  # fmt: skip
    forgotten._meta.db_table = "forgotten"
    monkeypatch.setattr(apps, "get_models", lambda: [*real(), forgotten])
    assert registry.unaccounted() == {"forgotten"}


def test_the_archive_holds_everything_and_says_how_much(tmp_path: Path) -> None:
    engine = make_full()
    sequence()
    done = export(engine, tmp_path / "archive")
    unpacked = opened(tmp_path / "archive", tmp_path / "out")
    assert unpacked.lines == done.lines
    assert {kind: done.lines[f"events/{kind}"] for kind in COUNTS} == COUNTS
    assert set(done.lines) == {section.name for section in registry.sections()}
    empty = {name for name, lines in done.lines.items() if not lines}
    assert empty == {"research", "holds", "ignored_fields"}
    manifest = unpacked.manifest
    assert manifest["tenant"] == str(engine.tenant)
    assert {each["lines"] for each in manifest["members"] if "events/ip" in each["name"]} == {7}
    for section in done.lines:
        assert len(lines_of(tmp_path / "out", section)) == done.lines[section]


def test_what_was_exported_can_be_sent_again(tmp_path: Path) -> None:
    first = make_full("one.example")
    export(first, tmp_path / "archive")
    opened(tmp_path / "archive", tmp_path / "out")
    made = create_tenant(name="two.example", actor=SHELL, reason="t", now=first.now)
    second = Engine(tenant=made.tenant.id, now=first.now)
    for kind in KINDS.values():
        events = lines_of(tmp_path / "out", f"events/{kind.name}")
        assert second.send(events, kind=kind) == COUNTS[kind.name]
        assert second.kept(kind) == first.kept(kind)


def test_alerts_come_with_explanation_and_evidence_and_people_with_their_names(
    tmp_path: Path,
) -> None:
    engine = make_full()
    export(engine, tmp_path / "archive")
    opened(tmp_path / "archive", tmp_path / "out")
    alerts = lines_of(tmp_path / "out", "alerts")
    assert len(alerts) == len(engine.alerts()) > 0
    assert all(each["content"]["contributions"] and each["content"]["event"] for each in alerts)
    (member,) = lines_of(tmp_path / "out", "members")
    assert member["details"]["email"] == MAIL
    (groups,) = lines_of(tmp_path / "out", "groups")
    assert groups["groups"][0]["label"] == "servers"


def test_no_secret_and_nothing_of_a_neighbour_is_in_it(
    tmp_path: Path, as_owner: Callable[..., Any]
) -> None:
    ours = make_full("ours.example")
    theirs = make_full("theirs.example")
    export(ours, tmp_path / "archive")
    opened(tmp_path / "archive", tmp_path / "out")
    text = "".join(
        json.dumps(lines_of(tmp_path / "out", section.name)) for section in registry.sections()
    )
    for word in SECRETS:
        assert f'"{word}"' not in text
    for value in (str(theirs.tenant), "theirs.example"):
        assert value not in text
    assert rows_of(theirs.tenant, as_owner)


def test_audit_entries_prove_themselves_against_the_checkpoint_beside_them(
    tmp_path: Path,
) -> None:
    engine = make_full()
    sequence()
    export(engine, tmp_path / "archive")
    opened(tmp_path / "archive", tmp_path / "out")
    (signed,) = lines_of(tmp_path / "out", "audit/checkpoint")
    key = VerifyingKey.decode(signed["vkey"])
    head = opened_checkpoint(signed["note"], key=key, origin=key.name)
    entries = lines_of(tmp_path / "out", "audit/entries")
    assert {each["content"]["event"] for each in entries} >= {"tenant.created", "groups.changed"}
    for each in entries:
        assert includes(
            leaf=leaf_hash(base64.b64decode(each["leaf"])),
            index=each["index"],
            size=head.size,
            proof=[base64.b64decode(node) for node in each["proof"]],
            root=head.root,
        )


def test_a_row_written_meanwhile_is_not_in_it(tmp_path: Path, as_owner: Callable[..., Any]) -> None:
    engine = make_full()

    def meddle(section: str, _lines: int) -> None:
        if section == "account":  # the first: the snapshot stands since then
            with as_owner() as session:
                session.execute("DELETE FROM member WHERE tenant_id = %s", [engine.tenant])

    done = export(engine, tmp_path / "archive", progress=meddle)
    assert done.lines["members"] == 1
    with tenant_scope(engine.tenant):
        assert Member.objects.count() == 0


def test_nothing_is_read_where_the_deed_cannot_be_recorded(
    tmp_path: Path, as_owner: Callable[..., Any]
) -> None:
    engine = make_full()
    with as_owner() as session:
        session.execute("REVOKE INSERT ON audit_stage FROM tawny_app")
        try:
            with pytest.raises(DatabaseError):
                export(engine, tmp_path / "archive")
        finally:
            session.execute(
                "GRANT INSERT (id, tenant, event, actor_kind, actor_id, resource, outcome, reason,"
                " request_id, detail, occurred_at, schema) ON audit_stage TO tawny_app"
            )
    assert (tmp_path / "archive").read_bytes() == b""


def test_the_deed_is_in_the_log_with_the_archives_digest(tmp_path: Path) -> None:
    engine = make_full()
    done = export(engine, tmp_path / "archive")
    sequence()
    with tenant_scope(engine.tenant):
        page = feed.page(engine.tenant, place=0, limit=100)
    said = {
        each.content.event: each.content
        for each in page.entries
        if each.content.resource == f"export:{done.export}"
    }
    assert set(said) == {"tenant.exported", "tenant.export_sealed"}
    assert said["tenant.exported"].reason == "asked by the tenant"
    digest = sha256((tmp_path / "archive").read_bytes()).hex()
    assert said["tenant.export_sealed"].detail["sha256"] == digest == done.digest


@pytest.mark.parametrize("where", [0.3, 0.6, 0.99])
def test_a_damaged_or_shortened_archive_leaves_nothing(tmp_path: Path, where: float) -> None:
    engine = make_full()
    path = tmp_path / "archive"
    export(engine, path)
    content = bytearray(path.read_bytes())
    at = int(where * len(content))
    for damaged in (content[:at], content[:at] + bytes((content[at] ^ 1,)) + content[at + 1 :]):
        path.write_bytes(damaged)
        with pytest.raises(Unopened):
            opened(path, tmp_path / "out")
        assert not list(tmp_path.glob("out*"))


def test_the_command_seals_to_a_recipient_and_only_its_identity_opens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_full("full.example")
    mine = Identity.new()
    path = tmp_path / "archive"
    out = io.StringIO()
    call_command("tenant", "export", "full.example", str(path), "--recipient", mine.recipient,
                 "--reason", "asked", "--json", stdout=out)  # fmt: skip
    said = json.loads(out.getvalue().splitlines()[-1])
    assert said["lines"]["events/ip"] == COUNTS["ip"]
    assert "events/ip: 7" in capsys.readouterr().err
    assert path.stat().st_mode & 0o777 == 0o600
    with path.open("rb") as file:
        assert unpack(file, mine, None).lines == said["lines"]
    with path.open("rb") as file, pytest.raises(Unopened, match="another"):
        unpack(file, Identity.new(), None)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--recipient", "tawny-recipient-00"),
        ("--passphrase-file", "short"),
        ("--recipient", "x", "--passphrase-file", "short"),
    ],
)
def test_without_somebody_to_seal_to_nothing_is_exported(
    tmp_path: Path, tenant: tuple[UUID, str], arguments: tuple[str, ...]
) -> None:
    (tmp_path / "short").write_text("elevenchars\n")
    given = [str(tmp_path / each) if each == "short" else each for each in arguments]
    with pytest.raises(CommandError):
        call_command("tenant", "export", str(tenant[0]), str(tmp_path / "archive"),
                     "--reason", "asked", *given)  # fmt: skip
    assert not list(tmp_path.glob("archive*"))


def test_a_tenant_that_is_not_is_not_exported(tmp_path: Path) -> None:
    with pytest.raises(UnfitTerms), (tmp_path / "archive").open("wb") as out:
        export_tenant(
            tenant=uuid4(), out=out, to=Recipient(bytes(32)), actor=SHELL, reason="x",
            now=datetime.now(UTC), progress=lambda *_: None,
        )  # fmt: skip
