"""What a process that serves asks of its databases before it does: never as a role that bypasses.

The web server, each worker and the sequencer call it. A database that cannot be reached does not
keep a process from starting, because ``/readyz`` says so; the check is repeated wherever
``manage.py check --database`` runs.
"""

from django.core.checks import ERROR
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from config.checks import OWNER, roles_are_confined, staff_only_read
from tenants.keys.checks import the_keyring_is_the_recorded_one


def refuse_wrong_roles() -> None:
    """Raise `ImproperlyConfigured` where a database would not hold row-level security for us."""
    found = roles_are_confined(databases=list(connections))
    found += staff_only_read(databases=list(connections))
    found += the_keyring_is_the_recorded_one(databases=list(connections))
    connections.close_all()  # a worker forks next, and a web server serves from other threads
    errors = [f"{each.id}: {each.msg}" for each in found if each.level >= ERROR]
    errors += [
        f"tawny.E001: {OWNER} on {alias!r} migrates and never serves"
        for alias in connections
        if connections[alias].settings_dict["USER"] == OWNER
    ]
    if errors:
        raise ImproperlyConfigured("; ".join(errors))
