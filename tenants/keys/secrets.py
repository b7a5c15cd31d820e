"""Named secrets of the deployment: feeds' and providers' keys, webhooks' secrets, the peppers.

A row of the keys database each and version, sealed under the deployment's own secret to its name
and version. A new value is a new version: who signs takes the newest, who verifies may name an
older one. A value is never listed, logged or shown again.
"""

import re
from datetime import datetime

from django.db import connections, transaction

from audit.actors import Actor
from audit.events import EventType
from audit.record import record
from tenants.errors import NoSecret, UnfitTerms
from tenants.keys import keyring
from tenants.keys.system import system_seal, system_unseal
from tenants.models.keys import NamedSecret

PURPOSE = "named-secret"
NAME = re.compile(r"[a-z0-9][a-z0-9._/-]{0,99}")
MOST_BYTES = 65_536
"""Bytes of a value: a key or a certificate with its chain, not a file of data."""


def put(name: str, value: bytes, *, actor: Actor, now: datetime, reason: str = "") -> int:
    """Store a value as the newest version of a name; return the version.

    Raises `UnfitTerms` for a name or a value that is not fit.
    """
    _hold_fit(name, value)
    with keyring.reaching(), transaction.atomic(), transaction.atomic(using="keys"):
        _lock(name)
        version = max(versions(name), default=0) + 1
        _insert(name, version, value, actor=actor, now=now, reason=reason)
    return version


def keep(
    name: str, value: bytes, *, version: int, actor: Actor, now: datetime, reason: str = ""
) -> bool:
    """Store a value as a version that is not stored yet; say whether it was not."""
    _hold_fit(name, value)
    with keyring.reaching(), transaction.atomic(), transaction.atomic(using="keys"):
        _lock(name)
        if version in versions(name):
            return False
        _insert(name, version, value, actor=actor, now=now, reason=reason)
    return True


def get(name: str, *, version: int | None = None) -> bytes:
    """Return a secret's newest version, or the one that is named; raise `NoSecret` without it."""
    rows = NamedSecret.objects.using("keys").filter(name=name)
    if version is not None:
        rows = rows.filter(version=version)
    with keyring.reaching():
        row = rows.order_by("-version").first()
    if row is None:
        which = "" if version is None else f" of version {version}"
        raise NoSecret(f"there is no secret {name!r}{which}")
    return system_unseal(PURPOSE, bytes(row.sealed), row.name, row.version)


def versions(name: str) -> list[int]:
    """Return the versions of a name that are stored, oldest first."""
    rows = NamedSecret.objects.using("keys").filter(name=name).order_by("version")
    with keyring.reaching():
        return list(rows.values_list("version", flat=True))


def made_at(name: str) -> datetime | None:
    """Return when a name's newest version was stored, ``None`` where none is."""
    rows = NamedSecret.objects.using("keys").filter(name=name).order_by("-version")
    with keyring.reaching():
        return rows.values_list("created_at", flat=True).first()


def names() -> list[str]:
    """Return every name, sorted; no value."""
    rows = NamedSecret.objects.using("keys").order_by("name").values_list("name", flat=True)
    with keyring.reaching():
        return sorted(set(rows))


def remove(
    name: str, *, actor: Actor, now: datetime, reason: str = "", version: int | None = None
) -> int:
    """Delete a name, or one version of it; return how many versions went."""
    rows = NamedSecret.objects.using("keys").filter(name=name)
    if version is not None:
        rows = rows.filter(version=version)
    with keyring.reaching(), transaction.atomic(), transaction.atomic(using="keys"):
        _lock(name)
        gone = rows.delete()[0]
        if gone:
            record(
                event=EventType.SECRET_REMOVED, actor=actor, now=now, reason=reason,
                resource=f"secret:{name}", detail={"versions": gone},
            )  # fmt: skip
    return gone


def _hold_fit(name: str, value: bytes) -> None:
    if not NAME.fullmatch(name):
        raise UnfitTerms("a secret's name has up to 100 of a-z, 0-9 and . _ / -")
    if not 0 < len(value) <= MOST_BYTES:
        raise UnfitTerms(f"a secret has 1 to {MOST_BYTES} bytes, not {len(value)}")


def _lock(name: str) -> None:
    """Let one change of a name follow the other."""
    with connections["keys"].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"secret:{name}"])


def _insert(
    name: str, version: int, value: bytes, *, actor: Actor, now: datetime, reason: str
) -> None:
    NamedSecret.objects.using("keys").create(
        name=name, version=version, created_at=now,
        sealed=system_seal(PURPOSE, value, name, version),
    )  # fmt: skip
    record(
        event=EventType.SECRET_STORED, actor=actor, now=now, reason=reason,
        resource=f"secret:{name}", detail={"version": version},
    )  # fmt: skip
