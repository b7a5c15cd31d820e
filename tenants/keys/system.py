"""The deployment's own secret: what belongs to no tenant is sealed and tagged under it.

It has versions, each a row of the keys database that the root key wraps; the first is the first
root key's file where there is one, as it always was. What is sealed is sealed under the primary
version and opens under any, because an envelope names its key. Tags (`system_key`) are compared and
never opened, and so stay under the first version: another one would mean to find every tagged value
again, as it would for a tenant's index key.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from crypto import envelope, kdf
from crypto.ids import uuid7
from crypto.random import random_bytes
from tenants.errors import KeyUnavailable
from tenants.keys import keyring
from tenants.keys.files import KEY_BYTES, read_key_file
from tenants.models.keys import SystemKey, SystemState

SYSTEM = "system"
FIRST = 1
LOOKED_SECONDS = 10.0
"""Seconds after which a process looks again which version is primary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """The versions that this process holds, which one seals, and until when that is believed."""

    secrets: Mapping[int, bytes] = field(repr=False)
    primary: int
    until: float


class _Cache:
    """What is known, and the keys that were derived from it."""

    def __init__(self) -> None:
        self.known: _Known | None = None
        self.derived: dict[tuple[int, str], envelope.DataKey] = {}


_cache = _Cache()


def row_name(version: int) -> str:
    """Return the name of a version's row."""
    return SYSTEM if version == FIRST else f"{SYSTEM}_{version}"


def system_context(name: str) -> bytes:
    """Return the context under which a version of the deployment's secret is wrapped."""
    return envelope.context("system_key", name)


def _first(row: SystemKey | None) -> bytes:
    """Return the first version: from its file, its row, or made now."""
    first = settings.ROOT_KEY_FILE
    if settings.KEY_PROVIDER == "file" and Path(first).exists():
        return read_key_file(first)
    if row is None and settings.KEY_PROVIDER == "file":
        return read_key_file(first)  # which says what is missing
    row = row or keep_system_secret(random_bytes(KEY_BYTES))
    return keyring.unwrap(row, system_context(row.name)).secret


def keep_system_secret(secret: bytes) -> SystemKey:
    """Store the first version wrapped, where none is stored; return what is."""
    with keyring.reaching(), transaction.atomic(using="keys"):
        row = wrapped_row(secret, version=FIRST, state=SystemState.PRIMARY)
        SystemKey.objects.using("keys").bulk_create([row], ignore_conflicts=True)
        return SystemKey.objects.using("keys").get(version=FIRST)


def wrapped_row(secret: bytes, *, version: int, state: SystemState) -> SystemKey:
    """Wrap a version under the root's primary, inside the transaction that stores it."""
    now = timezone.now()  # noqa: TID251 -- the row's and the key's time of making
    key = envelope.DataKey(id=uuid7(now), secret=secret)
    name = row_name(version)
    wrapped = keyring.wrap(key, system_context(name), now=now)
    return SystemKey(
        name=name, version=version, state=state, id=key.id, provider=wrapped.provider,
        key_id=wrapped.key_id, root_version=wrapped.version, wrapped=wrapped.blob,
        check_value=key.check, created_at=now,
    )  # fmt: skip


def adopt_system_secret() -> None:
    """Store the secret that lies in the first root key's file, before that file may be retired."""
    if Path(settings.ROOT_KEY_FILE).is_file():
        keep_system_secret(read_key_file(settings.ROOT_KEY_FILE))


def forget_system() -> None:
    """Look for the versions, and derive keys, anew at their next use."""
    _cache.known = None
    _cache.derived = {}


def _known(*, anew: bool = False) -> _Known:
    """Return the versions; a process that holds some goes on with them while others are away."""
    known = _cache.known
    if known is not None and not anew and known.until > time.monotonic():
        return known
    try:
        looked = _looked(known.secrets if known else {})
    except KeyUnavailable:
        if known is None:
            raise
        looked = _Known(
            secrets=known.secrets,
            primary=known.primary,
            until=time.monotonic() + LOOKED_SECONDS,
        )
    _cache.known = looked
    return looked


def _looked(held: Mapping[int, bytes]) -> _Known:
    with keyring.reaching():
        rows = {row.version: row for row in SystemKey.objects.using("keys").all()}
    secrets = dict(held)
    if FIRST not in secrets:
        secrets[FIRST] = _first(rows.get(FIRST))
    for version, row in rows.items():
        if version not in secrets:
            secrets[version] = keyring.unwrap(row, system_context(row.name)).secret
    primary = [version for version, row in rows.items() if row.state == SystemState.PRIMARY]
    return _Known(
        secrets=secrets,
        primary=primary[0] if primary else FIRST,
        until=time.monotonic() + LOOKED_SECONDS,
    )


def versions_held() -> list[int]:
    """Return the versions that this process can open with, for the report to whoever rotates."""
    return sorted(_known(anew=True).secrets)


def _derived(known: _Known, version: int, purpose: str) -> envelope.DataKey:
    slot = (version, purpose)
    key = _cache.derived.get(slot)
    if key is None:
        info = b"system|" + purpose.encode()
        derived = kdf.hkdf(known.secrets[version], info=info, length=48)
        key = envelope.DataKey(id=UUID(bytes=derived[:16]), secret=derived[16:])
        _cache.derived[slot] = key
    return key


def system_key(purpose: str) -> bytes:
    """Return a 32-byte key of the deployment for one purpose's tags, of the first version."""
    return _derived(_known(), FIRST, purpose).secret


def sealing_id(purpose: str) -> UUID:
    """Return the id that an envelope sealed now for a purpose would name."""
    known = _known()
    return _derived(known, known.primary, purpose).id


def system_seal(purpose: str, plaintext: bytes, *context: str | bytes | int | UUID) -> bytes:
    """Seal a secret of the deployment's own (a TOTP seed, a feed's password)."""
    known = _known()
    return envelope.seal(
        key=_derived(known, known.primary, purpose),
        plaintext=plaintext,
        context=envelope.context(purpose, *context),
    )


def system_unseal(purpose: str, sealed: bytes, *context: str | bytes | int | UUID) -> bytes:
    """Open what `system_seal` sealed under any version; raises ``crypto.errors.CryptoError``."""
    return envelope.unseal(
        key=lambda name: _named(purpose, name),
        sealed=sealed,
        context=envelope.context(purpose, *context),
    )


def _named(purpose: str, name: UUID) -> envelope.DataKey | None:
    """Return the key of an id; one that is not known yet is looked for among the rows."""
    for anew in (False, True):
        known = _known(anew=anew)
        for version in known.secrets:
            key = _derived(known, version, purpose)
            if key.id == name:
                return key
    return None
