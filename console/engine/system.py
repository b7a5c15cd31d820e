"""The state of the deployment itself: versions, databases, migrations, keys. Nothing of tenants."""

import platform
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import django
from django.conf import settings
from django.db import connections
from django.db.backends.utils import CursorWrapper
from django.db.migrations.loader import MigrationLoader

from tenants.scope import STAFF

DISTRIBUTIONS = ("djangorestframework", "celery", "psycopg", "django-otp", "django-htmx")
_ROLE = """
SELECT current_user, r.rolsuper, r.rolbypassrls, current_setting('server_version'),
       pg_database_size(current_database()), current_database(),
       EXISTS (SELECT FROM pg_class c WHERE c.relowner = r.oid AND c.relkind IN ('r', 'p'))
  FROM pg_roles r WHERE r.rolname = current_user
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseRow:
    """A database as this process is connected to it."""

    alias: str
    name: str
    role: str
    octets: int
    superuser: bool
    bypasses: bool
    owns: bool
    server: str
    missing: Sequence[str]

    @property
    def is_safe(self) -> bool:
        """Whether row-level security holds for the role."""
        return not (self.superuser or self.bypasses or self.owns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """The file system that a folder of the deployment is on."""

    what: str
    free: int
    octets: int

    @property
    def share(self) -> int:
        """Per cent that is used."""
        return 100 - 100 * self.free // self.octets


def versions() -> list[tuple[str, str]]:
    """Name what this process runs on."""
    return [
        ("Python", platform.python_version()),
        ("Django", django.get_version()),
        *((name, version(name)) for name in DISTRIBUTIONS),
    ]


@cache
def _known() -> frozenset[str]:
    """Name the migrations of this build, which do not change while a process lives."""
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    return frozenset(f"{app}.{name}" for app, name in loader.disk_migrations)


def databases() -> list[DatabaseRow]:
    """Ask each database who we are there, and which migrations of this build it has not had."""
    known = _known()
    rows = []
    for alias in connections:
        with connections[alias].cursor() as cursor:
            cursor.execute(_ROLE)
            role, superuser, bypasses, server, octets, name, owns = cursor.fetchone()
            applied = known if alias == STAFF else _applied(cursor)
        rows.append(
            DatabaseRow(
                alias=alias,
                name=name,
                role=role,
                octets=octets,
                superuser=superuser,
                bypasses=bypasses,
                owns=owns,
                server=server,
                missing=sorted(known - applied),
            )
        )
    return rows


def _applied(cursor: CursorWrapper) -> set[str]:
    """Read which migrations a database has had; staff's alias is the main one, and may not."""
    cursor.execute("SELECT app, name FROM django_migrations")
    return {f"{app}.{migration}" for app, migration in cursor.fetchall()}


def disks() -> list[Disk]:
    """Measure the file systems of the folders that the settings name and that are there."""
    named = (
        ("checkpoint file", settings.CHECKPOINT_FILE and Path(settings.CHECKPOINT_FILE).parent),
        ("snapshots", settings.SNAPSHOT_DIR and Path(settings.SNAPSHOT_DIR)),
    )
    measured = []
    for what, folder in named:
        if folder and folder.is_dir():
            usage = shutil.disk_usage(folder)
            measured.append(Disk(what=what, free=usage.free, octets=usage.total))
    return measured
