# Grants, the one thing that opens a tenant's rows to tawny_staff, and what that role loses: it
# reads no table that no grant opens.

from datetime import timedelta

from django.db import migrations, models
from django.db.models import F, Q

from tenants.rls import GRANT, STAFF, isolate, open_to_grants

LISTED = """
    -- The console lists who has which grant on whom: one door, for reading, as the audit log's.
    CREATE POLICY access_grant_listed ON access_grant FOR SELECT TO tawny_app
        USING (current_setting('app.grants', true) = 'reader');
"""
NAMED = f"""
    -- Over or not: its holder is told which.
    CREATE POLICY access_grant_named ON access_grant FOR SELECT TO tawny_staff
        USING (id = {GRANT} AND staff_id = {STAFF});
"""
SCOPES = """
    ALTER TABLE access_grant ADD CONSTRAINT access_grant_scopes_known CHECK (
        jsonb_typeof(scopes) = 'array' AND jsonb_array_length(scopes) > 0
        AND scopes <@ '["alerts", "series", "export", "research"]');
"""
EVERY = ("alerts", "series", "export", "research")


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0004_rights"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccessGrant",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("id", models.UUIDField()),
                ("staff_id", models.UUIDField()),
                ("scopes", models.JSONField()),
                ("reason", models.CharField(max_length=500)),
                ("ticket", models.CharField(max_length=100)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(null=True)),
                ("revoked_by", models.CharField(db_default="", default="", max_length=140)),
                ("end_noted_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "access_grant",
                "indexes": [
                    models.Index(fields=["id"], name="access_grant_id"),
                    models.Index(fields=["expires_at"], name="access_grant_expiry"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        name="access_grant_ends",
                        condition=Q(expires_at__gt=F("created_at"))
                        & Q(expires_at__lte=F("created_at") + timedelta(minutes=60)),
                    ),
                    models.CheckConstraint(
                        name="access_grant_reasoned", condition=~Q(reason="") & ~Q(ticket="")
                    ),
                    models.CheckConstraint(
                        name="access_grant_revoked_by",
                        condition=Q(revoked_at__isnull=True, revoked_by="")
                        | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
                    ),
                ],
            },
        ),
        migrations.RunSQL(SCOPES, migrations.RunSQL.noop, hints={"database": "default"}),
        isolate(
            "access_grant",
            app="SELECT, INSERT, DELETE, UPDATE (revoked_at, revoked_by, end_noted_at)",
        ),
        migrations.RunSQL(
            LISTED + NAMED,
            "DROP POLICY access_grant_listed ON access_grant;"
            "DROP POLICY access_grant_named ON access_grant;",
            hints={"database": "default"},
        ),
        open_to_grants("data_key", scopes=EVERY),
        open_to_grants("member", scopes=("export",)),
        open_to_grants("usage_day", scopes=("export",)),
        migrations.RunSQL(
            "REVOKE ALL ON tenant, key_index, work, letter, mail_link, attempt_window"
            " FROM tawny_staff;",
            "GRANT SELECT ON tenant, key_index, work, letter, mail_link, attempt_window"
            " TO tawny_staff;",
            hints={"database": "default"},
        ),
        migrations.RunSQL(
            "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM tawny_staff;",
            migrations.RunSQL.noop,
            hints={"databases": ("keys", "wisdom")},
        ),
    ]
