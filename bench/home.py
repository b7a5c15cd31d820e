"""A throwaway deployment with the durability of a real one: servers, keys, databases, tenants."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connections

from config.embedded.progress import Progress
from config.embedded.servers import Servers
from config.embedded.state import Connection
from tenants.scope import STAFF


@contextmanager
def throwaway(progress: Progress) -> Iterator[int]:
    """Serve from a folder that goes away; give the process number of PostgreSQL.

    Django is set up inside and reaches these servers as ``tawny_app``; Wisdom is not configured, so
    nothing is asked. Once a process: settings are read once.
    """
    home = Path(tempfile.mkdtemp(prefix="tawny-bench-"))
    os.environ.update(
        TAWNY_HOME=str(home),
        TAWNY_WISDOM_URL="",
        TAWNY_DB_ROLE="app",
        DJANGO_SETTINGS_MODULE="config.settings.embedded",
    )
    os.environ.pop("TAWNY_ROOT_KEY_FILE", None)  # another deployment's is none of ours
    servers = Servers(home, fast=False)
    try:
        with progress.step("Starting PostgreSQL and Valkey"):
            reached = servers.start()
        with progress.step("Making keys and databases"):
            _prepare(reached)
        yield servers.processes["postgres"].pid
    finally:
        if django.apps.apps.ready:
            connections.close_all()
        servers.stop()
        shutil.rmtree(home, ignore_errors=True)


def _prepare(reached: Connection) -> None:
    django.setup()
    from config.first_start import make_key_files  # noqa: PLC0415 -- models need the apps

    make_key_files()
    _serve(reached, "tawny_owner")
    for alias in connections:
        if alias == STAFF:  # another role on the main database
            continue
        call_command("migrate", database=alias, interactive=False, verbosity=0)
    _serve(reached, "tawny_app")


def _serve(reached: Connection, role: str) -> None:
    for session in connections.all():
        session.close()
        user = "tawny_staff" if session.alias == STAFF else role
        session.settings_dict.update(USER=user, PASSWORD=reached.passwords[user])
