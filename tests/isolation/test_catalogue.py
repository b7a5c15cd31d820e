"""The catalogue lint: nothing on the schema as migrated, and every bad migration by its name."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections

from tenants.catalogue import Rule, judge, lint, read
from tenants.catalogue.listed import LISTED, SECOND_POLICIES, WRITTEN_ONCE
from tenants.rls import SCOPE, granted, isolate, open_to_grants

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
ALIASES = ("default", "keys", "wisdom")

TABLE = (
    "CREATE TABLE fresh (tenant_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (tenant_id, id))"
)
ISOLATED = f"{TABLE};{isolate('fresh', app='SELECT, INSERT, UPDATE, DELETE').sql}"
SECURED = "ALTER TABLE fresh ENABLE ROW LEVEL SECURITY; ALTER TABLE fresh FORCE ROW LEVEL SECURITY"
FUNCTION = "CREATE FUNCTION fresh() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'"

LIVE = granted(("alerts",))


def without(part: str, instead: str = "") -> tuple[str, set[tuple[str, Rule]]]:
    """A staff policy of alerts that lacks one part of what it should ask for."""
    assert LIVE.count(part) == 1
    weaker = LIVE.replace(part, instead)
    sql = f"CREATE POLICY weak ON alert FOR SELECT TO tawny_staff USING ({weaker})"
    return sql, {("alert.weak", Rule.WRONG_POLICY)}


BAD: dict[str, tuple[str, set[tuple[str, Rule]]]] = {
    "a tenant's table without row-level security": (
        TABLE,
        {("fresh", Rule.RLS_OFF), ("fresh", Rule.RLS_NOT_FORCED), ("fresh", Rule.NO_POLICY)},
    ),
    "security that the owner is past": (
        "ALTER TABLE alert NO FORCE ROW LEVEL SECURITY",
        {("alert", Rule.RLS_NOT_FORCED)},
    ),
    "security switched off": (
        "ALTER TABLE segment DISABLE ROW LEVEL SECURITY",
        {("segment", Rule.RLS_OFF)},
    ),
    "a partition that was forgotten": (
        (
            "CREATE TABLE segment_x PARTITION OF segment FOR VALUES"
            f" FROM ('{UUID(int=0)}') TO ('{UUID(int=1)}')"
        ),
        {("segment_x", Rule.RLS_OFF), ("segment_x", Rule.RLS_NOT_FORCED)},
    ),
    "a partition of the audit log that was forgotten": (
        "ALTER TABLE audit_log_default DISABLE ROW LEVEL SECURITY",
        {("audit_log_default", Rule.RLS_OFF)},
    ),
    "a policy that is true": (
        "CREATE POLICY all_of_it ON alert TO tawny_app USING (true)",
        {("alert.all_of_it", Rule.OPEN_POLICY)},
    ),
    "a policy without WITH CHECK of its own, true for what is written": (
        (
            f"{TABLE}; {SECURED}; CREATE POLICY half ON fresh TO tawny_app"
            f" USING (tenant_id = {SCOPE}) WITH CHECK (true)"
        ),
        {("fresh.half", Rule.OPEN_POLICY)},
    ),
    "a policy on the tenant's text": (
        (
            f"{TABLE}; {SECURED}; CREATE POLICY slow ON fresh TO tawny_app"
            " USING (tenant_id::text = current_setting('app.tenant', true))"
        ),
        {("fresh.slow", Rule.WRONG_POLICY)},
    ),
    "a policy with an alternative": (
        (
            f"{ISOLATED}; ALTER POLICY fresh_of_tenant ON fresh"
            f" USING (tenant_id = {SCOPE} OR id IS NOT NULL)"
        ),
        {("fresh.fresh_of_tenant", Rule.WRONG_POLICY)},
    ),
    "a policy for every role": (
        f"{ISOLATED}; ALTER POLICY fresh_of_tenant ON fresh TO PUBLIC",
        {("fresh.fresh_of_tenant", Rule.WRONG_POLICY)},
    ),
    "staff who read without a grant that ends": (
        "CREATE POLICY by_staff ON alert FOR SELECT TO tawny_staff USING (tenant_id IS NOT NULL)",
        {("alert.by_staff", Rule.WRONG_POLICY)},
    ),
    "a grant that lives for as long as a transaction": without("clock_timestamp()", "now()"),
    "a grant that never ends": without(" AND held.expires_at > clock_timestamp()"),
    "a grant that outlives its revocation": without(" AND held.revoked_at IS NULL"),
    "anybody's grant": without(
        " AND held.staff_id = nullif(current_setting('app.staff', true), '')::uuid"
    ),
    "whichever grant is live": without(
        "held.id = nullif(current_setting('app.grant', true), '')::uuid AND "
    ),
    "a grant of whatever scope": without(" AND held.scopes ?| ARRAY['alerts']"),
    "a grant on whatever tenant": without("tenant_id = (SELECT held.tenant_id", "EXISTS (SELECT"),
    "a grant or none": without("tenant_id =", "severity < 2 OR tenant_id ="),
    "a grant that lets write": (
        f"CREATE POLICY weak ON alert TO tawny_staff USING ({LIVE})",
        {("alert.weak", Rule.WRONG_POLICY)},
    ),
    "every grant shown to staff": (
        (
            "CREATE POLICY others ON access_grant FOR SELECT TO tawny_staff"
            " USING (id = nullif(current_setting('app.grant', true), '')::uuid)"
        ),
        {("access_grant.others", Rule.WRONG_POLICY)},
    ),
    "staff who read what no grant opens": (
        "GRANT SELECT ON key_index TO tawny_staff",
        {("key_index", Rule.GRANT)},
    ),
    "staff who write": (
        "GRANT UPDATE (state) ON alert TO tawny_staff; GRANT DELETE ON segment TO tawny_staff",
        {("alert", Rule.GRANT), ("segment", Rule.GRANT)},
    ),
    "a grant whose term the serving role may change": (
        "GRANT UPDATE (expires_at) ON access_grant TO tawny_app",
        {("access_grant", Rule.GRANT)},
    ),
    "the second policy of members lets write": (
        (
            "DROP POLICY member_by_mail ON member;"
            "CREATE POLICY member_by_mail ON member TO tawny_app"
            " USING (mail_tag = '\\x00')"
        ),
        {("member.member_by_mail", Rule.WRONG_POLICY)},
    ),
    "one more way into the audit log": (
        "CREATE POLICY audit_log_also ON audit_log FOR SELECT USING (idx >= 0)",
        {("audit_log.audit_log_also", Rule.WRONG_POLICY)},
    ),
    "a unique index across tenants": (
        "CREATE UNIQUE INDEX member_tag ON member (mail_tag)",
        {("member.member_tag", Rule.UNIQUE_ACROSS)},
    ),
    "a unique index on an expression": (
        "CREATE UNIQUE INDEX member_day ON member ((created_at > '2026-01-01'), tenant_id)",
        {("member.member_day", Rule.UNIQUE_ACROSS)},
    ),
    "a foreign key to another tenant's row": (
        (
            f"{ISOLATED}; ALTER TABLE fresh ADD UNIQUE (tenant_id, id);"
            " ALTER TABLE member ADD COLUMN other uuid, ADD COLUMN whose uuid;"
            " ALTER TABLE member ADD CONSTRAINT member_other FOREIGN KEY (whose, other)"
            " REFERENCES fresh (tenant_id, id)"
        ),
        {("member.member_other", Rule.KEY_ACROSS)},
    ),
    "a view with its owner's rights": (
        "CREATE VIEW every_alert AS SELECT tenant_id, id FROM alert",
        {("every_alert", Rule.VIEW_AS_OWNER)},
    ),
    "a materialised view": (
        "CREATE MATERIALIZED VIEW every_alert AS SELECT tenant_id, id FROM alert",
        {("every_alert", Rule.NO_POLICIES_HERE)},
    ),
    "a function with its owner's rights and its caller's path": (
        f"{FUNCTION}; REVOKE EXECUTE ON FUNCTION fresh FROM PUBLIC",
        {("fresh()", Rule.DEFINER_PATH)},
    ),
    "a function with its owner's rights for every role": (
        f"{FUNCTION} SET search_path = public, pg_temp",
        {("fresh()", Rule.DEFINER_PUBLIC)},
    ),
    "a function of somebody who bypasses": (
        (
            f"RESET ROLE; {FUNCTION} SET search_path = public, pg_temp;"
            "REVOKE EXECUTE ON FUNCTION fresh FROM PUBLIC"
        ),
        {("fresh()", Rule.DEFINER_BYPASSES)},
    ),
    "a new table that nobody thought about": (
        "CREATE TABLE fresh (id uuid PRIMARY KEY, customer uuid)",
        {("fresh", Rule.UNLISTED)},
    ),
    "a new table in another schema": (
        "CREATE SCHEMA side; CREATE TABLE side.fresh (id uuid PRIMARY KEY)",
        {("side.fresh", Rule.UNLISTED)},
    ),
    "a right to empty a table": (
        "GRANT TRUNCATE ON alert TO tawny_app",
        {("alert", Rule.GRANT)},
    ),
    "a right to everybody": (
        "GRANT SELECT ON staff_totp TO PUBLIC; GRANT INSERT ON auth_group TO PUBLIC",
        {("staff_totp", Rule.GRANT), ("auth_group", Rule.GRANT)},
    ),
    "a right to change sealed batches": (
        "GRANT UPDATE (sealed) ON inbox_part TO tawny_app",
        {("inbox_part", Rule.GRANT)},
    ),
    "a right to remove from the audit log": (
        (
            "GRANT DELETE ON audit_log TO tawny_app;"
            "GRANT UPDATE (event) ON audit_stage TO tawny_app;"
            "GRANT TRUNCATE ON audit_log_default TO PUBLIC"
        ),
        {
            ("audit_log", Rule.AUDIT_WRITABLE),
            ("audit_stage", Rule.AUDIT_WRITABLE),
            ("audit_log_default", Rule.AUDIT_WRITABLE),
        },
    ),
    "a serving role that owns": (
        ("RESET ROLE; CREATE SEQUENCE fresh;ALTER SEQUENCE fresh OWNER TO tawny_app"),
        {("tawny_app", Rule.ROLE)},
    ),
    "a serving role that is a member of another": (
        "RESET ROLE; GRANT tawny_staff TO tawny_app",
        {("tawny_app", Rule.ROLE)},
    ),
    "a serving role that bypasses": (
        "RESET ROLE; ALTER ROLE tawny_app BYPASSRLS",
        {("tawny_app", Rule.ROLE)},
    ),
    "a schema that the serving role may write in": (
        "RESET ROLE; GRANT CREATE ON SCHEMA public TO tawny_app",
        {("public", Rule.SCHEMA)},
    ),
}


@pytest.fixture
def owner(as_owner: Callable[..., Any]) -> Iterator[psycopg.Connection[Any]]:
    """The owner of the schema, in a transaction that is rolled back."""
    with as_owner() as session, session.transaction(force_rollback=True):
        session.execute("SET LOCAL ROLE tawny_owner")
        yield session


def found(session: psycopg.Connection[Any]) -> set[tuple[str, Rule]]:
    return {(each.object, each.rule) for each in judge(read(session.cursor()))}


@pytest.mark.parametrize("alias", ALIASES)
def test_the_schema_as_migrated_has_no_finding(alias: str) -> None:
    assert lint(alias) == []


@pytest.mark.parametrize("what", BAD)
def test_a_bad_migration_is_caught_by_name(owner: psycopg.Connection[Any], what: str) -> None:
    sql, findings = BAD[what]
    before = found(owner)
    owner.execute(sql)
    assert found(owner) - before == findings


def test_a_good_migration_is_not_caught(owner: psycopg.Connection[Any]) -> None:
    before = found(owner)
    owner.execute(ISOLATED)
    owner.execute("CREATE UNIQUE INDEX fresh_two ON fresh (tenant_id, (id::text))")
    owner.execute(
        "CREATE VIEW own_rights WITH (security_invoker = on) AS SELECT id FROM alert;"
        "CREATE POLICY less ON fresh AS RESTRICTIVE TO tawny_app USING (true);"
    )
    owner.execute(str(open_to_grants("fresh", scopes=("series", "research")).sql))
    assert found(owner) == before


def test_every_rule_has_a_bad_migration_that_breaks_it() -> None:
    broken = {rule for _, findings in BAD.values() for _, rule in findings}
    assert broken == set(Rule)


def test_every_entry_is_of_a_table_that_exists_and_has_a_reason() -> None:
    there: set[str] = set()
    policies: set[tuple[str, str]] = set()
    for alias in ALIASES:
        with connections[alias].cursor() as cursor:
            catalogue = read(cursor)
        there |= {each.name for each in catalogue.relations}
        policies |= {(each.table, each.name) for each in catalogue.policies}
    assert set(LISTED) | set(WRITTEN_ONCE) <= there
    assert {(table, name) for table, each in LISTED.items() for name in each.policies} <= policies
    assert set(SECOND_POLICIES) <= policies
    assert all(each.reason for each in LISTED.values())
    assert all(SECOND_POLICIES.values())


def test_the_command_says_nothing_found_and_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("isolation", "lint", json=True)
    assert json.loads(capsys.readouterr().out) == {alias: [] for alias in ALIASES}
    call_command("isolation", "lint")
    assert "default: 0 findings" in capsys.readouterr().out


def test_the_commands_exit_status_is_the_verdict(
    as_owner: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with as_owner("wisdom") as session:
        session.execute("SET ROLE tawny_owner; CREATE TABLE fresh (id uuid)")
        try:
            with pytest.raises(SystemExit, match="1"):
                call_command("isolation", "lint", json=True)
            (finding,) = json.loads(capsys.readouterr().out)["wisdom"]
            assert (finding["object"], finding["rule"]) == ("fresh", "unlisted_table")
            with pytest.raises(SystemExit, match="1"):
                call_command("isolation", "lint")
            assert "wisdom: fresh: unlisted_table: " in capsys.readouterr().out
        finally:
            session.execute("DROP TABLE fresh")
