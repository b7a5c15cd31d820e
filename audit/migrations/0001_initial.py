"""The audit tables, in SQL: Django knows neither partitions nor policies nor triggers.

Role names are fixed (contracts). ``tawny_app`` may insert and read; it may update the minute
counts, the head and the cursor, which are working state and no evidence. The triggers that refuse
UPDATE, DELETE and TRUNCATE are hygiene: a superuser can switch them off. The evidence is the tree
and the checkpoints that lie elsewhere.

``audit_partitions(day, days)`` makes partitions ahead. It runs with its owner's rights, because
``tawny_app`` owns nothing; it can only add, names nothing that its caller chose, and waits at most
two seconds for a lock. A day whose partition was not made in time lands in the default partition.
"""

from django.db import migrations, models

import audit.models

SCOPE = "(SELECT nullif(current_setting('app.tenant', true), '')::uuid)"
READS = "(SELECT coalesce(current_setting('app.audit', true), '') IN ('reader', 'sequencer'))"
APPENDS = "(SELECT coalesce(current_setting('app.audit', true), '') = 'sequencer')"

TABLES = """
CREATE TABLE audit_stage (
    id uuid PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    tenant uuid,
    event text NOT NULL,
    actor_kind text NOT NULL,
    actor_id text NOT NULL,
    resource text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('success', 'denied', 'failure')),
    reason text NOT NULL,
    request_id text NOT NULL,
    detail jsonb NOT NULL CHECK (jsonb_typeof(detail) = 'object'),
    occurred_at timestamptz NOT NULL,
    schema smallint NOT NULL
) PARTITION BY RANGE (id);
CREATE TABLE audit_stage_default PARTITION OF audit_stage DEFAULT;
CREATE INDEX audit_stage_order ON audit_stage (xid, id);

CREATE TABLE audit_taken (
    stage uuid PRIMARY KEY
) PARTITION BY RANGE (stage);
CREATE TABLE audit_taken_default PARTITION OF audit_taken DEFAULT;

CREATE TABLE audit_tally (
    tenant uuid NOT NULL,
    actor_kind text NOT NULL,
    actor_id text NOT NULL,
    event text NOT NULL,
    minute timestamptz NOT NULL,
    calls bigint NOT NULL CHECK (calls >= 0),
    items bigint NOT NULL CHECK (items >= 0),
    emitted_calls bigint NOT NULL DEFAULT 0,
    emitted_items bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, actor_kind, actor_id, event, minute),
    CHECK (emitted_calls BETWEEN 0 AND calls AND emitted_items BETWEEN 0 AND items)
) PARTITION BY RANGE (minute);
CREATE TABLE audit_tally_default PARTITION OF audit_tally DEFAULT;
CREATE INDEX audit_tally_due ON audit_tally (minute)
    WHERE calls > emitted_calls OR items > emitted_items;

CREATE TABLE audit_log (
    idx bigint PRIMARY KEY CHECK (idx >= 0),
    leaf bytea NOT NULL,
    leaf_hash bytea NOT NULL CHECK (octet_length(leaf_hash) = 32),
    stage uuid NOT NULL,
    tenant uuid,
    event text NOT NULL,
    occurred_at timestamptz NOT NULL
) PARTITION BY RANGE (idx);
CREATE TABLE audit_log_default PARTITION OF audit_log DEFAULT;
CREATE INDEX audit_log_tenant ON audit_log (tenant, idx) WHERE tenant IS NOT NULL;

CREATE TABLE audit_head (
    id smallint PRIMARY KEY CHECK (id = 1),
    size bigint NOT NULL CHECK (size >= 0),
    nodes bytea NOT NULL
);

CREATE TABLE audit_cursor (
    source text PRIMARY KEY,
    cluster text NOT NULL,
    xid xid8 NOT NULL,
    stage uuid NOT NULL
);

CREATE TABLE audit_checkpoint (
    size bigint PRIMARY KEY CHECK (size > 0),
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    nodes bytea NOT NULL,
    note text NOT NULL,
    signed_at timestamptz NOT NULL
);
"""

