"""Grants: opened for a reason and a time, told to the tenant, and listed behind one door."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.test import Client

from tenants import grants, tasks
from tenants.errors import (
    NoGrant,
    OutsideScope,
    UnfitTerms,
    Unrecorded,
)
from tenants.grants import Grant
from tenants.models import AccessGrant, Tenant
from tenants.scope import staff_scope, tenant_scope
from tests.analytics.views.asking import basic
from tests.tenants.granting import (
    ANALYST,
    COLLEAGUE,
    STAFF,
    TERMS,
    a_grant,
    end_now,
    in_a_thread,
    noted,
)

pytestmark = pytest.mark.django_db(
    transaction=True, databases=["default", "keys", "wisdom", "staff"]
)


@pytest.fixture
def now() -> datetime:
    """PostgreSQL's clock is asked, so that a grant lives only in the present."""
    return datetime.now(UTC)


@pytest.fixture
def grant(tenant: tuple[UUID, str], now: datetime) -> Grant:
    return a_grant(tenant[0], now=now)


# -- opening and revoking


def test_a_grant_is_opened_with_its_entry_for_the_tenant_to_see(
    tenant: tuple[UUID, str], grant: Grant, now: datetime
) -> None:
    assert (grant.tenant, grant.staff, grant.ticket) == (tenant[0], STAFF, "T-1")
    assert grant.expires_at == now + timedelta(minutes=30)
    assert grant.is_live(now=now)
    assert not grant.is_live(now=grant.expires_at)
    (entry,) = noted()
    assert (entry.event, entry.tenant, entry.actor_id) == ("grant.opened", tenant[0], str(STAFF))
    assert entry.reason == "a false alarm"
    assert entry.detail == {
        "staff": str(STAFF),
        "ticket": "T-1",
        "scopes": "alerts series",
        "until": f"{grant.expires_at:%Y-%m-%dT%H:%M:%SZ}",
    }


def test_the_tenant_reads_of_its_grants_over_the_api_and_a_neighbour_does_not(
    tenant: tuple[UUID, str], grant: Grant, now: datetime, settings: Any, tmp_path: Path
) -> None:
    settings.CHECKPOINT_FILE = str(tmp_path / "checkpoint")
    grants.revoke_grant(grant=grant.id, actor=ANALYST, reason="done", now=now)
    call_command("sequencer", once=True)
    answer = Client().get("/v1/audit", HTTP_AUTHORIZATION=basic(tenant[1])).json()
    told = [each for each in answer["entries"] if each["event"].startswith("grant.")]
    assert [each["event"] for each in told] == ["grant.opened", "grant.revoked"]
    assert [each["reason"] for each in told] == ["a false alarm", "done"]
    assert {each["detail"]["ticket"] for each in told} == {"T-1"}
    assert {each["detail"]["staff"] for each in told} == {str(STAFF)}


@pytest.mark.parametrize(
    "changed",
    [
        {"reason": " "},
        {"reason": "x" * 501},
        {"ticket": ""},
        {"ticket": "x" * 101},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"minutes": 0},
        {"minutes": 61},
        {"tenant": UUID(int=9)},
    ],
)
def test_a_grant_without_terms_is_not_opened(
    tenant: tuple[UUID, str], now: datetime, changed: dict[str, Any]
) -> None:
    with pytest.raises(UnfitTerms):
        grants.open_grant(**{"tenant": tenant[0], "now": now, **TERMS, **changed})
    assert grants.grants() == []


def test_a_deleted_tenant_has_no_grants(tenant: tuple[UUID, str], now: datetime) -> None:
    Tenant.objects.update(state="deleted")
    with pytest.raises(UnfitTerms, match="no such tenant"):
        grants.open_grant(tenant=tenant[0], now=now, **TERMS)


@pytest.mark.parametrize(
    "column",
    [
        {"expires_at": timedelta(minutes=60, microseconds=1)},
        {"expires_at": timedelta(0)},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"scopes": "alerts"},
        {"reason": ""},
        {"ticket": ""},
        {"revoked_by": "staff:1"},
        {"revoked_at": timedelta(0)},
    ],
)
def test_the_database_takes_no_grant_that_is_too_long_or_unreasoned(
    tenant: tuple[UUID, str], now: datetime, column: dict[str, Any]
) -> None:
    row: dict[str, Any] = {
        "id": uuid4(),
        "staff_id": STAFF,
        "scopes": ["alerts"],
        "reason": "r",
        "ticket": "t",
        "created_at": now,
        "expires_at": now + timedelta(minutes=60),
    }
    create: Callable[..., AccessGrant] = AccessGrant.objects.create
    with tenant_scope(tenant[0]):
        create(**row)
    changed = {
        name: now + value if isinstance(value, timedelta) else value
        for name, value in column.items()
    }
    with pytest.raises(IntegrityError), tenant_scope(tenant[0]):
        create(**{**row, "id": uuid4(), **changed})


