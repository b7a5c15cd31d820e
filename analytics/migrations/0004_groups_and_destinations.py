# What a tenant configures about its network, and the daily summaries of what it contacted.

from django.db import migrations, models

from tenants.rls import isolate


def composite(*fields):
    return models.CompositePrimaryKey(
        *fields, blank=True, editable=False, primary_key=True, serialize=False
    )


class Migration(migrations.Migration):
    dependencies = [("analytics", "0003_raw_parts")]

    operations = [
        migrations.CreateModel(
            name="MonitoringGroups",
            fields=[
                ("tenant_id", models.UUIDField(primary_key=True, serialize=False)),
                ("schema", models.PositiveSmallIntegerField()),
                ("groups", models.PositiveIntegerField()),
                ("entries", models.PositiveIntegerField()),
                ("changed_at", models.DateTimeField()),
                ("sealed", models.BinaryField()),
            ],
            options={"db_table": "monitoring_groups"},
        ),
        migrations.CreateModel(
            name="DestinationSummary",
            fields=[
                ("pk", composite("tenant_id", "day", "shard")),
                ("tenant_id", models.UUIDField()),
                ("day", models.DateField()),
                ("shard", models.PositiveSmallIntegerField()),
                ("schema", models.PositiveSmallIntegerField()),
                ("rows", models.PositiveIntegerField()),
                ("omitted", models.PositiveIntegerField()),
                ("stored_at", models.DateTimeField()),
                ("sealed", models.BinaryField()),
            ],
            options={"db_table": "destination_summary"},
        ),
        migrations.CreateModel(
            name="DestinationDay",
            fields=[
                ("pk", composite("tenant_id", "day")),
                ("tenant_id", models.UUIDField()),
                ("day", models.DateField()),
                ("place", models.BigIntegerField()),
            ],
            options={
                "db_table": "destination_day",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant_id", "place"), name="destination_day_place"
                    )
                ],
            },
        ),
        isolate("monitoring_groups", app="SELECT, INSERT, UPDATE, DELETE"),
        isolate("destination_summary", app="SELECT, INSERT, UPDATE, DELETE"),
        isolate("destination_day", app="SELECT, INSERT, DELETE"),
    ]
