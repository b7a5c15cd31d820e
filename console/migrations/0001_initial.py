# Staff, their authenticators, and who may touch them.
#
# These tables hold password hashes, sealed seeds and live session keys. They are granted to the
# role that serves and to the backup, not to tawny_staff, which reads what staff may read.

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def grant(table: str, app: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        sql=f"""
            GRANT {app} ON {table} TO tawny_app;
            GRANT SELECT ON {table} TO tawny_backup;
        """,
        reverse_sql=f"REVOKE ALL ON {table} FROM tawny_app, tawny_backup;",
        hints={"database": "default"},
    )


class Migration(migrations.Migration):
    initial = True

    dependencies = [("sessions", "0001_initial"), ("tenants", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Staff",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "last_login",
                    models.DateTimeField(blank=True, null=True, verbose_name="last login"),
                ),
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("username", models.CharField(max_length=63, unique=True)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("owner", "Owner"),
                            ("operator", "Operator"),
                            ("analyst", "Analyst"),
                            ("auditor", "Auditor"),
                        ],
                        max_length=16,
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField()),
                ("must_replace_mfa", models.BooleanField(default=False)),
                ("session_epoch", models.PositiveIntegerField(default=0)),
            ],
            options={
                "db_table": "staff",
                "ordering": ("username",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("role__in", ["owner", "operator", "analyst", "auditor"])
                        ),
                        name="staff_role_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("username__regex", "^[a-z0-9][a-z0-9._-]{0,62}$")),
                        name="staff_username_fit",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LoginWindow",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tag",
                        "seconds",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tag", models.BinaryField(max_length=16)),
                ("seconds", models.PositiveIntegerField()),
                ("started_at", models.DateTimeField()),
                ("attempts", models.PositiveIntegerField()),
            ],
            options={
                "db_table": "staff_login_window",
                "indexes": [models.Index(fields=["started_at"], name="staff_login_window_age")],
            },
        ),
        migrations.CreateModel(
            name="TOTPDevice",
            fields=[
                (
                    "name",
                    models.CharField(
                        help_text="The human-readable name of this device.", max_length=64
                    ),
                ),
                (
                    "confirmed",
                    models.BooleanField(default=True, help_text="Is this device ready for use?"),
                ),
                (
                    "throttling_failure_timestamp",
                    models.DateTimeField(
                        blank=True,
                        default=None,
                        help_text="A timestamp of the last failed verification attempt. Null if last attempt succeeded.",
                        null=True,
                    ),
                ),
                (
                    "throttling_failure_count",
                    models.PositiveIntegerField(
                        default=0, help_text="Number of successive failed attempts."
                    ),
                ),
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("sealed_seed", models.BinaryField()),
                ("last_step", models.BigIntegerField(default=-1)),
                ("created_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        help_text="The user that this device belongs to.",
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "staff_totp",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("confirmed", True)),
                        fields=("user",),
                        name="staff_totp_one",
                    )
                ],
            },
        ),
        grant("staff", "SELECT, INSERT, UPDATE"),
        grant("staff_totp", "SELECT, INSERT, UPDATE, DELETE"),
        grant("staff_login_window", "SELECT, INSERT, UPDATE, DELETE"),
        grant("django_session", "SELECT, INSERT, UPDATE, DELETE"),
    ]
