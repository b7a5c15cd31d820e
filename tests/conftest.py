"""The servers that the suite runs on: real ones, in a folder that goes away.

Everything is served as ``tawny_app``, so that row-level security holds in every test as it does in
service. Only the fixtures here go through the owner: to migrate, and to empty tables afterwards.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import hypothesis
import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.test import TransactionTestCase

from config.embedded.servers import Servers
from config.embedded.state import Connection
from config.first_start import make_key_files

# How long an example takes says how busy the machine is, and nothing of the code.
hypothesis.settings.register_profile("tawny", deadline=None)
hypothesis.settings.load_profile("tawny")

DATABASES = ("default", "keys", "wisdom")
KEEP = frozenset({"django_migrations", "django_content_type", "auth_permission"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let who may use the main database use the alias ``staff`` too: it is the same one."""
    for item in items:
        for mark in item.iter_markers("django_db"):
            named = mark.kwargs.get("databases")
            if isinstance(named, list) and "default" in named and "staff" not in named:
                named.append("staff")


class _Reached:
    """How the suite's servers are reached; filled in once they run."""

    connection: Connection | None = None


@pytest.fixture(scope="session")
def servers() -> Iterator[Connection]:
    """PostgreSQL and Valkey for the session."""
    home = Path(os.environ["TAWNY_HOME"])
    running = Servers(home, fast=True)
    _Reached.connection = running.start()
    settings.CACHE_URL = f"unix://{_Reached.connection.valkey_socket}?db=1"
    try:
        yield _Reached.connection
    finally:
        connections.close_all()
        for session in _Emptying.sessions.values():
            session.close()
        running.stop()


def _serve(connection: Connection, role: str) -> None:
    for session in connections.all():
        session.close()
        # The alias that reads under grants is its own role, here as in service.
        user = "tawny_staff" if session.alias == "staff" else role
        session.settings_dict.update(
            HOST=str(connection.socket_dir),
            PORT=str(connection.port),
            USER=user,
            PASSWORD=connection.passwords[user],
        )


@pytest.fixture(scope="session")
def django_db_setup(servers: Connection, django_db_blocker: Any) -> None:
    """Migrate as the owner, then serve as the application's role."""
    with django_db_blocker.unblock():
        make_key_files()
        _serve(servers, "tawny_owner")
        for alias in DATABASES:
            call_command("migrate", database=alias, interactive=False, verbosity=0)
        _serve(servers, "tawny_app")


def _as_superuser(alias: str) -> psycopg.Connection[Any]:
    connection = _Reached.connection
    assert connection is not None, "the database fixtures start the servers"
    return psycopg.connect(
        host=str(connection.socket_dir),
        port=connection.port,
        user="postgres",
        password=connection.passwords["postgres"],
        dbname=str(settings.DATABASES[alias]["NAME"]),
        autocommit=True,
    )


@contextmanager
def _superuser(alias: str) -> Iterator[psycopg.Connection[Any]]:
    with _as_superuser(alias) as session:
        yield session


@pytest.fixture
def as_owner() -> Callable[..., Any]:
    """Open a connection past every policy and trigger: ``with as_owner("default") as session``."""
    return lambda alias="default": _superuser(alias)


class _Emptying:
    """The superuser's own sessions, one a database, kept from test to test, and how many ended."""

    sessions: ClassVar[dict[str, psycopg.Connection[Any]]] = {}
    tests = 0


TRUNCATED_EVERY = 250
"""Tests. Deleting a handful of rows takes a twentieth of what truncating does, which makes new
files; what it leaves behind is cleared away now and then."""


def _empty_tables(_case: TransactionTestCase) -> None:
    _Emptying.tests += 1
    connections["staff"].close()
    for alias in DATABASES:
        connections[alias].close()
        session = _emptying(alias)
        filled = _filled(session)
        if _Emptying.tests % TRUNCATED_EVERY == 0 and filled:
            session.execute(f"TRUNCATE {', '.join(filled)} RESTART IDENTITY CASCADE")
        else:
            for table in filled:
                session.execute(f"DELETE FROM {table}")  # noqa: S608 -- our own names
        if filled:
            session.execute(_RESTART)


def _emptying(alias: str) -> psycopg.Connection[Any]:
    """Return the superuser's session that is kept; a new one where a test ended the server's."""
    session = _Emptying.sessions.get(alias)
    if session is not None:
        try:
            session.execute("SELECT 1")
        except psycopg.OperationalError:
            session.close()
        else:
            return session
    session = _Emptying.sessions[alias] = _as_superuser(alias)
    session.execute("SET session_replication_role = replica")
    return session


_TABLES = """
SELECT relname FROM pg_class
 WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
"""
_RESTART = """
SELECT setval(quote_ident(sequencename)::regclass, start_value, false)
  FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL
"""


def _filled(session: psycopg.Connection[Any]) -> list[str]:
    """Return the tables that hold anything."""
    tables = [name for (name,) in session.execute(_TABLES).fetchall() if name not in KEEP]
    probe = " UNION ALL ".join(
        f"SELECT '{table}' WHERE EXISTS (SELECT FROM {table})"  # noqa: S608 -- our own names
        for table in tables
    )
    return [name for (name,) in session.execute(probe).fetchall()] if tables else []


# tawny_app may not TRUNCATE, and Django has no hook for how a test database is emptied.
setattr(TransactionTestCase, "_fixture_teardown", _empty_tables)  # noqa: B010 -- not in its types


@pytest.fixture
def now() -> datetime:
    """A moment of the suite's, past the samples' times."""
    return datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_keys_held() -> Iterator[None]:
    """Forget keys between tests: every test has tenants of its own."""
    yield
    from tenants import keys, refusals  # noqa: PLC0415 -- pure tests must not import models

    keys.forget()
    refusals.forget()


@pytest.fixture
def tenant(now: datetime) -> tuple[UUID, str]:
    """A tenant's id and its API key."""
    from audit.actors import Actor  # noqa: PLC0415 -- see above
    from tenants.actions import create_tenant  # noqa: PLC0415 -- see above

    new = create_tenant(
        name="first.example", actor=Actor(kind="shell", id="test"), reason="test", now=now
    )
    return new.tenant.id, new.api_key
