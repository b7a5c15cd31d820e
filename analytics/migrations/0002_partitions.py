# Partitions by receipt day, made ahead and dropped when empty by functions of the owner's, so that
# the application's role needs no right to change the schema. Neither function can lose a row.

from django.db import migrations

FUNCTIONS = """
CREATE FUNCTION series_first_id(day date) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((day - DATE '1970-01-01')::bigint * 86400000), 12, '0')
            || repeat('0', 20))::uuid
$$;

CREATE FUNCTION series_partitions(today date, days integer)
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s' SET timezone = 'UTC' AS $$
DECLARE
    day date;
    parent text;
    part text;
    made integer := 0;
BEGIN
    IF days NOT BETWEEN 1 AND 60 THEN
        RAISE EXCEPTION 'days is between 1 and 60';
    END IF;
    FOREACH parent IN ARRAY ARRAY['inbox_part', 'identity_run', 'segment'] LOOP
        FOR day IN SELECT today + step FROM generate_series(0, days - 1) AS step LOOP
            part := parent || '_' || to_char(day, 'YYYYMMDD');
            CONTINUE WHEN to_regclass(part) IS NOT NULL;
            BEGIN
                EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                    part, parent, series_first_id(day), series_first_id(day + 1));
                EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', part);
                EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', part);
                made := made + 1;
            EXCEPTION WHEN check_violation THEN
                NULL;  -- the default partition already holds rows of this day: they stay there
            END;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;

CREATE FUNCTION series_drop_empty(before date)
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s' SET timezone = 'UTC' AS $$
DECLARE
    parent text;
    part text;
    filled boolean;
    dropped integer := 0;
BEGIN
    FOREACH parent IN ARRAY ARRAY['inbox_part', 'identity_run', 'segment'] LOOP
        FOR part IN
            SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
             WHERE i.inhparent = parent::regclass AND c.relname ~ (parent || '_[0-9]{8}$')
               AND to_date(right(c.relname, 8), 'YYYYMMDD') < least(before, CURRENT_DATE - 1)
        LOOP
            EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', part);
            -- the owner is held by the policies too, and sees a partition's rows only without them
            EXECUTE format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', part);
            EXECUTE format('SELECT EXISTS (SELECT FROM %I)', part) INTO filled;
            IF filled THEN
                EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', part);
            ELSE
                EXECUTE format('DROP TABLE %I', part);
                dropped := dropped + 1;
            END IF;
        END LOOP;
    END LOOP;
    RETURN dropped;
END $$;

REVOKE EXECUTE ON FUNCTION series_partitions(date, integer) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION series_drop_empty(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION series_partitions(date, integer) TO tawny_app;
GRANT EXECUTE ON FUNCTION series_drop_empty(date) TO tawny_app;
SELECT series_partitions((now() AT TIME ZONE 'UTC')::date, 8);
"""

DROP = """
DROP FUNCTION series_drop_empty(date);
DROP FUNCTION series_partitions(date, integer);
DROP FUNCTION series_first_id(date);
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0001_initial")]

    operations = [migrations.RunSQL(FUNCTIONS, DROP, hints={"database": "default"})]
