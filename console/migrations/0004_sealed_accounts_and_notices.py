# A role for sealed accounts, from when an owner counts as a second person, alarms for everybody.

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def grant(table):
    return migrations.RunSQL(
        sql=f"""
            GRANT SELECT, INSERT ON {table} TO tawny_app;
            GRANT SELECT ON {table} TO tawny_backup;
        """,
        reverse_sql=f"REVOKE ALL ON {table} FROM tawny_app, tawny_backup;",
        hints={"database": "default"},
    )


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0003_passkeys"),
    ]

    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("words", models.CharField(max_length=300)),
                ("raised_at", models.DateTimeField()),
            ],
            options={
                "db_table": "staff_notice",
            },
        ),
        migrations.CreateModel(
            name="NoticeSeen",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "notice_id",
                        "staff_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "notice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="seen",
                        to="console.notice",
                    ),
                ),
                (
                    "staff",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("at", models.DateTimeField()),
            ],
            options={
                "db_table": "staff_notice_seen",
            },
        ),
        migrations.RemoveConstraint(
            model_name="staff",
            name="staff_role_known",
        ),
        migrations.AddField(
            model_name="staff",
            name="vouches_from",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="staff",
            name="role",
            field=models.CharField(
                choices=[
                    ("owner", "Owner"),
                    ("operator", "Operator"),
                    ("analyst", "Analyst"),
                    ("auditor", "Auditor"),
                    ("sealed", "Sealed"),
                ],
                max_length=16,
            ),
        ),
        migrations.AddConstraint(
            model_name="staff",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("role__in", ["owner", "operator", "analyst", "auditor", "sealed"])
                ),
                name="staff_role_known",
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(fields=["raised_at"], name="staff_notice_recent"),
        ),
        grant("staff_notice"),
        grant("staff_notice_seen"),
    ]
