"""Reading under a grant: as staff, nothing written, and not a row once it is over."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, connections
from django.db.models import QuerySet

from analytics.models import Stream
from crypto.errors import CryptoError
from tenants import grants, keys
from tenants.errors import (
    KeyUnavailable,
    NoGrant,
    OutsideScope,
    ReadOnlyScope,
    ScopeConflict,
)
from tenants.grants import Grant
from tenants.models import DataKey, Tenant
from tenants.scope import apply, current_tenant, settings_of, staff_scope, tenant_scope
from tests.tenants.granting import (
    ANALYST,
    COLLEAGUE,
    STAFF,
    a_grant,
    end_now,
    in_a_thread,
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


def test_a_grant_reads_as_staff_through_the_managers(
    tenant: tuple[UUID, str], grant: Grant
) -> None:
    with staff_scope(grant.id, STAFF) as opened:
        assert opened == current_tenant() == tenant[0]
        rows: QuerySet[Stream] = Stream.objects.all()
        assert rows.db == "staff"
        assert [each.kind for each in rows] == ["ip"]
        assert not Stream.objects.using("default").exists()  # nothing is open on the other alias
        assert Tenant.objects.filter(id=opened).exists()  # no tenant's own row: as ever
    with pytest.raises(OutsideScope):
        Stream.objects.count()
    assert list(rows.all().using("staff")) == []
    with connections["staff"].cursor() as cursor:
        for name in ("app.grant", "app.staff"):
            cursor.execute("SELECT coalesce(current_setting(%s, true), '')", [name])
            assert cursor.fetchone() == ("",)


def test_a_tenants_scope_inside_goes_on_under_the_grant(
    tenant: tuple[UUID, str], grant: Grant
) -> None:
    with staff_scope(grant.id, STAFF):
        with tenant_scope(tenant[0]):
            assert Stream.objects.all().db == "staff"
            assert Stream.objects.count() == 1
            with connections["default"].cursor() as cursor:
                cursor.execute("SELECT coalesce(current_setting('app.tenant', true), '')")
                assert cursor.fetchone() == ("",)
        with pytest.raises(ScopeConflict), tenant_scope(UUID(int=9)):
            pass


def test_a_grant_inside_an_open_scope_is_refused(tenant: tuple[UUID, str], grant: Grant) -> None:
    with tenant_scope(tenant[0]), pytest.raises(ScopeConflict), staff_scope(grant.id, STAFF):
        pass
    with (
        staff_scope(grant.id, STAFF),
        pytest.raises(ScopeConflict),
        staff_scope(grant.id, STAFF),
    ):
        pass


def test_every_way_to_write_under_a_grant_raises(grant: Grant, now: datetime) -> None:
    with staff_scope(grant.id, STAFF):
        row = Stream.objects.get()
        for write in (
            lambda: Stream.objects.create(kind="dns", newest=now, received_at=now),
            lambda: Stream.objects.bulk_create([row]),
            lambda: Stream.objects.update(newest=now),
            lambda: Stream.objects.all().delete(),
            lambda: Stream.objects.select_for_update().get(),
            lambda: Stream.objects.get_or_create(kind="dns"),
            row.save,
            row.delete,
        ):
            with pytest.raises(ReadOnlyScope):
                write()
        assert Stream.objects.count() == 1


def test_sealed_rows_open_under_a_grant_and_only_while_it_lives(
    tenant: tuple[UUID, str], grant: Grant, now: datetime, as_owner: Callable[..., Any]
) -> None:
    sealed = keys.seal(tenant[0], keys.FINDINGS, b"contents", "row", 1, now=now)
    keys.forget()
    with staff_scope(grant.id, STAFF):
        assert DataKey.objects.all().db == "staff"
        assert keys.unseal(tenant[0], keys.FINDINGS, sealed, "row", 1) == b"contents"
        with pytest.raises(CryptoError):
            keys.unseal(tenant[0], keys.FINDINGS, sealed, "row", 2)
    keys.forget()
    with pytest.raises(NoGrant) as refused, staff_scope(grant.id, STAFF):  # noqa: PT012 -- in it
        end_now(as_owner)
        keys.unseal(tenant[0], keys.FINDINGS, sealed, "row", 1)
    assert isinstance(refused.value.__context__, KeyUnavailable)  # its data key was out of sight


@pytest.mark.parametrize(("how", "words"), [("expired", "time is over"), ("revoked", "revoked")])
def test_a_grant_that_ends_inside_a_scope_ends_it(
    grant: Grant, now: datetime, as_owner: Callable[..., Any], how: str, words: str
) -> None:
    with pytest.raises(NoGrant, match=words), staff_scope(grant.id, STAFF):  # noqa: PT012 -- in it
        assert Stream.objects.count() == 1
        if how == "expired":
            end_now(as_owner)
        else:  # by somebody else, in another process
            revoke = partial(grants.revoke_grant, grant=grant.id, actor=ANALYST)
            in_a_thread(partial(revoke, reason="done", now=now))
        assert Stream.objects.count() == 0
    with pytest.raises(NoGrant, match=words), staff_scope(grant.id, STAFF):
        pass


@pytest.mark.parametrize("named", ["another's", "none"])
def test_a_grant_that_is_not_ones_own_opens_nothing(grant: Grant, named: str) -> None:
    whose = (grant.id, COLLEAGUE) if named == "another's" else (uuid4(), STAFF)
    with pytest.raises(NoGrant, match="no such grant"), staff_scope(*whose):
        pass


def test_a_statement_under_a_grant_ends_after_a_minute(grant: Grant) -> None:
    with connections["staff"].cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")  # whatever the connection began with
        with staff_scope(grant.id, STAFF):
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("1min",)
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)
    connections["staff"].close()


def test_a_statement_that_takes_too_long_is_ended_and_told_as_that(grant: Grant) -> None:
    short = settings_of(grant.id, STAFF, limit=timedelta(milliseconds=20))
    with pytest.raises(OperationalError, match="statement timeout"), staff_scope(grant.id, STAFF):  # noqa: PT012 -- in it
        apply(short)
        with connections["staff"].cursor() as cursor:
            cursor.execute("SELECT pg_sleep(30)")
