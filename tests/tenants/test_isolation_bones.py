"""A tenant's rows are its own, whichever layer is asked."""

from datetime import datetime
from uuid import UUID

import pytest
from django.db import connection, connections

from analytics.models import Stream
from tenants import keys
from tenants.errors import OutsideScope, ScopeConflict
from tenants.models import DataKey
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
NEIGHBOUR = UUID(int=2)


def test_the_suite_serves_as_the_role_that_owns_nothing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone()[0] == "tawny_app"


def test_rows_are_not_shown_outside_a_scope(tenant: tuple[UUID, str], now: datetime) -> None:
    with tenant_scope(tenant[0]):
        Stream.objects.create(kind="ip", newest=now, received_at=now)
    with pytest.raises(OutsideScope):
        Stream.objects.count()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM stream")
        assert cursor.fetchone()[0] == 0


def test_a_neighbour_sees_nothing_even_without_the_orm(
    tenant: tuple[UUID, str], now: datetime
) -> None:
    with tenant_scope(tenant[0]):
        Stream.objects.create(kind="ip", newest=now, received_at=now)
    with tenant_scope(NEIGHBOUR), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM stream")
        assert cursor.fetchone()[0] == 0
    with tenant_scope(tenant[0]), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM stream")
        assert cursor.fetchone()[0] == 1


def test_a_second_tenants_scope_inside_the_first_is_refused(tenant: tuple[UUID, str]) -> None:
    with pytest.raises(ScopeConflict), tenant_scope(tenant[0]), tenant_scope(NEIGHBOUR):
        pass


def test_nothing_of_a_scope_stays_on_the_connection(tenant: tuple[UUID, str]) -> None:
    with tenant_scope(tenant[0]):
        pass
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('app.tenant', true), '')")
        assert cursor.fetchone()[0] == ""


def test_sealed_bytes_of_one_tenant_do_not_open_under_another(
    tenant: tuple[UUID, str], now: datetime
) -> None:
    sealed = keys.seal(tenant[0], keys.SERIES, b"contents", "row", 1, now=now)
    assert keys.unseal(tenant[0], keys.SERIES, sealed, "row", 1) == b"contents"
    with tenant_scope(tenant[0]):
        assert DataKey.objects.count() == 1
    keys.make_tenant_keys(NEIGHBOUR, now=now)
    with pytest.raises(Exception, match="not this tenant's"):
        keys.unseal(NEIGHBOUR, keys.SERIES, sealed, "row", 1)


@pytest.mark.parametrize("alias", ["default", "keys", "wisdom"])
def test_every_table_that_names_a_tenant_is_isolated_or_listed(alias: str) -> None:
    listed = {"key_index", "work"}  # read before it is known whose scope to open
    with connections[alias].cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity
              FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
             WHERE a.attname IN ('tenant_id', 'tenant') AND c.relkind IN ('r', 'p')
               AND c.relnamespace = 'public'::regnamespace
            """
        )
        open_tables = {name for name, isolated in cursor.fetchall() if not isolated}
    assert open_tables - listed == set()
