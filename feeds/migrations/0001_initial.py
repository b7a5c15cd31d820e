import django.db.models.deletion
from django.db import migrations, models

from tenants.rls import share


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Feed",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=64, unique=True)),
                ("source", models.CharField(max_length=64)),
                ("url", models.TextField(blank=True)),
                ("path", models.TextField(blank=True)),
                ("options", models.JSONField(default=dict)),
                ("enabled", models.BooleanField()),
                ("every", models.DurationField()),
                ("next_at", models.DateTimeField(db_index=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("new", "New"),
                            ("good", "Good"),
                            ("absent", "Absent"),
                            ("failed", "Failed"),
                            ("held", "Held"),
                        ],
                        default="new",
                        max_length=16,
                    ),
                ),
                ("last_error", models.CharField(blank=True, max_length=64)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("checked_at", models.DateTimeField(null=True)),
                ("etag", models.CharField(blank=True, max_length=256)),
                ("last_modified", models.CharField(blank=True, max_length=64)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "feed",
                "ordering": ("name",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["new", "good", "absent", "failed", "held"])
                        ),
                        name="feed_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("url", ""), ("path", ""), _connector="XOR"),
                        name="feed_at_one_place",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FeedRelease",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("fetched_at", models.DateTimeField()),
                ("as_of", models.DateTimeField(null=True)),
                ("sha256", models.BinaryField(max_length=32)),
                ("body", models.BinaryField(null=True)),
                ("rows", models.PositiveIntegerField()),
                ("counts", models.JSONField()),
                ("rejected", models.JSONField()),
                (
                    "state",
                    models.CharField(choices=[("good", "Good"), ("held", "Held")], max_length=16),
                ),
                (
                    "feed",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="releases",
                        to="feeds.feed",
                    ),
                ),
            ],
            options={
                "db_table": "feed_release",
                "ordering": ("-fetched_at", "-id"),
                "indexes": [
                    models.Index(fields=["feed", "state", "-fetched_at"], name="feed_release_last")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["good", "held"])),
                        name="feed_release_state_known",
                    )
                ],
            },
        ),
        share("feed", app="SELECT, INSERT, UPDATE", database="wisdom"),
        share("feed_release", app="SELECT, INSERT, UPDATE, DELETE", database="wisdom"),
    ]
