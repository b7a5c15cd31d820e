"""The roles and databases that the product expects, made once.

==============  ===================================================================
tawny_owner     owns the databases, migrates
tawny_app       serves: owns nothing, bypasses nothing
tawny_staff     the console's reads
tawny_backup    reads every row for a dump; nobody logs in as it, an operator sets role
==============  ===================================================================
"""

from collections.abc import Mapping

import psycopg
from psycopg import sql

from config.embedded.state import LOGIN_ROLES, SUPERUSER, Connection

DATABASES = ("tawny", "tawny_keys", "tawny_wisdom")
OWNER = "tawny_owner"
BACKUP = "tawny_backup"
SERVING = ("tawny_app", "tawny_staff")
_PLAIN = sql.SQL("NOSUPERUSER NOCREATEROLE NOREPLICATION")


def connect(connection: Connection, *, user: str, database: str) -> psycopg.Connection:
    """Open a session of `user` in `database`, each statement its own transaction."""
    return psycopg.connect(
        host=str(connection.socket_dir),
        port=connection.port,
        user=user,
        password=connection.passwords[user],
        dbname=database,
        autocommit=True,
        connect_timeout=10,
    )


def make_roles_and_databases(connection: Connection, *, may_create_databases: bool) -> bool:
    """Make what is missing; tell whether anything was.

    `may_create_databases` lets tawny_owner create more, which a test suite needs.
    """
    with connect(connection, user=SUPERUSER, database="postgres") as session:
        there = {name for (name,) in session.execute("SELECT rolname FROM pg_roles")}
        missing = [name for name in (*LOGIN_ROLES, BACKUP) if name not in there]
        for name in missing:
            _make_role(session, name, connection.passwords, creates=may_create_databases)
        there = {name for (name,) in session.execute("SELECT datname FROM pg_database")}
        absent = [name for name in DATABASES if name not in there]
        for name in absent:
            session.execute(
                sql.SQL("CREATE DATABASE {} OWNER tawny_owner").format(sql.Identifier(name))
            )
        if missing or absent:
            _grant(session)
    return bool(missing or absent)


def _make_role(
    session: psycopg.Connection, name: str, passwords: Mapping[str, str], *, creates: bool
) -> None:
    role = sql.Identifier(name)
    with session.transaction():
        if name == BACKUP:
            session.execute(sql.SQL("CREATE ROLE {} NOLOGIN BYPASSRLS {}").format(role, _PLAIN))
            session.execute(sql.SQL("GRANT pg_read_all_data TO {}").format(role))
            return
        # The verifier is computed here, so that the password is in no statement.
        verifier = session.pgconn.encrypt_password(
            passwords[name].encode(), name.encode(), b"scram-sha-256"
        )
        session.execute(
            sql.SQL("CREATE ROLE {} LOGIN NOBYPASSRLS {} {} PASSWORD {}").format(
                role,
                _PLAIN,
                sql.SQL("CREATEDB" if creates and name == OWNER else "NOCREATEDB"),
                sql.Literal(verifier.decode()),
            )
        )
        if name in SERVING:
            # An error of theirs is raised where they are, and its first line may quote a value;
            # the server's log keeps what background processes and the system say.
            session.execute(sql.SQL("ALTER ROLE {} SET log_min_messages = 'log'").format(role))


def _grant(session: psycopg.Connection) -> None:
    serving = sql.SQL(", ").join(map(sql.Identifier, (*SERVING, BACKUP)))
    for name in DATABASES:
        database = sql.Identifier(name)
        with session.transaction():
            session.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
            session.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, serving))
    with session.transaction():
        session.execute("REVOKE ALL ON DATABASE postgres FROM PUBLIC")
        session.execute("GRANT CONNECT ON DATABASE postgres TO tawny_owner")
