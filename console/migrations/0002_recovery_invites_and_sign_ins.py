# Recovery codes, invitations, and sessions as their owners see them.
#
# Granted to the role that serves and to the backup: hashes, keyed hashes and no session key.

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
    dependencies = [("console", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Invite",
            fields=[
                (
                    "staff",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("mac", models.BinaryField(max_length=32, unique=True)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
            ],
            options={
                "db_table": "staff_invite",
            },
        ),
        migrations.CreateModel(
            name="RecoveryCode",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("selector", models.CharField(max_length=2)),
                ("hash", models.CharField(max_length=128)),
                ("used_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "staff_recovery_code",
            },
        ),
        migrations.CreateModel(
            name="RecoverySheet",
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
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "staff_recovery_sheet",
            },
        ),
        migrations.CreateModel(
            name="SignIn",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("device", models.CharField(max_length=64)),
                ("network", models.CharField(max_length=64)),
                ("browser", models.CharField(max_length=64)),
                ("begun_at", models.DateTimeField()),
                ("used_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "staff_sign_in",
            },
        ),
        migrations.AddField(
            model_name="staff",
            name="enrolled_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="staff",
            name="recovered_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="staff",
            name="theme",
            field=models.CharField(
                blank=True,
                choices=[("", "System"), ("light", "Light"), ("dark", "Dark")],
                default="",
                max_length=5,
            ),
        ),
        migrations.AddConstraint(
            model_name="staff",
            constraint=models.CheckConstraint(
                condition=models.Q(("theme__in", ["", "light", "dark"])), name="staff_theme_known"
            ),
        ),
        migrations.AddField(
            model_name="recoverysheet",
            name="user",
            field=models.ForeignKey(
                help_text="The user that this device belongs to.",
                on_delete=django.db.models.deletion.CASCADE,
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="recoverycode",
            name="sheet",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="codes",
                to="console.recoverysheet",
            ),
        ),
        migrations.AddField(
            model_name="signin",
            name="staff",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="sign_ins",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="recoverysheet",
            constraint=models.UniqueConstraint(fields=("user",), name="staff_recovery_sheet_one"),
        ),
        migrations.AddConstraint(
            model_name="recoverycode",
            constraint=models.UniqueConstraint(
                fields=("sheet", "selector"), name="staff_recovery_code_selector"
            ),
        ),
        migrations.AddIndex(
            model_name="signin",
            index=models.Index(fields=["staff", "begun_at"], name="staff_sign_in_recent"),
        ),
        # Whoever is there was made in a shell, with an authenticator.
        migrations.RunSQL(
            sql="UPDATE staff SET enrolled_at = created_at",
            reverse_sql=migrations.RunSQL.noop,
            hints={"database": "default"},
        ),
        grant("staff_invite", "SELECT, INSERT, UPDATE, DELETE"),
        grant("staff_recovery_sheet", "SELECT, INSERT, DELETE, UPDATE"),
        grant("staff_recovery_code", "SELECT, INSERT, UPDATE, DELETE"),
        grant("staff_sign_in", "SELECT, INSERT, UPDATE, DELETE"),
    ]
