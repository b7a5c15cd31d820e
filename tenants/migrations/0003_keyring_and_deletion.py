# Versions of root keys, the deployment's own secret, certificates; a tenant may be deleted.

from django.db import migrations, models

from tenants.rls import isolate, share

STATES = ["active", "suspended", "deleted"]


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0002_members_plans_and_usage"),
    ]

    operations = [
        migrations.AddField(
            model_name="tenantkey",
            name="provider",
            field=models.CharField(db_default="file", default="file", max_length=16),
        ),
        migrations.AddField(
            model_name="tenantkey",
            name="key_id",
            field=models.CharField(db_default="root", default="root", max_length=100),
        ),
        migrations.AddField(
            model_name="tenantkey",
            name="root_version",
            field=models.PositiveIntegerField(db_default=1, default=1),
        ),
        migrations.AddIndex(
            model_name="tenantkey",
            index=models.Index(
                fields=["tenant_id", "provider", "key_id", "root_version"], name="tenant_key_root"
            ),
        ),
        migrations.CreateModel(
            name="RootVersion",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "provider",
                        "key_id",
                        "version",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("provider", models.CharField(max_length=16)),
                ("key_id", models.CharField(max_length=100)),
                ("version", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("decrypt", "Decrypt"),
                            ("primary", "Primary"),
                            ("retired", "Retired"),
                        ],
                        max_length=8,
                    ),
                ),
                ("check_value", models.BinaryField()),
                ("added_at", models.DateTimeField()),
                ("primary_at", models.DateTimeField(null=True)),
                ("rewrapped_at", models.DateTimeField(null=True)),
                ("retired_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "root_version",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "primary")),
                        fields=("state",),
                        name="root_version_one_primary",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["decrypt", "primary", "retired"])),
                        name="root_version_state_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SystemKey",
            fields=[
                ("name", models.CharField(max_length=16, primary_key=True, serialize=False)),
                ("id", models.UUIDField()),
                ("provider", models.CharField(max_length=16)),
                ("key_id", models.CharField(max_length=100)),
                ("root_version", models.PositiveIntegerField()),
                ("wrapped", models.BinaryField()),
                ("check_value", models.BinaryField()),
                ("created_at", models.DateTimeField()),
            ],
            options={"db_table": "system_key"},
        ),
        migrations.CreateModel(
            name="KeyringReader",
            fields=[
                ("process", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("versions", models.JSONField()),
                ("seen_at", models.DateTimeField()),
            ],
            options={"db_table": "keyring_reader"},
        ),
        migrations.CreateModel(
            name="KeyCertificate",
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
                (
                    "purpose",
                    models.CharField(choices=[("wrap", "Wrap"), ("index", "Index")], max_length=8),
                ),
                ("digest", models.BinaryField()),
                ("destroyed_at", models.DateTimeField()),
                ("actor", models.CharField(max_length=200)),
                ("reason", models.CharField(max_length=1024)),
            ],
            options={"db_table": "key_certificate"},
        ),
        migrations.AlterField(
            model_name="tenant",
            name="state",
            field=models.CharField(
                choices=[(each, each.capitalize()) for each in STATES],
                default="active",
                max_length=16,
            ),
        ),
        migrations.RemoveConstraint(model_name="tenant", name="tenant_state_known"),
        migrations.AddConstraint(
            model_name="tenant",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", STATES)), name="tenant_state_known"
            ),
        ),
        share("root_version", app="SELECT, INSERT, UPDATE", database="keys"),
        share("system_key", app="SELECT, INSERT, UPDATE", database="keys"),
        share("keyring_reader", app="SELECT, INSERT, UPDATE, DELETE", database="keys"),
        isolate("key_certificate", app="SELECT, INSERT", database="keys"),
        migrations.RunSQL(
            sql="GRANT DELETE ON data_key TO tawny_app;",
            reverse_sql="REVOKE DELETE ON data_key FROM tawny_app;",
            hints={"database": "default"},
        ),
    ]
