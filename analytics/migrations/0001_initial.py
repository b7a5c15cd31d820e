# The engine's tables. Those that grow are partitioned by receipt day: a UUIDv7 begins with the
# millisecond it was made in, so a range of ids is a range of days, and (tenant_id, id) stays the key.

from django.db import migrations, models

from tenants.rls import isolate, partition


def composite(*fields):
    return models.CompositePrimaryKey(
        *fields, blank=True, editable=False, primary_key=True, serialize=False
    )


def partitioned(name, table, columns, fields, index):
    """A table by hand, for the partitioning, and its model in Django's state."""
    return migrations.SeparateDatabaseAndState(
        database_operations=[
            migrations.RunSQL(
                f"""
                CREATE TABLE {table} (
                    tenant_id uuid NOT NULL, id uuid NOT NULL, {columns},
                    PRIMARY KEY (tenant_id, id)
                ) PARTITION BY RANGE (id);
                CREATE INDEX {table}_by ON {table} (tenant_id, {index});
                """,
                f"DROP TABLE {table};",
                hints={"database": "default"},
            ),
        ],
        state_operations=[
            migrations.CreateModel(
                name=name,
                fields=[
                    ("pk", composite("tenant_id", "id")),
                    ("tenant_id", models.UUIDField()),
                    ("id", models.UUIDField()),
                    *fields,
                ],
                options={"db_table": table},
            ),
        ],
    )


WINDOWED = [
    ("kind", models.CharField(max_length=8)),
    ("shard", models.PositiveSmallIntegerField()),
    ("start", models.DateTimeField()),
]
WINDOWED_COLUMNS = "kind varchar(8) NOT NULL, shard smallint NOT NULL, start timestamptz NOT NULL"


