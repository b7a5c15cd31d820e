"""Wrong deployments, as numbered system checks.

=============  ====================================================================================
``tawny.E001``  the application's database role is a superuser, bypasses or owns
``tawny.E002``  the root key cannot be read
``tawny.E003``  no pepper, or one that cannot be read
``tawny.E004``  a Wisdom address without TLS that is not on this machine
``tawny.E005``  ``ALLOWED_HOSTS`` admits every name
``tawny.E006``  debug mode
``tawny.E007``  a PostgreSQL older than 15, or a minor release with a known row-security fault
=============  ====================================================================================
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import Error as DatabaseError, connections

from tenants.errors import KeyUnavailable
from tenants.keys.root import read_key_file

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
FIXED_MINORS = {15: 14, 16: 10, 17: 6}
"""The minor releases that fix CVE-2025-8713, which let statistics leak past row security."""


@register(Tags.security, deploy=True)
def keys_are_readable(**_kwargs: Any) -> list[CheckMessage]:
    """Check that the root key and the peppers are there and only their owner's."""
    messages: list[CheckMessage] = []
    try:
        read_key_file(settings.ROOT_KEY_FILE)
    except KeyUnavailable as error:
        messages.append(Error(str(error), hint="TAWNY_ROOT_KEY_FILE names it.", id="tawny.E002"))
    if not settings.PEPPERS:
        messages.append(Error("no pepper is configured", id="tawny.E003"))
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


@register(Tags.database)
def roles_are_confined(
    *, databases: Sequence[str] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """Check that row-level security holds for the role that serves, on a sound server."""
    messages: list[CheckMessage] = []
    for alias in databases or ():
        try:
            with connections[alias].cursor() as cursor:
                cursor.execute(
                    """
                    SELECT current_user, rolsuper OR rolbypassrls,
                           EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid),
                           current_setting('server_version_num')::int
                      FROM pg_roles WHERE rolname = current_user
                    """
                )
                role, bypasses, owns, version = cursor.fetchone()
        except DatabaseError:
            continue  # not reachable: readiness says so
        if bypasses or (owns and role != "tawny_owner"):  # the owner migrates, it never serves
            messages.append(
                Error(
                    f"{role} on {alias!r} bypasses row-level security",
                    hint="Serve as tawny_app, which owns nothing.",
                    id="tawny.E001",
                )
            )
        major, minor = divmod(version, 10_000)
        if major < 15 or minor < FIXED_MINORS.get(major, 0):
            messages.append(
                Error(f"PostgreSQL {major}.{minor} on {alias!r} is too old", id="tawny.E007")
            )
    return messages
