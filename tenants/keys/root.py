"""The peppers, and what is sealed under the deployment rather than a tenant.

The deployment's own secret is the first root key's file where there is one, as it always was; where
a key service holds the root, or the first file was retired, it is a row of the keys database,
wrapped like a tenant's key.
"""

from functools import lru_cache
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
from tenants.keys.providers.file import FileProvider
from tenants.models.keys import SystemKey

__all__ = ["KEY_BYTES", "read_key_file"]

SYSTEM = "system"
_CONTEXT = envelope.context("system_key", SYSTEM)


def _secret() -> bytes:
    """Return the deployment's own secret, 32 bytes."""
    first = settings.ROOT_KEY_FILE
    if settings.KEY_PROVIDER == "file" and Path(first).exists():
        return read_key_file(first)
    row = SystemKey.objects.using("keys").filter(name=SYSTEM).first()
    if row is None and settings.KEY_PROVIDER == "file":
        return read_key_file(first)  # which says what is missing
    return keyring.unwrap(row or keep_system_secret(random_bytes(KEY_BYTES)), _CONTEXT).secret


def keep_system_secret(secret: bytes) -> SystemKey:
    """Store the deployment's secret wrapped, where none is stored; return what is."""
    now = timezone.now()  # noqa: TID251 -- when the row was made; nothing depends on it
    key = envelope.DataKey(id=uuid7(now), secret=secret)
    with transaction.atomic(using="keys"):
        wrapped = keyring.wrap(key, _CONTEXT, now=now)
        SystemKey.objects.using("keys").bulk_create(
            [
                SystemKey(
                    name=SYSTEM, id=key.id, provider=wrapped.provider, key_id=wrapped.key_id,
                    root_version=wrapped.version, wrapped=wrapped.blob, check_value=key.check,
                    created_at=now,
                )
            ],
            ignore_conflicts=True,
        )  # fmt: skip
    return SystemKey.objects.using("keys").get(name=SYSTEM)


def adopt_system_secret() -> None:
    """Store the secret that lies in the first root key's file, before that file may be retired."""
    if Path(settings.ROOT_KEY_FILE).is_file():
        keep_system_secret(read_key_file(settings.ROOT_KEY_FILE))


def system_context() -> bytes:
    """Return the context under which the deployment's secret is wrapped."""
    return _CONTEXT


def root_file() -> str:
    """Return the oldest version of the root key's file that is there, or where the first would be.

    Empty where a key service holds the root and no file is left.
    """
    first = Path(settings.ROOT_KEY_FILE)
    if not settings.ROOT_KEY_FILE or first.exists() or not first.parent.is_dir():
        return str(settings.ROOT_KEY_FILE)
    held = FileProvider(str(first))
    return str(next((held.path(each) for each in held.versions()), first))


@lru_cache(maxsize=16)
def _system(_provider: str, _path: str, purpose: str) -> envelope.DataKey:
    derived = kdf.hkdf(_secret(), info=b"system|" + purpose.encode(), length=48)
    return envelope.DataKey(id=UUID(bytes=derived[:16]), secret=derived[16:])


def _of(purpose: str) -> envelope.DataKey:
    return _system(settings.KEY_PROVIDER, settings.ROOT_KEY_FILE, purpose)


def forget_system() -> None:
    """Derive the deployment's keys anew at their next use."""
    _system.cache_clear()


def system_key(purpose: str) -> bytes:
    """Return a 32-byte key of the deployment for one purpose, derived from its own secret."""
    return _of(purpose).secret


def system_seal(purpose: str, plaintext: bytes, *context: str | bytes | int | UUID) -> bytes:
    """Seal a secret of the deployment's own (a TOTP seed, a feed's password)."""
    return envelope.seal(
        key=_of(purpose), plaintext=plaintext, context=envelope.context(purpose, *context)
    )


def system_unseal(purpose: str, sealed: bytes, *context: str | bytes | int | UUID) -> bytes:
    """Open what `system_seal` sealed; raises ``crypto.errors.CryptoError``."""
    key = _of(purpose)
    return envelope.unseal(
        key=lambda name: key if name == key.id else None,
        sealed=sealed,
        context=envelope.context(purpose, *context),
    )


@lru_cache(maxsize=8)
def _pepper(path: str) -> bytes:
    return read_key_file(path)


def pepper(version: int) -> bytes:
    """Return the pepper of a version, or raise `KeyUnavailable`."""
    path = settings.PEPPERS.get(version)
    if not path:
        raise KeyUnavailable(f"pepper {version} is not configured")
    return _pepper(path)


def primary_pepper() -> tuple[int, bytes]:
    """Return the newest pepper, under which new keys are stored."""
    version = max(settings.PEPPERS)
    return version, pepper(version)
