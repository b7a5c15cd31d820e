"""What is kept for ever of leaves that retention took away: an epoch's bounds and the tree there.

Only the owner writes these tables, because only the owner can drop a partition; the application
reads them. ``audit_edge`` completes each retired checkpoint to the next multiple of 256 leaves,
from where the stored nodes go on, so that a checkpoint of any size stays provable.
"""

from django.db import migrations, models

EPOCHS = """
CREATE TABLE audit_epoch (
    start bigint PRIMARY KEY CHECK (start >= 0 AND start % 256 = 0),
    stop bigint NOT NULL UNIQUE CHECK (stop > start AND stop % 256 = 0),
    nodes bytea NOT NULL,
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    sealed_at timestamptz NOT NULL,
    archive text NOT NULL,
    archive_digest bytea NOT NULL CHECK (octet_length(archive_digest) IN (0, 32))
);
CREATE TABLE audit_edge (
    size bigint PRIMARY KEY CHECK (size > 0),
    hashes bytea NOT NULL CHECK (octet_length(hashes) % 32 = 0)
);
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_epoch
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_epoch
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_edge
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_edge
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
GRANT SELECT ON audit_epoch, audit_edge TO tawny_app;
"""

STATE = [
    migrations.CreateModel(
        name="Epoch",
        fields=[
            ("start", models.BigIntegerField(primary_key=True, serialize=False)),
            ("stop", models.BigIntegerField(unique=True)),
            ("nodes", models.BinaryField()),
            ("root", models.BinaryField()),
            ("first_at", models.DateTimeField()),
            ("last_at", models.DateTimeField()),
            ("sealed_at", models.DateTimeField()),
            ("archive", models.TextField()),
            ("archive_digest", models.BinaryField()),
        ],
        options={"db_table": "audit_epoch"},
    ),
    migrations.CreateModel(
        name="Edge",
        fields=[
            ("size", models.BigIntegerField(primary_key=True, serialize=False)),
            ("hashes", models.BinaryField()),
        ],
        options={"db_table": "audit_edge"},
    ),
]


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_nodes")]
    operations = [
        migrations.RunSQL(
            EPOCHS,
            "DROP TABLE audit_epoch, audit_edge",
            state_operations=STATE,
            hints={"databases": ("default", "wisdom")},
        ),
    ]
