# What a tenant or the law has said of its rows: terms, consent, holds; and that a hold is kept by the
# database too.

from django.db import migrations, models

from tenants.rls import hold, isolate


def composite(*fields):
    return models.CompositePrimaryKey(
        *fields, blank=True, editable=False, primary_key=True, serialize=False
    )


class Migration(migrations.Migration):
    dependencies = [("tenants", "0003_keyring_and_deletion")]

    operations = [
        migrations.CreateModel(
            name="RetentionRun",
            fields=[
                ("tenant_id", models.UUIDField(primary_key=True, serialize=False)),
                ("completed_at", models.DateTimeField()),
            ],
            options={"db_table": "retention_run"},
        ),
        migrations.CreateModel(
            name="LegalHold",
            fields=[
                ("tenant_id", models.UUIDField()),
                ("pk", composite("tenant_id", "id")),
                ("id", models.UUIDField()),
                ("reason", models.CharField(max_length=1024)),
                ("ticket", models.CharField(blank=True, max_length=100)),
                ("placed_at", models.DateTimeField()),
                ("placed_by", models.CharField(max_length=200)),
                ("released_at", models.DateTimeField(null=True)),
                ("released_by", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "db_table": "legal_hold",
                "indexes": [
                    models.Index(
                        condition=models.Q(("released_at__isnull", True)),
                        fields=["tenant_id"],
                        name="legal_hold_standing",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ResearchConsent",
            fields=[
                ("tenant_id", models.UUIDField()),
                ("pk", composite("tenant_id", "id")),
                ("id", models.UUIDField()),
                ("given_at", models.DateTimeField()),
                ("given_by", models.CharField(max_length=200)),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("withdrawn_by", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "db_table": "research_consent",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("withdrawn_at__isnull", True)),
                        fields=("tenant_id",),
                        name="research_consent_one",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RetentionTerms",
            fields=[
                ("tenant_id", models.UUIDField(primary_key=True, serialize=False)),
                ("series_days", models.PositiveSmallIntegerField()),
                ("alerts_days", models.PositiveSmallIntegerField()),
                ("changed_at", models.DateTimeField()),
            ],
            options={
                "db_table": "retention_terms",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("series_days__gte", 7),
                            ("series_days__lte", 90),
                            ("alerts_days__gte", 30),
                            ("alerts_days__lte", 400),
                            ("alerts_days__gte", models.F("series_days")),
                        ),
                        name="retention_terms_bounds",
                    )
                ],
            },
        ),
        isolate("retention_run", app="SELECT, INSERT, UPDATE, DELETE"),
        isolate("legal_hold", app="SELECT, INSERT, UPDATE, DELETE"),
        isolate("research_consent", app="SELECT, INSERT, UPDATE, DELETE"),
        isolate("retention_terms", app="SELECT, INSERT, UPDATE, DELETE"),
        migrations.RunSQL(
            sql="CREATE POLICY legal_hold_stands ON legal_hold AS RESTRICTIVE FOR DELETE"
            " TO tawny_app USING (released_at IS NOT NULL);",
            reverse_sql="DROP POLICY legal_hold_stands ON legal_hold;",
            hints={"database": "default"},
        ),
        *(hold(table) for table in ("member", "usage_day", "data_key")),
    ]
