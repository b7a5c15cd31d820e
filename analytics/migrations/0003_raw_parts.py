# An inbox part may hold the request's own JSON (its `schema` says so), so the worker is who meets the
# fields that no event has; they are counted here.

from django.db import migrations, models

from tenants.rls import isolate


class Migration(migrations.Migration):
    dependencies = [("analytics", "0002_partitions")]

    operations = [
        migrations.CreateModel(
            name="IgnoredFields",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "day",
                        "kind",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("day", models.DateField()),
                ("kind", models.CharField(max_length=8)),
                ("sealed", models.BinaryField()),
            ],
            options={"db_table": "ignored_fields"},
        ),
        isolate("ignored_fields", app="SELECT, INSERT, UPDATE, DELETE"),
    ]
