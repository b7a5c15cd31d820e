"""Deletion and key destruction behind two people, and what a killed worker leaves to the next."""

import os
import signal
import time
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from audit.actors import Actor
from tenants import approvals, keys
from tenants.actions import approved, create_tenant, deletion, rotation
from tenants.approvals import Circle, carrying, kinds
from tenants.errors import UnfitTerms
from tenants.keys.keyring import Name
from tenants.models import DataKey, KeyCertificate, Pending, RootState, RootVersion, Tenant
from tenants.scope import tenant_scope
from tests.console.people import deeds

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])

ANA, BEA = (Actor(kind="staff", id=str(UUID(int=n))) for n in (1, 2))
OLD = Name("file", "root", 1)
CLASSES = (keys.INBOX, keys.SERIES, keys.FINDINGS, keys.CONFIGURATION)


@pytest.fixture(autouse=True)
def _two_owners(monkeypatch: pytest.MonkeyPatch) -> None:
    both = frozenset({ANA.id, BEA.id})
    circle = Circle(counting=both, owners=both, settled=both)
    monkeypatch.setattr(kinds, "_circle", [lambda _now: circle])


@pytest.fixture
def _keys_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the root key in a folder of the test, where it may be destroyed."""
    mine = tmp_path / "root"
    mine.write_bytes(Path(settings.ROOT_KEY_FILE).read_bytes())
    mine.chmod(0o400)
    monkeypatch.setattr(settings, "ROOT_KEY_FILE", mine)
    keys.forget()


def approved_deletion(tenant: UUID, now: datetime) -> Pending:
    pending = approved.ask_deletion(tenant=tenant, actor=ANA, reason="contract ended", now=now)
    return approvals.approve(pending=pending.id, actor=BEA, now=now)


def sealed(tenant: UUID, now: datetime) -> None:
    for each in CLASSES:
        keys.seal(tenant, each, b"kept", 1, now=now)


def test_a_worker_that_is_killed_outright_leaves_a_deletion_that_the_next_one_ends(
    tenant: tuple[UUID, str], now: datetime, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    owner = tenant[0]
    sealed(owner, now)
    pending = approved_deletion(owner, now)
    reached = tmp_path / "reached"

    def stop_there(*_arguments: Any, **_options: Any) -> Any:
        reached.touch()
        time.sleep(60)

    connections.close_all()  # a child that used the parent's would end them
    child = os.fork()
    if child == 0:
        try:
            monkeypatch.setattr(deletion, "purge", stop_there)
            approvals.carry_out_due(now=now)
        finally:
            os._exit(1)
    until = time.monotonic() + 30
    while not reached.exists() and time.monotonic() < until:
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert Tenant.objects.get(id=owner).state == "deleted"
    with tenant_scope(owner):
        assert DataKey.objects.count() == len(CLASSES)  # its rows are there still
    assert Pending.objects.get(pk=pending.id).state == "approved"
    assert approvals.carry_out_due(now=now) == 0  # the dead one's lease holds
    assert approvals.carry_out_due(now=now + carrying.LEASE) == 1
    with tenant_scope(owner):
        assert not DataKey.objects.exists()
    with tenant_scope(owner, using="keys"):
        assert KeyCertificate.objects.count() == 2
    for event in ("key.tenant_keys_destroyed", "tenant.deleted", "tenant.purged"):
        assert len(deeds(event)) == 1
    assert len(deeds("approval.carried_out")) == 1


def test_a_deletion_that_nobody_approved_destroys_nothing(
    tenant: tuple[UUID, str], now: datetime
) -> None:
    approved.ask_deletion(tenant=tenant[0], actor=ANA, reason="contract ended", now=now)
    assert approvals.carry_out_due(now=now + timedelta(days=30)) == 0
    with tenant_scope(tenant[0], using="keys"):
        assert not KeyCertificate.objects.exists()
    assert Tenant.objects.get(id=tenant[0]).state == "active"
    with pytest.raises(UnfitTerms, match="no tenant"):
        approved.ask_deletion(tenant=UUID(int=9), actor=ANA, reason="x", now=now)


def rotated(now: datetime) -> datetime:
    """Rotate the root key; return a time at which the older version may go."""
    create_tenant(name="a.example", actor=ANA, reason="test", now=now)
    rotation.rotate(actor=ANA, reason="test", now=now, wait=0)
    return now + timedelta(minutes=2)


@pytest.mark.usefixtures("_keys_of_its_own")
def test_a_version_of_the_root_key_is_destroyed_by_two_people(now: datetime) -> None:
    later = rotated(now)
    with pytest.raises(UnfitTerms, match="primary"):
        approved.ask_retirement(version="file:root:2", actor=ANA, reason="r", now=later)
    with pytest.raises(UnfitTerms, match="provider:key:number"):
        approved.ask_retirement(version="nonsense", actor=ANA, reason="r", now=later)
    pending = approved.ask_retirement(version=str(OLD), actor=ANA, reason="r", now=later)
    assert Path(settings.ROOT_KEY_FILE).exists()
    approvals.approve(pending=pending.id, actor=BEA, now=later)
    assert approvals.carry_out_due(now=later) == 1
    assert not Path(settings.ROOT_KEY_FILE).exists()
    (retired,) = deeds("key.root_version_retired")
    assert (retired.actor_id, str(pending.id) in retired.reason) == (ANA.id, True)


@pytest.mark.usefixtures("_keys_of_its_own")
def test_a_destruction_that_was_killed_between_its_record_and_the_file_is_ended_by_the_next(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = rotated(now)
    pending = approved.ask_retirement(version=str(OLD), actor=ANA, reason="r", now=later)
    approvals.approve(pending=pending.id, actor=BEA, now=later)

    def killed() -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(rotation, "configured", killed)
        with pytest.raises(KeyboardInterrupt):
            approvals.carry_out_due(now=later)
    assert RootVersion.objects.using("keys").get(version=1).state == RootState.RETIRED
    assert Path(settings.ROOT_KEY_FILE).exists()
    assert approvals.carry_out_due(now=later + carrying.LEASE) == 1
    assert not Path(settings.ROOT_KEY_FILE).exists()
    assert Pending.objects.get(pk=pending.id).state == "done"
    assert len(deeds("key.root_version_retired")) == 1


@pytest.mark.usefixtures("_keys_of_its_own")
def test_the_command_asks_and_destroys_nothing(now: datetime) -> None:
    rotated(now)
    out = StringIO()
    call_command("keys", "retire", str(OLD), "--reason", "r", "--json", stdout=out)
    assert '"takes_effect": "when another owner approves"' in out.getvalue()
    assert Path(settings.ROOT_KEY_FILE).exists()
    assert Pending.objects.get().subject == str(OLD)
