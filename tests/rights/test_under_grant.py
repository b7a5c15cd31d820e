"""Staff export only what a live grant of the right scope opens, and it is recorded."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from analytics.actions.research import research_under_grant
from analytics.series.disguise import Public
from audit import feed
from audit.actors import Actor
from crypto.stream import Passphrase
from tenants import errors, research
from tenants.exports import export_under_grant
from tenants.scope import tenant_scope
from tests.analytics.engine import Engine
from tests.rights.full import PASSPHRASE, SHELL, make_full, opened, sequence

grants = pytest.importorskip("tenants.grants")
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
STAFF = UUID(int=7)
WHO = Actor(kind="staff", id=str(STAFF))


def archive(engine: Engine, folder: Path) -> Any:
    with (folder / "archive").open("wb") as out:
        return export_under_grant(
            tenant=engine.tenant, staff=STAFF, out=out, to=Passphrase(text=PASSPHRASE, cost=2),
            actor=WHO, now=engine.now, progress=lambda *_: None,
        )  # fmt: skip


def study(engine: Engine, folder: Path) -> Any:
    return research_under_grant(
        tenant=engine.tenant, staff=STAFF, folder=folder / "study", public=Public(),
        actor=WHO, now=engine.now, progress=lambda *_: None,
    )  # fmt: skip


def grant(engine: Engine, scope: str) -> UUID:
    made = grants.open_grant(
        tenant=engine.tenant, staff=STAFF, scopes=[grants.GrantScope(scope)], reason="asked",
        ticket="T-1", minutes=60, actor=WHO, now=engine.now,
    )  # fmt: skip
    found: UUID = made.id
    return found


DEEDS = [(archive, "export", "research"), (study, "research", "export")]


@pytest.mark.parametrize(("deed", "scope", "other"), DEEDS)
def test_only_a_live_grant_of_the_scope_opens(
    deed: Callable[[Engine, Path], Any], scope: str, other: str, tmp_path: Path
) -> None:
    engine = make_full()
    research.change(tenant=engine.tenant, allowed=True, actor=SHELL, now=engine.now)
    no_grant: Any = errors.NoGrant  # type: ignore[attr-defined,unused-ignore] # comes with grants
    with pytest.raises(no_grant):
        deed(engine, tmp_path)
    grant(engine, other)
    with pytest.raises(no_grant):
        deed(engine, tmp_path)
    live = grant(engine, scope)
    done = deed(engine, tmp_path)
    assert sum(done.lines.values()) > 0
    sequence()
    with tenant_scope(engine.tenant):
        page = feed.page(engine.tenant, place=0, limit=200)
    (entry,) = [each for each in page.entries if each.content.reason == f"grant {live}"]
    assert entry.content.actor.id == str(STAFF)
    engine.now += timedelta(minutes=61)
    (tmp_path / "later").mkdir()
    with pytest.raises(no_grant):
        deed(engine, tmp_path / "later")


def test_what_staff_export_opens_for_the_tenant(tmp_path: Path) -> None:
    engine = make_full()
    grant(engine, "export")
    done = archive(engine, tmp_path)
    assert opened(tmp_path / "archive", tmp_path / "out").lines == done.lines