class Migration(migrations.Migration):
    initial = True
    dependencies = [("tenants", "0001_initial")]

    operations = [
        partitioned(
            "InboxPart",
            "inbox_part",
            "work_id uuid NOT NULL, part integer NOT NULL, kind varchar(8) NOT NULL, "
            "schema smallint NOT NULL, events integer NOT NULL, sealed bytea NOT NULL",
            [
                ("work_id", models.UUIDField()),
                ("part", models.PositiveIntegerField()),
                ("kind", models.CharField(max_length=8)),
                ("schema", models.PositiveSmallIntegerField()),
                ("events", models.PositiveIntegerField()),
                ("sealed", models.BinaryField()),
            ],
            "work_id, part",
        ),
        partitioned(
            "IdentityRun",
            "identity_run",
            f"{WINDOWED_COLUMNS}, rows integer NOT NULL, sealed bytea NOT NULL",
            [
                *WINDOWED,
                ("rows", models.PositiveIntegerField()),
                ("sealed", models.BinaryField()),
            ],
            "kind, shard, start",
        ),
        partitioned(
            "Segment",
            "segment",
            f"{WINDOWED_COLUMNS}, schema smallint NOT NULL, rows integer NOT NULL, "
            "sealed bytea NOT NULL",
            [
                *WINDOWED,
                ("schema", models.PositiveSmallIntegerField()),
                ("rows", models.PositiveIntegerField()),
                ("sealed", models.BinaryField()),
            ],
            "kind, shard, start",
        ),
        migrations.CreateModel(
            name="Stream",
            fields=[
                ("pk", composite("tenant_id", "kind")),
                ("tenant_id", models.UUIDField()),
                ("kind", models.CharField(max_length=8)),
                ("newest", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
            ],
            options={"db_table": "stream"},
        ),
        migrations.CreateModel(
            name="Window",
            fields=[
                ("pk", composite("tenant_id", "kind", "shard", "start")),
                ("tenant_id", models.UUIDField()),
                ("kind", models.CharField(max_length=8)),
                ("shard", models.PositiveSmallIntegerField()),
                ("start", models.DateTimeField()),
                ("generation", models.BigIntegerField(default=0)),
                ("events", models.BigIntegerField(default=0)),
            ],
            options={"db_table": "series_window"},
        ),
        migrations.CreateModel(
            name="EvaluationDay",
            fields=[
                ("pk", composite("tenant_id", "shard", "day")),
                ("tenant_id", models.UUIDField()),
                ("shard", models.PositiveSmallIntegerField()),
                ("day", models.DateField()),
                ("generation", models.BigIntegerField(default=0)),
                ("evaluated", models.BigIntegerField(default=0)),
                ("dirty_since", models.DateTimeField(null=True)),
                ("work_id", models.UUIDField(null=True)),
                ("owed", models.BooleanField(default=False)),
            ],
            options={"db_table": "evaluation_day"},
        ),
        migrations.CreateModel(
            name="SourceSketch",
            fields=[
                ("pk", composite("tenant_id", "day", "shard")),
                ("tenant_id", models.UUIDField()),
                ("day", models.DateField()),
                ("shard", models.PositiveSmallIntegerField()),
                ("sealed", models.BinaryField()),
            ],
            options={"db_table": "source_sketch"},
        ),
        migrations.CreateModel(
            name="Alert",
            fields=[
                ("pk", composite("tenant_id", "id")),
                ("tenant_id", models.UUIDField()),
                ("id", models.UUIDField()),
                ("detection", models.CharField(max_length=64)),
                ("severity", models.PositiveSmallIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("withdrawn", "Withdrawn")],
                        default="open",
                        max_length=16,
                    ),
                ),
                ("day", models.DateField()),
                ("shard", models.PositiveSmallIntegerField()),
                ("source_index", models.BinaryField(max_length=16)),
                ("destination_index", models.BinaryField(max_length=16)),
                ("content_digest", models.BinaryField(max_length=32)),
                ("opened_at", models.DateTimeField()),
                ("sealed", models.BinaryField()),
            ],
            options={
                "db_table": "alert",
                "indexes": [
                    models.Index(fields=["tenant_id", "day", "shard"], name="alert_day"),
                    models.Index(fields=["tenant_id", "source_index"], name="alert_source"),
                    models.Index(
                        fields=["tenant_id", "destination_index"], name="alert_destination"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["open", "withdrawn"])),
                        name="alert_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("severity__gte", 1), ("severity__lte", 5)),
                        name="alert_severity_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AlertChange",
            fields=[
                ("pk", composite("tenant_id", "id")),
                ("tenant_id", models.UUIDField()),
                ("id", models.UUIDField()),
                ("alert_id", models.UUIDField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("opened", "Opened"),
                            ("raised", "Raised"),
                            ("updated", "Updated"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        max_length=16,
                    ),
                ),
                ("severity", models.PositiveSmallIntegerField()),
                ("seq", models.BigIntegerField(null=True)),
            ],
            options={
                "db_table": "alert_change",
                "constraints": [
                    models.UniqueConstraint(fields=("tenant_id", "seq"), name="alert_change_seq")
                ],
            },
        ),
        migrations.CreateModel(
            name="AlertSequence",
            fields=[
                ("pk", composite("tenant_id", "epoch")),
                ("tenant_id", models.UUIDField()),
                ("epoch", models.PositiveIntegerField(default=1)),
                ("last", models.BigIntegerField(default=0)),
            ],
            options={"db_table": "alert_sequence"},
        ),
        migrations.RunSQL(
            """
            ALTER TABLE alert_change ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();
            ALTER TABLE alert_change ADD CONSTRAINT alert_change_alert
                FOREIGN KEY (tenant_id, alert_id) REFERENCES alert (tenant_id, id)
                ON DELETE CASCADE;
            CREATE INDEX alert_change_waiting ON alert_change (tenant_id, xid, id)
                WHERE seq IS NULL;
            """,
            """
            ALTER TABLE alert_change DROP CONSTRAINT alert_change_alert;
            ALTER TABLE alert_change DROP COLUMN xid;
            """,
            hints={"database": "default"},
        ),
        partition("inbox_part"),
        partition("identity_run"),
        partition("segment"),
        isolate("inbox_part", app="SELECT, INSERT, DELETE"),
        isolate("identity_run", app="SELECT, INSERT, DELETE"),
        isolate("segment", app="SELECT, INSERT, DELETE"),
        isolate("stream", app="SELECT, INSERT, UPDATE"),
        isolate("series_window", app="SELECT, INSERT, UPDATE, DELETE"),
        isolate("evaluation_day", app="SELECT, INSERT, UPDATE, DELETE"),
        isolate("source_sketch", app="SELECT, INSERT, UPDATE, DELETE"),
        isolate("alert", app="SELECT, INSERT, UPDATE, DELETE"),
        isolate("alert_change", app="SELECT, INSERT, UPDATE, DELETE"),
        isolate("alert_sequence", app="SELECT, INSERT, UPDATE"),
    ]