def test_a_grant_ends_at_once_when_it_is_revoked_and_once(grant: Grant, now: datetime) -> None:
    revoked = grants.revoke_grant(grant=grant.id, actor=ANALYST, reason="done", now=now)
    assert (revoked.revoked_at, revoked.revoked_by) == (now, f"staff:{STAFF}")
    with pytest.raises(NoGrant), staff_scope(grant.id, STAFF):
        pass
    with pytest.raises(NoGrant, match="over already"):
        grants.revoke_grant(grant=grant.id, actor=ANALYST, reason="done", now=now)
    with pytest.raises(NoGrant, match="no such grant"):
        grants.revoke_grant(grant=uuid4(), actor=ANALYST, reason="done", now=now)
    assert [each.event for each in noted()] == ["grant.opened", "grant.revoked"]


def test_every_live_grant_of_a_person_is_revoked_together(
    tenant: tuple[UUID, str],
    grant: Grant,  # noqa: ARG001 -- one of theirs
    now: datetime,
) -> None:
    theirs = grants.open_grant(tenant=tenant[0], now=now, **{**TERMS, "staff": COLLEAGUE})
    assert grants.revoke_grants_of(staff=STAFF, actor=ANALYST, reason="left", now=now) == 1
    assert [each.id for each in grants.live_grants(now=now)] == [theirs.id]


def test_however_many_live_grants_a_person_has_all_are_revoked_together(
    tenant: tuple[UUID, str], grant: Grant, now: datetime
) -> None:
    terms = {
        "staff_id": STAFF,
        "scopes": ["alerts"],
        "reason": "r",
        "ticket": "T",
        "created_at": now,
    }
    with tenant_scope(tenant[0]):
        AccessGrant.objects.bulk_create(
            AccessGrant(tenant_id=tenant[0], id=uuid4(), expires_at=grant.expires_at, **terms)
            for _ in range(grants.LISTED)
        )
    ended = grants.revoke_grants_of(staff=STAFF, actor=ANALYST, reason="left", now=now)
    assert ended == grants.LISTED + 1
    assert grants.live_grants(now=now) == []


def test_a_grant_that_somebody_else_ends_meanwhile_is_left_to_them(
    tenant: tuple[UUID, str], grant: Grant, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = grants.open_grant(tenant=tenant[0], now=now, **TERMS)
    revoke, first = grants.revoke_grant, min(grant.id, other.id)

    def late(**terms: Any) -> Grant:
        if terms["grant"] == first:
            in_a_thread(partial(revoke, grant=first, actor=ANALYST, reason="done", now=now))
        return revoke(**terms)

    monkeypatch.setattr(grants, "revoke_grant", late)
    with transaction.atomic():
        assert grants.revoke_grants_of(staff=STAFF, actor=ANALYST, reason="left", now=now) == 1
        Tenant.objects.filter(id=tenant[0]).update(name="kept")
    assert grants.live_grants(now=now) == []
    assert Tenant.objects.get(id=tenant[0]).name == "kept"


@pytest.mark.parametrize("opens", [True, False])
def test_nothing_is_opened_or_revoked_where_the_log_takes_no_entry(
    tenant: tuple[UUID, str],
    grant: Grant,
    now: datetime,
    as_owner: Callable[..., Any],
    *,
    opens: bool,
) -> None:
    deed = (
        partial(grants.open_grant, tenant=tenant[0], now=now, **TERMS)
        if opens
        else partial(grants.revoke_grant, grant=grant.id, actor=ANALYST, reason="x", now=now)
    )
    with as_owner() as session:
        session.execute("ALTER TABLE audit_stage ADD CONSTRAINT full_disk CHECK (false) NOT VALID")
        try:
            with pytest.raises(Unrecorded):
                deed()
            with pytest.raises(Unrecorded):
                grants.record_read(
                    grant=grant.id, tenant=tenant[0], actor=ANALYST, resource="x", now=now
                )
        finally:
            session.execute("ALTER TABLE audit_stage DROP CONSTRAINT full_disk")
    assert grants.grants() == [grant]


# -- finding


def test_grants_are_listed_across_tenants_behind_one_door(grant: Grant, now: datetime) -> None:
    assert grants.live_grants(now=now, staff=STAFF) == [grant]
    assert grants.live_grants(now=now, staff=COLLEAGUE) == []
    assert grants.live_grants(now=grant.expires_at) == []
    assert grants.grants() == [grant]
    assert list(QuerySet(AccessGrant)) == []  # outside the door row security shows none
    with pytest.raises(OutsideScope):
        AccessGrant.objects.count()


def test_the_end_of_a_grant_is_noted_once(
    grant: Grant, tenant: tuple[UUID, str], now: datetime
) -> None:
    assert grants.note_ended(now=now) == 0
    assert grants.note_ended(now=grant.expires_at) == 1
    assert grants.note_ended(now=grant.expires_at) == 0
    entry = noted()[-1]
    assert (entry.event, entry.tenant, entry.actor_id) == ("grant.ended", tenant[0], "grants")
    assert entry.resource == f"grant:{grant.id}"


def test_a_revoked_grant_has_ended_already(grant: Grant, now: datetime) -> None:
    grants.revoke_grant(grant=grant.id, actor=ANALYST, reason="done", now=now)
    assert grants.note_ended(now=grant.expires_at) == 0


def test_what_tidies_notes_ends(grant: Grant, as_owner: Callable[..., Any]) -> None:
    end_now(as_owner)
    tasks.tidy()
    assert noted()[-1].event == "grant.ended"
    assert noted()[-1].resource == f"grant:{grant.id}"
