"""Migrate all databases and make the first start's secrets, in one process.

Run as ``python -m config.embedded.prepare`` by the launcher, with TAWNY_DB_ROLE=owner. The last
line of standard output is what ``manage.py first_start`` printed.
"""

import sys

import django
from django.core.management import call_command
from django.db import connections

from config.embedded import state
from tenants.scope import STAFF


def main() -> None:
    """Migrate as tawny_owner, then go on as tawny_app, as whom the product serves."""
    django.setup()
    for alias in connections:
        if alias == STAFF:  # another role on the main database
            continue
        call_command("migrate", database=alias, interactive=False, verbosity=1, stdout=sys.stderr)
    _serve_as_app()
    call_command("first_start")


def _serve_as_app() -> None:
    """Let every database session from here on be the serving role's: it owns nothing."""
    reached = state.connection()
    assert reached is not None, "the launcher made the databases that were just migrated"
    for session in connections.all():
        session.close()
        if session.alias == STAFF:
            continue
        session.settings_dict.update(USER="tawny_app", PASSWORD=reached.passwords["tawny_app"])


if __name__ == "__main__":
    main()
