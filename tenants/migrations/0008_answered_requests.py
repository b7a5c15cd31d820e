# What was answered to requests that may come again.

from django.db import migrations, models

from tenants.rls import isolate


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0007_message_counts_and_secrets"),
    ]

    operations = [
        migrations.CreateModel(
            name="AnsweredRequest",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "tag",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("tag", models.BinaryField(max_length=16)),
                ("digest", models.BinaryField(max_length=32)),
                ("answer", models.BinaryField()),
                ("answered_at", models.DateTimeField()),
            ],
            options={
                "db_table": "answered_request",
                "indexes": [
                    models.Index(fields=["tenant_id", "answered_at"], name="answered_request_age")
                ],
            },
        ),
        isolate("answered_request", app="SELECT, INSERT, UPDATE, DELETE"),
    ]
