"""The peppers: the keys under which API keys are stored as tags.

Pepper n is version n of the named secret ``pepper``. One in a file (``keys/pepper_n`` of an older
home, ``TAWNY_PEPPER_n_FILE``) is good as well until it is adopted. The newest tags new keys; an
older one verifies those that it tagged, and each of these gets the newest's tag when it is next
used (`retag`), so that an older pepper is out of use when its keys have been used or have ended.
"""

import time
from datetime import datetime, timedelta
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db.models import Model, QuerySet
from django.utils import timezone

from audit.actors import Actor, system
from crypto import mac
from crypto.random import random_bytes
from tenants.errors import KeyUnavailable, NoSecret, UnfitTerms
from tenants.keys import secrets
from tenants.keys.files import KEY_BYTES, read_key_file

NAME = "pepper"
LOOKED_SECONDS = 10.0
"""Seconds after which a process looks again for a newer pepper."""
SETTLED = timedelta(seconds=60)
"""Age of the newest pepper from which an older one may be retired. Until `LOOKED_SECONDS` after a
rotation another process may still tag a new key under the older one, and the request in which it
does that has to commit before the key is counted; a key tagged after the count never works."""


class _Cache:
    """The peppers that this process has read, and which is the newest."""

    def __init__(self) -> None:
        self.values: dict[int, bytes] = {}
        self.newest = 0
        self.until = 0.0


_cache = _Cache()


def forget() -> None:
    """Read the peppers anew at their next use."""
    _cache.values = {}
    _cache.newest, _cache.until = 0, 0.0


def pepper(version: int) -> bytes:
    """Return the pepper of a version, or raise `KeyUnavailable`."""
    value = _cache.values.get(version)
    if value is None:
        value = _cache.values[version] = _read(version)
    return value


def primary_pepper() -> tuple[int, bytes]:
    """Return the newest pepper, under which new keys are stored; the first is made here."""
    if _cache.newest and _cache.until > time.monotonic():
        return _cache.newest, pepper(_cache.newest)
    try:
        newest = max({*secrets.versions(NAME), *_files()}, default=0)
    except KeyUnavailable:
        if not _cache.newest:
            raise
        newest = _cache.newest  # the keys database is away: what is held goes on
    if not newest:
        now = timezone.now()  # noqa: TID251 -- when the row was made; nothing depends on it
        make_first(actor=system("keys"), now=now)
        newest = 1
    _cache.newest, _cache.until = newest, time.monotonic() + LOOKED_SECONDS
    return newest, pepper(newest)


def make_first(*, actor: Actor, now: datetime) -> None:
    """Make the first pepper where there is none."""
    secrets.keep(NAME, random_bytes(KEY_BYTES), version=1, actor=actor, now=now)


def rotate(*, actor: Actor, now: datetime, reason: str = "") -> int:
    """Make a newer pepper; keys tagged under the others are tagged anew at their next use."""
    adopt(actor=actor, now=now)
    made = secrets.put(NAME, random_bytes(KEY_BYTES), actor=actor, now=now, reason=reason)
    forget()
    return made


def adopt(*, actor: Actor, now: datetime) -> list[int]:
    """Store the peppers that lie in files; return the versions that were not stored yet."""
    adopted = [
        version
        for version, path in sorted(_files().items())
        if secrets.keep(NAME, read_key_file(path), version=version, actor=actor, now=now)
    ]
    forget()
    return adopted


def retag(row: Model, text: str) -> None:
    """Give a key that was used and honoured the newest pepper's tag, where it has an older one's.

    `row` has the columns ``pepper`` and ``mac``. Whoever uses the key meanwhile, revoked or not,
    loses nothing: only a row that still has the older tag is changed, and nothing else of it.
    """
    held = int(getattr(row, NAME))
    newest, key = primary_pepper()
    if held >= newest:
        return
    rows = _rows(type(row)).filter(pk=row.pk, pepper=held)
    rows.update(pepper=newest, mac=mac.tag(key, text.encode()))


def users(version: int) -> int:
    """Return how many live keys are tagged under a version: tenants', and engines' of Wisdom."""
    count = 0
    for model in apps.get_models():
        columns = {field.name for field in model._meta.get_fields()}
        if columns >= {"pepper", "mac", "revoked_at"}:
            rows = _rows(model).filter(pepper=version, revoked_at=None)
            if "expires_at" in columns:
                now = timezone.now()  # noqa: TID251 -- a key that has ended is no user
                rows = rows.exclude(expires_at__lte=now)
            count += rows.count()
    return count


def retire(version: int, *, actor: Actor, now: datetime, reason: str = "") -> None:
    """Delete an older pepper that no live key needs, nor will; raise `UnfitTerms` otherwise."""
    newest, _ = primary_pepper()
    if version >= newest:
        raise UnfitTerms(f"pepper {version} is the newest: rotate first")
    left = users(version)
    if left:
        raise UnfitTerms(f"{left} live keys are tagged under pepper {version}")
    made_at = secrets.made_at(NAME)
    if made_at is not None and now < made_at + SETTLED:
        raise UnfitTerms(
            f"the newest pepper is not {SETTLED.seconds} s old: a process may not know of it yet"
        )
    if not secrets.remove(NAME, version=version, actor=actor, now=now, reason=reason):
        raise UnfitTerms(f"pepper {version} is not stored")
    forget()


def _rows(model: type[Model]) -> QuerySet[Model]:
    return model._default_manager.all()  # noqa: SLF001 -- Django's documented Model API


def _files() -> dict[int, str]:
    return {version: path for version, path in settings.PEPPERS.items() if Path(path).exists()}


def _read(version: int) -> bytes:
    try:
        return secrets.get(NAME, version=version)
    except NoSecret:
        path = _files().get(version)
        if path is None:
            raise KeyUnavailable(f"pepper {version} is not configured") from None
        return read_key_file(path)
