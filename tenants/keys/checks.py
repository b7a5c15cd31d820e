"""Weak keyrings, as numbered system checks.

=============  ====================================================================================
``tawny.E030``  a later version of the root key's file is missing, open to others or no key
``tawny.E031``  a root key stands in the environment
``tawny.E032``  a root key is another one than was recorded under its name, or is not configured
``tawny.E033``  the key provider that is chosen is not configured
=============  ====================================================================================

``tawny.E002`` says the same as E030 of the first file. E032 asks the keys database:
``manage.py check --database keys``.
"""

import os
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import Error as DatabaseError

from tenants.errors import KeyUnavailable
from tenants.keys import keyring
from tenants.keys.files import read_key_file
from tenants.keys.providers import configured
from tenants.keys.providers.file import FileProvider

IN_THE_ENVIRONMENT = "TAWNY_ROOT_KEY"


@register(Tags.security, deploy=True)
def the_keyring_is_strong(**_kwargs: Any) -> list[CheckMessage]:
    """Check what files, settings and the environment can get wrong."""
    messages: list[CheckMessage] = []
    if IN_THE_ENVIRONMENT in os.environ:
        hint = "Put it into a file of mode 0400 that TAWNY_ROOT_KEY_FILE names."
        messages.append(Error("a root key is in the environment", hint=hint, id="tawny.E031"))
    if settings.KEY_PROVIDER not in configured():
        message = f"the key provider {settings.KEY_PROVIDER!r} is not configured"
        messages.append(Error(message, id="tawny.E033"))
    for provider in configured().values():
        if isinstance(provider, FileProvider):
            messages += _later_files(provider)
    return messages


def _later_files(provider: FileProvider) -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    try:
        versions = provider.versions()
    except KeyUnavailable:
        return []  # the folder is away: E002 says so of the first file
    for version in versions:
        if version == 1:
            continue
        try:
            read_key_file(str(provider.path(version)))
        except KeyUnavailable as error:
            messages.append(Error(str(error), id="tawny.E030"))
    return messages


@register(Tags.database)
def the_keyring_is_the_recorded_one(
    *, databases: Sequence[str] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """Compare every version's check value with what was recorded when it was added."""
    if "keys" not in (databases or ()):
        return []
    try:
        faults = keyring.compare_all()
    except DatabaseError:
        return []  # not reachable, or not migrated: readiness says so
    return [Error(each, id="tawny.E032") for each in faults]
