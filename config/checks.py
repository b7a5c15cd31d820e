"""Wrong deployments, as numbered system checks.

=============  ====================================================================================
``tawny.E001``  the application's database role is a superuser, bypasses or owns
``tawny.E002``  the root key cannot be read
``tawny.E003``  a pepper's file that cannot be read
``tawny.E004``  a Wisdom address without TLS that is not on this machine
``tawny.E005``  ``ALLOWED_HOSTS`` admits every name
``tawny.E006``  debug mode
``tawny.E007``  a PostgreSQL older than 15, or a minor release with a known row-security fault
``tawny.E008``  the application's database role may become, or reads files like, one that bypasses
``tawny.E009``  the schema lets a tenant's rows out: what ``manage.py isolation lint`` finds
``tawny.E015``  the alias ``staff`` is served by a role that may write or become another
``tawny.W010``  a PostgreSQL whose log quotes rows: ``log_error_verbosity`` is not ``terse``
=============  ====================================================================================

E001, E007, E008, E009, E015 and W010 are asked of a database: ``manage.py check --database
default``, and `config.start` asks all but E009 before a process serves.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning as Caution, register
from django.db import Error as DatabaseError, connections

from tenants import catalogue
from tenants.errors import KeyUnavailable
from tenants.keys.root import read_key_file, root_file
from tenants.scope import STAFF

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
FIXED_MINORS = {15: 14, 16: 10, 17: 6}
"""The minor releases that fix CVE-2025-8713, which let statistics leak past row security."""


@register(Tags.security, deploy=True)
def keys_are_readable(**_kwargs: Any) -> list[CheckMessage]:
    """Check that the root key and the peppers are there and only their owner's."""
    messages: list[CheckMessage] = []
    try:
        if file := root_file():
            read_key_file(file)
    except KeyUnavailable as error:
        messages.append(Error(str(error), hint="TAWNY_ROOT_KEY_FILE names it.", id="tawny.E002"))
    for path in settings.PEPPERS.values():
        try:
            read_key_file(path)
        except KeyUnavailable as error:
            messages.append(Error(str(error), id="tawny.E003"))
    return messages


@register(Tags.security)
def settings_are_safe(**_kwargs: Any) -> list[CheckMessage]:
    """Check what settings alone can get wrong."""
    messages: list[CheckMessage] = []
    wisdom = urlsplit(settings.WISDOM_URL)
    if settings.WISDOM_URL and wisdom.scheme != "https" and wisdom.hostname not in LOOPBACK:
        hint = "Use https:// for a Wisdom on another machine."
        messages.append(Error("Wisdom is asked without TLS", hint=hint, id="tawny.E004"))
    if "*" in settings.ALLOWED_HOSTS:
        messages.append(Error("ALLOWED_HOSTS admits every name", id="tawny.E005"))
    if settings.DEBUG:
        messages.append(Error("DEBUG is on; it shows rows to whoever errs", id="tawny.E006"))
    return messages


# Of the role that logged in, because it may RESET ROLE, and of every role that it may become. The
# three predefined roles read the server's files, where no policy holds.
_ROLE = """
SELECT session_user::text,
       bool_or(oid = mine AND (rolsuper OR rolbypassrls)),
       bool_or(oid = mine AND owns),
       bool_or(oid <> mine AND (rolsuper OR rolbypassrls OR owns OR rolname = ANY (ARRAY[
           'pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files']))),
       current_setting('server_version_num')::int,
       current_setting('log_error_verbosity')
  FROM (SELECT r.*, (SELECT oid FROM pg_roles WHERE rolname = session_user) AS mine,
               EXISTS (SELECT FROM pg_class WHERE relowner = r.oid) AS owns
          FROM pg_roles r WHERE pg_has_role(session_user, r.oid, 'MEMBER')) AS mine_and_others
"""
OWNER = "tawny_owner"
"""Migrates, and never serves: `config.start` refuses it."""


@register(Tags.database)
def roles_are_confined(
    *, databases: Sequence[str] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """Check that row-level security holds for the role that serves, on a sound server."""
    messages: list[CheckMessage] = []
    for alias in databases or ():
        try:
            with connections[alias].cursor() as cursor:
                cursor.execute(_ROLE)
                row = cursor.fetchone()
        except DatabaseError:
            continue  # not reachable: readiness says so
        role, bypasses, owns, becomes, version, verbosity = row
        messages += _of_role(alias, role, bypasses=bypasses, owns=owns, becomes=becomes)
        messages += _of_server(alias, version, verbosity)
    return messages


_STAFF = """
SELECT session_user::text,
       EXISTS (SELECT FROM pg_roles
                WHERE rolname <> session_user AND pg_has_role(session_user, oid, 'MEMBER'))
       OR EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                   WHERE c.relkind IN ('r', 'p') AND n.nspname = 'public'
                     AND (has_table_privilege(session_user, c.oid, 'DELETE, TRUNCATE')
                          OR has_any_column_privilege(session_user, c.oid, 'INSERT, UPDATE')))
"""


@register(Tags.database)
def staff_only_read(
    *, databases: Sequence[str] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """Check that what reads under a grant can do nothing else."""
    if STAFF not in (databases or ()):
        return []
    try:
        with connections[STAFF].cursor() as cursor:
            cursor.execute(_STAFF)
            role, does_more = cursor.fetchone()
    except DatabaseError:
        return []  # not reachable: readiness says so
    if not does_more:
        return []
    text = f"{role} on {STAFF!r} may write or become another role"
    return [Error(text, hint="Let the alias log in as tawny_staff.", id="tawny.E015")]


def _of_role(
    alias: str, role: str, *, bypasses: bool, owns: bool, becomes: bool
) -> list[CheckMessage]:
    hint = "Serve as tawny_app, which owns nothing and is a member of no role."
    if bypasses or (owns and role != OWNER):  # the owner migrates, it never serves
        text = f"{role} on {alias!r} bypasses row-level security"
        return [Error(text, hint=hint, id="tawny.E001")]
    if becomes:
        text = f"{role} on {alias!r} may become a role that row-level security does not hold"
        return [Error(text, hint=hint, id="tawny.E008")]
    return []


def _of_server(alias: str, version: int, verbosity: str) -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    major, minor = divmod(version, 10_000)
    if major < 15 or minor < FIXED_MINORS.get(major, 0):
        text = f"PostgreSQL {major}.{minor} on {alias!r} is too old"
        messages.append(Error(text, id="tawny.E007"))
    if verbosity != "terse":
        text = f"the log of {alias!r} quotes rows in the detail of an error"
        hint = "Set log_error_verbosity = terse."
        messages.append(Caution(text, hint=hint, id="tawny.W010"))
    return messages


@register(Tags.database)
def schema_isolates(
    *, databases: Sequence[str] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """Check that the schema keeps tenants apart; see `tenants.catalogue`."""
    messages: list[CheckMessage] = []
    for alias in databases or ():
        try:
            found = catalogue.lint(alias)
        except DatabaseError:
            continue  # not reachable: readiness says so
        messages += [Error(f"{alias}: {each}", id="tawny.E009") for each in found]
    return messages
