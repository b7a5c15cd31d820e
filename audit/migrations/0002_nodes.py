"""Inner nodes of the tree, so that proofs cost a few reads. They name no tenant and are no evidence.

The application adds them as the sequencer and changes none.
"""

from django.db import migrations, models

NODES = """
CREATE TABLE audit_node (
    level smallint NOT NULL CHECK (level > 0 AND level % 8 = 0),
    idx bigint NOT NULL CHECK (idx >= 0),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (level, idx)
);
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_node
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_node
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
GRANT SELECT, INSERT ON audit_node TO tawny_app;
"""

STATE = [
    migrations.CreateModel(
        name="Node",
        fields=[
            (
                "pk",
                models.CompositePrimaryKey(
                    "level", "idx", blank=True, editable=False, primary_key=True, serialize=False
                ),
            ),
            ("level", models.SmallIntegerField()),
            ("idx", models.BigIntegerField()),
            ("hash", models.BinaryField()),
        ],
        options={"db_table": "audit_node"},
    ),
]


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [
        migrations.RunSQL(
            NODES,
            "DROP TABLE audit_node",
            state_operations=STATE,
            hints={"databases": ("default", "wisdom")},
        ),
    ]
