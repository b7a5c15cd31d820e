"""A tenant's scope: what is open, what is not, and that nothing of it is left behind."""

from datetime import datetime
from uuid import UUID

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from analytics.models import Stream
from tenants.errors import OutsideScope, ScopeConflict
from tenants.models import TenantKey
from tenants.scope import current_tenant, tenant_scope

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
ONE, OTHER = UUID(int=1), UUID(int=2)


def setting() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('app.tenant', true), '')")
        value: str = cursor.fetchone()[0]
        return value


def add(now: datetime, kind: str = "ip") -> None:
    Stream.objects.create(kind=kind, newest=now, received_at=now)


def add_and_fail(now: datetime, kind: str = "ip") -> None:
    add(now, kind)
    raise RuntimeError


def add_twice(now: datetime) -> None:
    add(now)
    add(now)


def test_the_open_scope_is_known_and_closes() -> None:
    with tenant_scope(ONE):
        assert current_tenant() == ONE
        assert setting() == str(ONE)
        with tenant_scope(ONE):
            assert current_tenant() == ONE
        assert current_tenant() == ONE
        assert setting() == str(ONE)
    with pytest.raises(OutsideScope):
        current_tenant()
    assert setting() == ""


def test_a_scope_is_a_transaction(now: datetime) -> None:
    with pytest.raises(RuntimeError), tenant_scope(ONE):
        add_and_fail(now)
    with tenant_scope(ONE):
        assert not Stream.objects.exists()


def test_a_scope_inside_another_of_the_same_tenant_is_a_savepoint(now: datetime) -> None:
    with tenant_scope(ONE):
        add(now, "ip")
        with pytest.raises(RuntimeError), tenant_scope(ONE):
            add_and_fail(now, "dns")
        assert setting() == str(ONE)
        assert list(Stream.objects.values_list("kind", flat=True)) == ["ip"]


def test_a_transaction_goes_on_outside_the_scope_that_it_had(now: datetime) -> None:
    with transaction.atomic():
        with tenant_scope(ONE):
            add(now)
        assert setting() == ""
        with pytest.raises(OutsideScope):
            Stream.objects.count()
        with tenant_scope(OTHER):
            assert not Stream.objects.exists()
    with tenant_scope(ONE):
        assert Stream.objects.count() == 1


def test_an_error_inside_a_scope_inside_a_transaction_is_told_as_it_was(now: datetime) -> None:
    with transaction.atomic():
        with pytest.raises(IntegrityError), tenant_scope(ONE):
            add_twice(now)
        assert setting() == ""
        with tenant_scope(ONE):
            assert not Stream.objects.exists()


def test_a_second_tenants_scope_is_refused_and_the_first_goes_on(now: datetime) -> None:
    with tenant_scope(ONE):
        with pytest.raises(ScopeConflict), tenant_scope(OTHER):
            pass
        add(now)
    with tenant_scope(ONE):
        assert Stream.objects.count() == 1


def test_a_row_of_another_tenant_cannot_be_written(now: datetime) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"), tenant_scope(ONE):
        Stream.objects.bulk_create(
            [Stream(tenant_id=OTHER, kind="ip", newest=now, received_at=now)]
        )


def test_a_row_cannot_be_given_to_another_tenant(now: datetime) -> None:
    with tenant_scope(ONE):
        add(now)
    with pytest.raises(ProgrammingError, match="row-level security"), tenant_scope(ONE):
        Stream.objects.update(tenant_id=OTHER)


def test_the_keys_database_has_scopes_of_its_own() -> None:
    with tenant_scope(ONE, using="keys"):
        assert not TenantKey.objects.exists()
        assert setting() == ""  # nothing is open on the other database
        with tenant_scope(ONE):
            assert setting() == str(ONE)
