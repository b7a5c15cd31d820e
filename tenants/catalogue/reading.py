"""Reading a catalogue: six questions, no row of any table of ours.

Objects of the schema ``public`` go by their bare name, others by ``schema.name``. PostgreSQL's own
schemas and temporary ones are left out.
"""

from typing import Any

from tenants.catalogue.findings import (
    Catalogue,
    Definer,
    ForeignKey,
    Policy,
    Relation,
    Role,
    UniqueIndex,
)

APP = "tawny_app"
OWNER = "tawny_owner"
"""The role that serves (contracts)."""
STAFF = "tawny_staff"
"""The role that reads under a grant."""

_RELATIONS = """
WITH ours AS (
    SELECT oid, CASE WHEN nspname = 'public' THEN '' ELSE nspname || '.' END AS schema
      FROM pg_namespace WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
), granted AS (
    SELECT id, grantee, privilege
      FROM (SELECT c.oid AS id, grantee, privilege_type AS privilege
              FROM pg_class c, aclexplode(c.relacl)
             UNION ALL
            SELECT attrelid, grantee, privilege_type || ' (' || attname || ')'
              FROM pg_attribute, aclexplode(attacl)
             WHERE attnum > 0 AND NOT attisdropped) AS every
), app AS (
    SELECT id, privilege FROM granted JOIN pg_roles r ON r.oid = grantee WHERE rolname = %(app)s
), staff AS (
    SELECT id, privilege FROM granted JOIN pg_roles r ON r.oid = grantee WHERE rolname = %(staff)s
)
SELECT schema || c.relname, c.relkind::text,
       CASE WHEN c.relispartition THEN (
           SELECT o.schema || r.relname FROM pg_class r JOIN ours o ON o.oid = r.relnamespace
            WHERE r.oid = pg_partition_root(c.oid)) ELSE schema || c.relname END,
       ARRAY(SELECT attname::text FROM pg_attribute
              WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
       c.relrowsecurity, c.relforcerowsecurity,
       coalesce((SELECT option_value::boolean FROM pg_options_to_table(c.reloptions)
                  WHERE option_name = 'security_invoker'), false),
       ARRAY(SELECT privilege FROM app WHERE id = c.oid),
       ARRAY(SELECT privilege FROM staff WHERE id = c.oid),
       ARRAY(SELECT privilege FROM granted WHERE id = c.oid AND grantee = 0)
  FROM pg_class c JOIN ours ON ours.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""
_POLICIES = """
SELECT CASE WHEN schemaname = 'public' THEN '' ELSE schemaname || '.' END || tablename,
       policyname::text, permissive = 'PERMISSIVE', roles::text[], cmd, qual, with_check
  FROM pg_policies WHERE schemaname <> 'information_schema' AND schemaname !~ '^pg_'
"""
_UNIQUES = """
SELECT CASE WHEN nspname = 'public' THEN '' ELSE nspname || '.' END || t.relname,
       x.relname::text,
       coalesce((SELECT attname::text FROM pg_attribute
                  WHERE attrelid = t.oid AND attnum = i.indkey[0]), '')
  FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = t.relnamespace
 WHERE (i.indisunique OR i.indisexclusion)
   AND nspname <> 'information_schema' AND nspname !~ '^pg_'
"""
_KEYS = """
SELECT CASE WHEN n.nspname = 'public' THEN '' ELSE n.nspname || '.' END || t.relname,
       k.conname::text,
       CASE WHEN m.nspname = 'public' THEN '' ELSE m.nspname || '.' END || u.relname,
       ARRAY(SELECT ARRAY[a.attname::text, b.attname::text]
               FROM unnest(k.conkey, k.confkey) AS pair (mine, theirs)
               JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = mine
               JOIN pg_attribute b ON b.attrelid = u.oid AND b.attnum = theirs)
  FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_class u ON u.oid = k.confrelid
  JOIN pg_namespace n ON n.oid = t.relnamespace JOIN pg_namespace m ON m.oid = u.relnamespace
 WHERE k.contype = 'f' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
"""
_DEFINERS = """
SELECT p.oid::regprocedure::text, r.rolsuper OR r.rolbypassrls,
       coalesce((SELECT substr(each, length('search_path=') + 1) FROM unnest(p.proconfig) AS each
                  WHERE each LIKE 'search_path=%%'), ''),
       EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner)))
                WHERE grantee = 0)
  FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE p.prosecdef AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
"""
_ROLE = """
SELECT r.rolsuper OR r.rolbypassrls,
       ARRAY(SELECT relname::text FROM pg_class WHERE relowner = r.oid ORDER BY 1),
       ARRAY(SELECT rolname::text FROM pg_roles
              WHERE oid <> r.oid AND pg_has_role(r.oid, oid, 'MEMBER') ORDER BY 1),
       ARRAY(SELECT nspname::text FROM pg_namespace
              WHERE nspname !~ '^pg_(toast|temp)' AND has_schema_privilege(r.oid, oid, 'CREATE')
              ORDER BY 1)
  FROM pg_roles r WHERE r.rolname = %(app)s
"""


def read(cursor: Any) -> Catalogue:
    """Read the catalogue of the database that `cursor` is in."""

    def rows(question: str) -> list[tuple[Any, ...]]:
        cursor.execute(question, {"app": APP, "staff": STAFF})
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found

    return Catalogue(
        relations=tuple(map(_relation, rows(_RELATIONS))),
        policies=tuple(map(_policy, rows(_POLICIES))),
        uniques=tuple(
            UniqueIndex(table=table, name=name, leads=leads)
            for table, name, leads in rows(_UNIQUES)
        ),
        keys=tuple(
            ForeignKey(
                table=table,
                name=name,
                target=target,
                pairs=frozenset((mine, theirs) for mine, theirs in pairs),
            )
            for table, name, target, pairs in rows(_KEYS)
        ),
        definers=tuple(
            Definer(name=name, owner_bypasses=bypasses, path=path, public=public)
            for name, bypasses, path, public in rows(_DEFINERS)
        ),
        role=_role(rows(_ROLE)),
    )


def _relation(row: tuple[Any, ...]) -> Relation:
    name, kind, root, columns, rls, forced, invoker, app, staff, public = row
    return Relation(
        name=name,
        kind=kind,
        root=root,
        columns=frozenset(columns),
        rls=rls,
        forced=forced,
        invoker=invoker,
        app=frozenset(app),
        staff=frozenset(staff),
        public=frozenset(public),
    )


def _policy(row: tuple[Any, ...]) -> Policy:
    table, name, permissive, roles, command, using, check = row
    return Policy(
        table=table,
        name=name,
        permissive=permissive,
        roles=frozenset(roles),
        command=command,
        using=using,
        check=check,
    )


def _role(rows: list[tuple[Any, ...]]) -> Role:
    if not rows:  # a database that nobody serves from
        return Role(bypasses=False, owns=(), member_of=(), creates_in=())
    ((bypasses, owns, member_of, creates_in),) = rows
    return Role(
        bypasses=bypasses,
        owns=tuple(owns),
        member_of=tuple(member_of),
        creates_in=tuple(creates_in),
    )
