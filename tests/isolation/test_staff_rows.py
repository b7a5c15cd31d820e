"""What the role of staff sees of tenants' rows: nothing but what a live grant of theirs opens."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connections

from audit.actors import Actor
from config.embedded.roles import connect
from config.embedded.state import Connection
from crypto.ids import uuid7
from tenants import grants
from tenants.grants import Grant, GrantScope
from tests.isolation.world import SHELL, World, make_world

pytestmark = pytest.mark.django_db(
    transaction=True, databases=["default", "keys", "wisdom", "staff"]
)
STAFF = UUID(int=7)
ANALYST = Actor(kind="staff", id=str(STAFF))
ALERTS = {"alert", "alert_change", "alert_sequence"}
SERIES = {
    "segment",
    "series_window",
    "stream",
    "evaluation_day",
    "source_sketch",
    "destination_summary",
    "destination_day",
}
OPENED = {
    GrantScope.ALERTS: ALERTS | {"data_key", "monitoring_groups"},
    GrantScope.SERIES: SERIES | {"data_key", "monitoring_groups", "ignored_fields"},
}
"""Which tables each scope opens; docs/staff.md says the same."""


@pytest.fixture
def staff(servers: Connection) -> Iterator[psycopg.Connection[Any]]:
    """Whoever has the password of the role of staff, and SQL."""
    with connect(servers, user="tawny_staff", database="tawny") as session:
        yield session


@pytest.fixture
def world(settings: Any, tmp_path: Path) -> World:
    settings.CHECKPOINT_FILE = str(tmp_path / "checkpoint")
    return make_world()


def opened(world: World, *scopes: GrantScope, staff: UUID = STAFF) -> Grant:
    return grants.open_grant(
        tenant=world.theirs,
        staff=staff,
        scopes=scopes,
        reason="a false alarm",
        ticket="T-1",
        minutes=30,
        actor=SHELL,
        now=datetime.now(UTC),
    )


def tables(as_owner: Callable[..., Any]) -> list[str]:
    """Return every table, and every partition, that names a tenant."""
    with as_owner() as session:
        return [
            name
            for (name,) in session.execute(
                "SELECT DISTINCT c.relname FROM pg_class c JOIN pg_attribute a"
                " ON a.attrelid = c.oid WHERE a.attname IN ('tenant_id', 'tenant')"
                " AND c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace"
            )
        ]


def seen(
    session: psycopg.Connection[Any], names: list[str], **settings: object
) -> dict[str, set[UUID]]:
    """Return the tenants whose rows each table shows; one that may not even be asked shows none."""
    found: dict[str, set[UUID]] = {}
    for name in names:
        try:
            with session.transaction():
                for setting, value in settings.items():
                    session.execute(
                        "SELECT set_config(%s, %s, true)", [f"app.{setting}", str(value)]
                    )
                asked = f"SELECT DISTINCT tenant_id FROM {name}"  # noqa: S608 -- our own names
                rows = session.execute(asked).fetchall()
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedColumn):
            rows = []
        if rows:
            found[name] = {row[0] for row in rows}
    return found


def test_the_alias_is_the_role_of_staff_on_the_same_database_and_only_reads() -> None:
    with connections["staff"].cursor() as cursor:
        cursor.execute(
            "SELECT session_user, current_user, current_database(),"
            " current_setting('default_transaction_read_only')"
        )
        assert cursor.fetchone() == ("tawny_staff", "tawny_staff", "tawny", "on")


def test_without_a_grant_the_password_shows_no_row_of_any_tenant(
    world: World, staff: psycopg.Connection[Any], as_owner: Callable[..., Any]
) -> None:
    names = tables(as_owner)
    assert len(names) > 20
    assert seen(staff, names) == {}
    assert seen(staff, names, tenant=world.theirs) == {}  # the application's setting opens nothing
    assert seen(staff, names, grant=uuid4(), staff=STAFF) == {}
    assert seen(staff, names, audit="reader", grants="reader") == {}
    every = opened(world, *GrantScope)
    assert seen(staff, names) == {}
    assert seen(staff, names, grant=every.id) == {}
    assert seen(staff, names, staff=STAFF) == {}


def test_without_a_grant_the_password_shows_no_row_of_the_other_databases(
    world: World, servers: Connection
) -> None:
    every = opened(world, *GrantScope)
    for database in ("tawny_keys", "tawny_wisdom"):
        with connect(servers, user="tawny_staff", database=database) as session:
            asked = session.execute(
                "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p')"
                " AND relnamespace = 'public'::regnamespace"
            ).fetchall()
            names = [name for (name,) in asked]
            assert seen(session, names, grant=every.id, staff=STAFF, tenant=world.theirs) == {}
            readable = "SELECT has_any_column_privilege(%s, 'SELECT')"
            open_to = [n for n in names if session.execute(readable, [n]).fetchone() == (True,)]
            assert open_to == []


@pytest.mark.parametrize("scope", GrantScope)
def test_a_grant_shows_the_tables_of_its_scope_of_its_tenant_alone(
    world: World,
    staff: psycopg.Connection[Any],
    as_owner: Callable[..., Any],
    scope: GrantScope,
) -> None:
    grant = opened(world, scope)
    names = tables(as_owner)
    shown = seen(staff, names, grant=grant.id, staff=STAFF)
    filled = {name for name in OPENED[scope] if _holds(as_owner, name, world.theirs)}
    assert shown == {name: {world.theirs} for name in filled | {"access_grant"}}
    assert filled >= OPENED[scope] - {"ignored_fields", "usage_day", "destination_day"}


def _holds(as_owner: Callable[..., Any], name: str, tenant: UUID) -> bool:
    with as_owner() as session:
        asked = f"SELECT EXISTS (SELECT FROM {name} WHERE tenant_id = %s)"  # noqa: S608 -- our own names
        held: bool = session.execute(asked, [tenant]).fetchone()[0]
        return held


def test_a_grant_of_before_with_scopes_that_there_are_no_more_shows_itself_alone(
    world: World, staff: psycopg.Connection[Any], as_owner: Callable[..., Any]
) -> None:
    grant = opened(world, *GrantScope)
    with as_owner() as session:
        session.execute("""UPDATE access_grant SET scopes = '["export", "research"]'""")
    shown = seen(staff, tables(as_owner), grant=grant.id, staff=STAFF)
    assert shown == {"access_grant": {world.theirs}}


def test_the_grant_of_somebody_else_shows_nothing(
    world: World, staff: psycopg.Connection[Any], as_owner: Callable[..., Any]
) -> None:
    theirs = opened(world, *GrantScope, staff=UUID(int=8))
    assert seen(staff, tables(as_owner), grant=theirs.id, staff=STAFF) == {}


def test_a_grant_that_is_over_or_revoked_shows_itself_alone(
    world: World, staff: psycopg.Connection[Any], as_owner: Callable[..., Any]
) -> None:
    names = tables(as_owner)
    grant = opened(world, *GrantScope)
    with as_owner() as session:
        session.execute("UPDATE access_grant SET expires_at = clock_timestamp()")
    own = {"access_grant": {world.theirs}}
    assert seen(staff, names, grant=grant.id, staff=STAFF) == own
    grant = opened(world, *GrantScope)
    grants.revoke_grant(grant=grant.id, actor=ANALYST, reason="done", now=datetime.now(UTC))
    assert seen(staff, names, grant=grant.id, staff=STAFF) == own


def test_a_grant_that_ends_within_a_transaction_shows_nothing_from_then_on(
    world: World, staff: psycopg.Connection[Any], as_owner: Callable[..., Any]
) -> None:
    """With now() in the policy the transaction would go on as if its beginning lasted."""
    grant = opened(world, GrantScope.ALERTS)
    count = "SELECT count(*) FROM alert"
    with staff.transaction(), as_owner() as owner:
        staff.execute("SELECT set_config('app.grant', %s, true)", [str(grant.id)])
        staff.execute("SELECT set_config('app.staff', %s, true)", [str(STAFF)])
        assert staff.execute(count).fetchone() == (3,)
        owner.execute("UPDATE access_grant SET expires_at = clock_timestamp()")
        ended = staff.execute("SELECT expires_at > now() FROM access_grant").fetchone()
        assert ended == (True,)  # by the transaction's beginning it would still live
        assert staff.execute(count).fetchone() == (0,)


def test_staff_write_nothing_of_a_tenants_under_any_grant(
    world: World, staff: psycopg.Connection[Any], as_owner: Callable[..., Any]
) -> None:
    grant = opened(world, *GrantScope)
    for name in tables(as_owner):
        for verb in ("DELETE FROM", "INSERT INTO"):
            rest = " DEFAULT VALUES" if verb == "INSERT INTO" else ""
            with staff.transaction(force_rollback=True):
                staff.execute("SELECT set_config('app.grant', %s, true)", [str(grant.id)])
                staff.execute("SELECT set_config('app.staff', %s, true)", [str(STAFF)])
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    staff.execute(f"{verb} {name}{rest}")


def test_the_policy_is_asked_once_a_statement_and_an_index_finds_the_rows(
    as_owner: Callable[..., Any],
) -> None:
    tenant, now = UUID(int=5), datetime.now(UTC)
    with as_owner() as session, session.transaction(force_rollback=True):
        session.execute(
            "INSERT INTO stream (tenant_id, kind, newest, received_at)"
            " SELECT lpad(to_hex(n), 32, '0')::uuid, 'ip', now(), now()"
            " FROM generate_series(0, 20000) AS n"
        )
        session.execute(
            "INSERT INTO access_grant (tenant_id, id, staff_id, scopes, reason, ticket, created_at,"
            " expires_at) SELECT lpad(to_hex(n), 32, '0')::uuid, gen_random_uuid(), %s,"
            " '[\"series\"]', 'r', 't', now(), now() + interval '30 minutes'"
            " FROM generate_series(0, 5000) AS n",
            [STAFF],
        )
        session.execute(
            "INSERT INTO access_grant (tenant_id, id, staff_id, scopes, reason, ticket, created_at,"
            " expires_at) VALUES (%s, %s, %s, '[\"series\"]', 'r', 't', now(),"
            " now() + interval '30 minutes')",
            [tenant, uuid7(now), STAFF],
        )
        session.execute("ANALYZE stream; ANALYZE access_grant; SET LOCAL ROLE tawny_staff")
        plan = "\n".join(
            line for (line,) in session.execute("EXPLAIN SELECT newest FROM stream").fetchall()
        )
    assert len(re.findall(r"^ *InitPlan \d", plan, re.MULTILINE)) == 1
    assert "SubPlan" not in plan
    assert "Seq Scan" not in plan
    assert "stream_pkey" in plan
    assert "access_grant_id" in plan