POLICIES = f"""
ALTER TABLE audit_stage ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_stage FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_tally ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_tally FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;

-- Whoever is in a tenant's scope writes that tenant or none; outside every scope a row about any
-- tenant can be written and not read.
CREATE POLICY audit_stage_insert ON audit_stage FOR INSERT
    WITH CHECK (tenant IS NULL OR tenant = {SCOPE} OR {SCOPE} IS NULL OR {APPENDS});
CREATE POLICY audit_stage_select ON audit_stage FOR SELECT USING (tenant = {SCOPE} OR {READS});

CREATE POLICY audit_tally_own ON audit_tally FOR ALL
    USING (tenant = coalesce({SCOPE}, '00000000-0000-0000-0000-000000000000'))
    WITH CHECK (tenant = coalesce({SCOPE}, '00000000-0000-0000-0000-000000000000'));
CREATE POLICY audit_tally_select ON audit_tally FOR SELECT USING ({READS});
CREATE POLICY audit_tally_emit ON audit_tally FOR UPDATE USING ({APPENDS}) WITH CHECK ({APPENDS});

CREATE POLICY audit_log_insert ON audit_log FOR INSERT WITH CHECK ({APPENDS});
CREATE POLICY audit_log_select ON audit_log FOR SELECT USING (tenant = {SCOPE} OR {READS});
"""

TRIGGERS = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.calls < OLD.calls OR NEW.items < OLD.items
        OR NEW.emitted_calls < OLD.emitted_calls OR NEW.emitted_items < OLD.emitted_items THEN
        RAISE EXCEPTION 'a count of the audit log only grows'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_stage
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_taken
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_checkpoint
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_only_grows BEFORE UPDATE ON audit_tally
    FOR EACH ROW EXECUTE FUNCTION audit_only_grows();
CREATE TRIGGER audit_append_only BEFORE DELETE ON audit_tally
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'audit_stage', 'audit_stage_default', 'audit_taken', 'audit_taken_default',
        'audit_tally', 'audit_tally_default', 'audit_log', 'audit_log_default', 'audit_checkpoint']
    LOOP
        EXECUTE format('CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()', name);
    END LOOP;
    -- A partition that is asked directly shows nothing: it has no policy of its own.
    FOREACH name IN ARRAY ARRAY['audit_stage_default', 'audit_tally_default', 'audit_log_default']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    END LOOP;
END $$;
"""

PARTITIONS = """
CREATE FUNCTION audit_first_id(day date) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((day - date '1970-01-01')::bigint * 86400000), 12, '0')
            || repeat('0', 20))::uuid
$$;

CREATE FUNCTION audit_partition(parent text, suffix text, low text, high text)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    name text := parent || '_' || suffix;
BEGIN
    IF to_regclass(format('%I', name)) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', name, parent);
    EXECUTE format('CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON %I
                    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()', name);
    IF parent <> 'audit_taken' THEN
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    END IF;
    -- ATTACH, unlike PARTITION OF, leaves the parent open for inserts meanwhile.
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   parent, name, low, high);
    RETURN true;
EXCEPTION WHEN check_violation THEN
    RETURN false;  -- the default partition already holds rows of this range: they stay there
END $$;

CREATE FUNCTION audit_partitions(today date, days integer)
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s' SET timezone = 'UTC' AS $$
DECLARE
    day date;
    epoch bigint;
    made integer := 0;
BEGIN
    IF days NOT BETWEEN 1 AND 60 THEN
        RAISE EXCEPTION 'days is between 1 and 60';
    END IF;
    FOR day IN SELECT today + step FROM generate_series(0, days - 1) AS step LOOP
        made := made + audit_partition('audit_stage', to_char(day, 'YYYYMMDD'),
            audit_first_id(day)::text, audit_first_id(day + 1)::text)::integer;
        made := made + audit_partition('audit_taken', to_char(day, 'YYYYMMDD'),
            audit_first_id(day)::text, audit_first_id(day + 1)::text)::integer;
        made := made + audit_partition('audit_tally', to_char(day, 'YYYYMMDD'),
            day::text, (day + 1)::text)::integer;
    END LOOP;
    -- A partition of the log is 2^20 leaves: a perfect subtree, one hash once it is deleted.
    FOR epoch IN
        SELECT (coalesce((SELECT size FROM audit_head), 0) >> 20) + step
        FROM generate_series(0, 1) AS step
    LOOP
        made := made + audit_partition('audit_log', lpad(epoch::text, 8, '0'),
            (epoch << 20)::text, ((epoch + 1) << 20)::text)::integer;
    END LOOP;
    RETURN made;
END $$;
REVOKE EXECUTE ON FUNCTION audit_partitions(date, integer) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION audit_partition(text, text, text, text) FROM PUBLIC;
SELECT audit_partitions((now() AT TIME ZONE 'UTC')::date, 8);
"""

GRANTS = """
GRANT SELECT, INSERT (id, tenant, event, actor_kind, actor_id, resource, outcome, reason,
                      request_id, detail, occurred_at, schema) ON audit_stage TO tawny_app;
