"""Row-level security as a migration writes it.

A policy compares uuids, never text: written on ``tenant_id::text`` it is 260 times slower, because
no index serves it. ``nullif`` is needed because a setting that was local to a finished transaction
reads as the empty string, which is no uuid.
"""

from collections.abc import Iterable, Sequence

from django.db.migrations import RunSQL

SCOPE = "nullif(current_setting('app.tenant', true), '')::uuid"
GRANT = "nullif(current_setting('app.grant', true), '')::uuid"
STAFF = "nullif(current_setting('app.staff', true), '')::uuid"


def isolate(table: str, *, app: str, database: str = "default") -> RunSQL:
    """Force row-level security on `table` and grant the application role `app` privileges.

    `app` is a list of privileges such as ``"SELECT, INSERT, UPDATE, DELETE"``. ``tawny_staff`` may
    ask, and sees nothing until a policy of a later migration gives it a grant's rows.
    """
    return RunSQL(
        sql=f"""
            ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
            ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
            CREATE POLICY {table}_of_tenant ON {table} TO tawny_app
                USING (tenant_id = {SCOPE}) WITH CHECK (tenant_id = {SCOPE});
            GRANT {app} ON {table} TO tawny_app;
            GRANT SELECT ON {table} TO tawny_staff, tawny_backup;
        """,
        reverse_sql=f"DROP POLICY {table}_of_tenant ON {table};",
        hints={"database": database},
    )


def granted(scopes: Iterable[str]) -> str:
    """Return the condition under which staff read a tenant's row: a live grant of any of `scopes`.

    A scalar subquery: PostgreSQL asks it once a statement, before the first row (an InitPlan), and
    finds the rows by an index that ``tenant_id`` leads. ``clock_timestamp()`` and not ``now()``,
    which stands still for the length of a transaction.
    """
    fit = ", ".join(f"'{each}'" for each in sorted(scopes))
    return (
        "tenant_id = (SELECT held.tenant_id FROM access_grant held"  # noqa: S608 -- our own names
        f" WHERE held.id = {GRANT} AND held.staff_id = {STAFF}"
        " AND held.expires_at > clock_timestamp() AND held.revoked_at IS NULL"
        f" AND held.scopes ?| ARRAY[{fit}])"
    )


def open_to_grants(table: str, *, scopes: Iterable[str], database: str = "default") -> RunSQL:
    """Let staff read a tenant's rows of `table` under a live grant of one of `scopes`."""
    return RunSQL(
        sql=f"""
            CREATE POLICY {table}_of_grant ON {table} FOR SELECT TO tawny_staff
                USING ({granted(scopes)});
        """,
        reverse_sql=f"DROP POLICY {table}_of_grant ON {table};",
        hints={"database": database},
    )


def reopen_to_grants(table: str, *, before: Sequence[str], scopes: Sequence[str]) -> RunSQL:
    """Let staff read `table` under grants of other scopes than `before`; of none, not at all."""
    drop = f"DROP POLICY {table}_of_grant ON {table};"
    was, now = (open_to_grants(table, scopes=each).sql if each else "" for each in (before, scopes))
    return RunSQL(
        sql=f"{drop} {now}",
        reverse_sql=f"{drop if now else ''} {was}",
        hints={"database": "default"},
    )


def share(table: str, *, app: str, database: str = "default") -> RunSQL:
    """Grant privileges on a table that belongs to no single tenant (see the catalogue lint).

    ``tawny_staff`` is given nothing: what no grant opens, it does not read.
    """
    return RunSQL(
        sql=f"""
            GRANT {app} ON {table} TO tawny_app;
            GRANT SELECT ON {table} TO tawny_backup;
        """,
        reverse_sql=f"REVOKE ALL ON {table} FROM tawny_app, tawny_backup;",
        hints={"database": database},
    )


def partition(table: str, *, database: str = "default") -> RunSQL:
    """Give a table partitioned by its UUIDv7 id the partition that takes what no day claims.

    Days get partitions of their own ahead of time; a row of a day that has none is kept in the
    default partition, never refused.
    """
    return RunSQL(
        sql=f"""
            CREATE TABLE {table}_rest PARTITION OF {table} DEFAULT;
            ALTER TABLE {table}_rest ENABLE ROW LEVEL SECURITY;
            ALTER TABLE {table}_rest FORCE ROW LEVEL SECURITY;
        """,
        reverse_sql=f"DROP TABLE {table}_rest;",
        hints={"database": database},
    )


HELD = f"EXISTS (SELECT FROM legal_hold WHERE tenant_id = {SCOPE} AND released_at IS NULL)"


def hold(table: str) -> RunSQL:
    """Refuse the deletion of a tenant's rows of `table` while a legal hold stands on the tenant.

    Restrictive, so it takes rows away from whatever another policy allows: a DELETE finds none. The
    holds are read once a statement, under the tenant's own policy.
    """
    return RunSQL(
        sql=f"""
            CREATE POLICY {table}_held ON {table} AS RESTRICTIVE FOR DELETE TO tawny_app
                USING (NOT {HELD});
        """,
        reverse_sql=f"DROP POLICY {table}_held ON {table};",
        hints={"database": "default"},
    )
