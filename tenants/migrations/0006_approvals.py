# Deeds that wait for a second person, and emergency access (docs/adr/0019).
#
# Granted by column: what was asked for, by whom and when is never changed, and no row is deleted.

import datetime
import django.db.models.expressions
from django.db import migrations, models


def grant(table, *columns):
    return migrations.RunSQL(
        sql=f"""
            GRANT SELECT, INSERT, UPDATE ({", ".join(columns)}) ON {table} TO tawny_app;
            GRANT SELECT ON {table} TO tawny_backup;
        """,
        reverse_sql=f"REVOKE ALL ON {table} FROM tawny_app, tawny_backup;",
        hints={"database": "default"},
    )


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0005_access_grants"),
    ]

    operations = [
        migrations.CreateModel(
            name="BreakGlass",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("grant", models.UUIDField(unique=True)),
                ("staff", models.UUIDField()),
                ("asked_by", models.CharField(max_length=140)),
                ("approved_by", models.CharField(max_length=140)),
                ("opened_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                ("closed_by", models.CharField(blank=True, default="", max_length=140)),
                ("reviewed_at", models.DateTimeField(null=True)),
                ("reviewed_by", models.CharField(blank=True, default="", max_length=140)),
                ("review", models.CharField(blank=True, default="", max_length=500)),
            ],
            options={
                "db_table": "break_glass",
                "ordering": ("-opened_at", "-id"),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "expires_at__lte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("opened_at"),
                                    "+",
                                    models.Value(datetime.timedelta(seconds=1800)),
                                ),
                            )
                        ),
                        name="break_glass_short",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("approved_by", ""), _negated=True),
                            models.Q(("approved_by", models.F("asked_by")), _negated=True),
                        ),
                        name="break_glass_two_people",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Pending",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=32)),
                ("subject", models.CharField(max_length=200)),
                ("parameters", models.JSONField(default=dict)),
                ("asked_by", models.CharField(max_length=140)),
                ("reason", models.CharField(max_length=500)),
                ("asked_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("effective_at", models.DateTimeField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("approved", "Approved"),
                            ("done", "Done"),
                            ("cancelled", "Cancelled"),
                            ("expired", "Expired"),
                            ("failed", "Failed"),
                        ],
                        default="pending",
                        max_length=16,
                    ),
                ),
                ("approved_by", models.CharField(blank=True, default="", max_length=140)),
                ("approved_at", models.DateTimeField(null=True)),
                ("ended_by", models.CharField(blank=True, default="", max_length=140)),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_why", models.CharField(blank=True, default="", max_length=500)),
                ("attempt", models.PositiveIntegerField(default=0)),
                ("lease_until", models.DateTimeField(null=True)),
                ("outcome", models.JSONField(default=dict)),
            ],
            options={
                "db_table": "pending_deed",
                "ordering": ("-asked_at", "-id"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ("pending", "approved"))),
                        fields=["expires_at"],
                        name="pending_deed_open",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["pending", "approved", "done", "cancelled", "expired", "failed"],
                            )
                        ),
                        name="pending_deed_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("approved_by", models.F("asked_by")), _negated=True),
                        name="pending_deed_two_people",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ("approved", "done")), _negated=True),
                            models.Q(("approved_by", ""), _negated=True),
                            ("effective_at__isnull", False),
                            _connector="OR",
                        ),
                        name="pending_deed_two_people_or_time",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ("pending", "approved"))),
                        fields=("kind", "subject", "parameters"),
                        name="pending_deed_asked_once",
                    ),
                ],
            },
        ),
        grant(
            "pending_deed",
            "state",
            "approved_by",
            "approved_at",
            "ended_by",
            "ended_at",
            "ended_why",
            "attempt",
            "lease_until",
            "outcome",
        ),
        grant(
            "break_glass",
            "used_at",
            "closed_at",
            "closed_by",
            "reviewed_at",
            "reviewed_by",
            "review",
        ),
    ]