GRANT SELECT, INSERT, UPDATE (calls, items, emitted_calls, emitted_items)
    ON audit_tally TO tawny_app;
GRANT SELECT, INSERT ON audit_taken, audit_log, audit_checkpoint TO tawny_app;
GRANT SELECT, INSERT, UPDATE (size, nodes) ON audit_head TO tawny_app;
GRANT SELECT, INSERT, UPDATE (cluster, xid, stage) ON audit_cursor TO tawny_app;
GRANT EXECUTE ON FUNCTION audit_partitions(date, integer) TO tawny_app;
"""

DROP = """
DROP TABLE audit_stage, audit_taken, audit_tally, audit_log, audit_head, audit_cursor,
    audit_checkpoint;
DROP FUNCTION audit_partitions, audit_partition, audit_first_id, audit_refuse, audit_only_grows;
"""


STATE = [
    migrations.CreateModel(
        name="Checkpoint",
        fields=[
            ("size", models.BigIntegerField(primary_key=True, serialize=False)),
            ("root", models.BinaryField()),
            ("nodes", models.BinaryField()),
            ("note", models.TextField()),
            ("signed_at", models.DateTimeField()),
        ],
        options={
            "db_table": "audit_checkpoint",
        },
    ),
    migrations.CreateModel(
        name="Cursor",
        fields=[
            ("source", models.TextField(primary_key=True, serialize=False)),
            ("cluster", models.TextField()),
            ("xid", audit.models.XidField()),
            ("stage", models.UUIDField()),
        ],
        options={
            "db_table": "audit_cursor",
        },
    ),
    migrations.CreateModel(
        name="Entry",
        fields=[
            ("idx", models.BigIntegerField(primary_key=True, serialize=False)),
            ("leaf", models.BinaryField()),
            ("leaf_hash", models.BinaryField()),
            ("stage", models.UUIDField()),
            ("tenant", models.UUIDField(null=True)),
            ("event", models.TextField()),
            ("occurred_at", models.DateTimeField()),
        ],
        options={
            "db_table": "audit_log",
        },
    ),
    migrations.CreateModel(
        name="Head",
        fields=[
            ("id", models.SmallIntegerField(primary_key=True, serialize=False)),
            ("size", models.BigIntegerField()),
            ("nodes", models.BinaryField()),
        ],
        options={
            "db_table": "audit_head",
        },
    ),
    migrations.CreateModel(
        name="Staged",
        fields=[
            ("id", models.UUIDField(primary_key=True, serialize=False)),
            ("xid", audit.models.XidField(editable=False)),
            ("tenant", models.UUIDField(null=True)),
            ("event", models.TextField()),
            ("actor_kind", models.TextField()),
            ("actor_id", models.TextField()),
            ("resource", models.TextField()),
            ("outcome", models.TextField()),
            ("reason", models.TextField()),
            ("request_id", models.TextField()),
            ("detail", models.JSONField()),
            ("occurred_at", models.DateTimeField()),
            ("schema", models.SmallIntegerField()),
        ],
        options={
            "db_table": "audit_stage",
        },
    ),
    migrations.CreateModel(
        name="Taken",
        fields=[
            ("stage", models.UUIDField(primary_key=True, serialize=False)),
        ],
        options={
            "db_table": "audit_taken",
        },
    ),
    migrations.CreateModel(
        name="Tally",
        fields=[
            (
                "pk",
                models.CompositePrimaryKey(
                    "tenant",
                    "actor_kind",
                    "actor_id",
                    "event",
                    "minute",
                    blank=True,
                    editable=False,
                    primary_key=True,
                    serialize=False,
                ),
            ),
            ("tenant", models.UUIDField()),
            ("actor_kind", models.TextField()),
            ("actor_id", models.TextField()),
            ("event", models.TextField()),
            ("minute", models.DateTimeField()),
            ("calls", models.BigIntegerField()),
            ("items", models.BigIntegerField()),
            ("emitted_calls", models.BigIntegerField(default=0)),
            ("emitted_items", models.BigIntegerField(default=0)),
        ],
        options={
            "db_table": "audit_tally",
        },
    ),
]


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL(
            [TABLES, POLICIES, TRIGGERS, PARTITIONS, GRANTS],
            DROP,
            state_operations=STATE,
            hints={"databases": ("default", "wisdom")},
        ),
    ]
