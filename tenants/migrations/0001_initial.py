# The first migration: roles' privileges, forced row-level security, keys, work.

import django.db.models.deletion
from django.db import migrations, models

from tenants.rls import isolate, share


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Tenant",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=200, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("active", "Active"), ("suspended", "Suspended")],
                        default="active",
                        max_length=16,
                    ),
                ),
                ("created_at", models.DateTimeField()),
            ],
            options={"db_table": "tenant", "ordering": ("name",)},
        ),
        migrations.AddConstraint(
            model_name="tenant",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["active", "suspended"])),
                name="tenant_state_known",
            ),
        ),
        migrations.CreateModel(
            name="KeyIndex",
            fields=[
                ("id", models.CharField(max_length=12, primary_key=True, serialize=False)),
                ("label", models.CharField(blank=True, max_length=100)),
                ("pepper", models.PositiveSmallIntegerField()),
                ("mac", models.BinaryField(max_length=32)),
                ("scopes", models.JSONField()),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="keys",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={"db_table": "key_index", "ordering": ("tenant_id", "created_at")},
        ),
        migrations.CreateModel(
            name="Work",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("tenant_id", models.UUIDField()),
                ("queue", models.CharField(max_length=16)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("leased", "Leased"),
                            ("done", "Done"),
                            ("dead", "Dead"),
                        ],
                        default="pending",
                        max_length=8,
                    ),
                ),
                ("due_at", models.DateTimeField()),
                ("lease_until", models.DateTimeField(null=True)),
                ("token", models.BigIntegerField(default=0)),
                ("attempt", models.PositiveSmallIntegerField(default=0)),
                ("events", models.PositiveIntegerField(default=0)),
                ("error", models.CharField(blank=True, max_length=64)),
                ("created_at", models.DateTimeField()),
                ("offered_at", models.DateTimeField(null=True)),
                ("done_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "work",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ("pending", "leased"))),
                        fields=["queue", "due_at"],
                        name="work_unfinished",
                    ),
                    models.Index(fields=["tenant_id", "queue", "state"], name="work_of_tenant"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["pending", "leased", "done", "dead"])),
                        name="work_state_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TenantKey",
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
                ("version", models.PositiveIntegerField()),
                ("wrapped", models.BinaryField()),
                ("check_value", models.BinaryField()),
                ("created_at", models.DateTimeField()),
                ("destroyed_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "tenant_key",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant_id", "purpose", "version"), name="tenant_key_version"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DataKey",
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
                ("series_class", models.CharField(max_length=16)),
                ("epoch", models.IntegerField()),
                ("under", models.UUIDField()),
                ("wrapped", models.BinaryField()),
                ("check_value", models.BinaryField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "data_key",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant_id", "series_class", "epoch"), name="data_key_epoch"
                    )
                ],
            },
        ),
        share("tenant", app="SELECT, INSERT, UPDATE"),
        share("key_index", app="SELECT, INSERT, UPDATE"),
        share("work", app="SELECT, INSERT, UPDATE, DELETE"),
        isolate("tenant_key", app="SELECT, INSERT, UPDATE", database="keys"),
        isolate("data_key", app="SELECT, INSERT"),
    ]
