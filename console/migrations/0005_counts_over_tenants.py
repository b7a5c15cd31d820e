"""Counts over many tenants in one statement, each tenant's in its own scope.

The functions run as whoever calls them: row-level security holds inside, and shows what the scope
that the loop has just opened shows. They return counts, days and states, no column of a row.
"""

from typing import ClassVar

from django.db import migrations

SKELETON = """
CREATE FUNCTION {name}(tenants uuid[], since date) RETURNS TABLE ({columns})
LANGUAGE plpgsql VOLATILE SECURITY INVOKER AS $function$
#variable_conflict use_column
DECLARE
    one uuid;
    before text := coalesce(current_setting('app.tenant', true), '');
BEGIN
    FOREACH one IN ARRAY tenants LOOP
        PERFORM set_config('app.tenant', one::text, true);
        RETURN QUERY {query};
    END LOOP;
    PERFORM set_config('app.tenant', before, true);
END
$function$;
REVOKE EXECUTE ON FUNCTION {name}(uuid[], date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {name}(uuid[], date) TO tawny_app;
"""

ALERTS = SKELETON.format(
    name="console_alerts",
    columns="tenant uuid, severity smallint, is_open boolean, alerts bigint",
    query="""
        SELECT one, severity, state = 'open', count(*) FROM public.alert
         WHERE tenant_id = one AND day >= since GROUP BY 2, 3
    """,
)
USAGE = SKELETON.format(
    name="console_usage",
    columns="tenant uuid, day date, events bigint, requests bigint, octets bigint",
    query="""
        SELECT one, day, events, requests, octets FROM public.usage_day
         WHERE tenant_id = one AND day >= since
    """,
)
DATA_KEYS = SKELETON.format(
    name="console_data_keys",
    columns="series_class text, epoch integer, data_keys bigint, oldest timestamptz",
    query="""
        SELECT series_class::text, epoch, count(*), min(created_at) FROM public.data_key
         WHERE tenant_id = one AND created_at >= since GROUP BY 1, 2
    """,
)
TENANT_KEYS = SKELETON.format(
    name="console_tenant_keys",
    columns="provider text, key_id text, root_version integer, wrapped bigint",
    query="""
        SELECT provider::text, key_id::text, root_version, count(*) FROM public.tenant_key
         WHERE tenant_id = one AND created_at >= since AND destroyed_at IS NULL GROUP BY 1, 2, 3
    """,
)
GONE = """
DROP FUNCTION console_alerts(uuid[], date);
DROP FUNCTION console_usage(uuid[], date);
DROP FUNCTION console_data_keys(uuid[], date);
"""


class Migration(migrations.Migration):
    """Make the four functions."""

    dependencies: ClassVar = [
        ("console", "0004_sealed_accounts_and_notices"),
        ("analytics", "0005_rows_of_deleted_tenants"),
        ("tenants", "0003_keyring_and_deletion"),
    ]
    operations: ClassVar = [
        migrations.RunSQL(
            sql=[ALERTS, USAGE, DATA_KEYS], reverse_sql=GONE, hints={"database": "default"}
        ),
        migrations.RunSQL(
            sql=TENANT_KEYS,
            reverse_sql="DROP FUNCTION console_tenant_keys(uuid[], date);",
            hints={"database": "keys"},
        ),
        migrations.RunSQL(  # the page of the system's state says which migrations are missing
            sql="GRANT SELECT ON django_migrations TO tawny_app;",
            reverse_sql="REVOKE SELECT ON django_migrations FROM tawny_app;",
            hints={"databases": ("default", "keys", "wisdom")},
        ),
    ]
