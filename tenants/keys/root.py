"""The root key, the peppers, and what is sealed under the deployment rather than a tenant."""

import stat
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from django.conf import settings

from crypto import envelope, kdf
from tenants.errors import KeyUnavailable

KEY_BYTES = 32


def read_key_file(path: str) -> bytes:
    """Read a key of 32 bytes, written in hexadecimal, from a file that only its owner may read.

    Raises `KeyUnavailable` when the file is missing, open to others or holds something else.
    """
    file = Path(path)
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        text = file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise KeyUnavailable(f"the key file {path} cannot be read") from None
    if mode & 0o177:
        raise KeyUnavailable(f"the key file {path} has mode {mode:o}; it must be 0400 or 0600")
    try:
        key = bytes.fromhex(text)
    except ValueError:
        raise KeyUnavailable(f"the key file {path} is not hexadecimal") from None
    if len(key) != KEY_BYTES:
        raise KeyUnavailable(f"the key file {path} holds {len(key)} bytes, not {KEY_BYTES}")
    return key


@lru_cache(maxsize=2)
def _root(path: str) -> envelope.DataKey:
    secret = read_key_file(path)
    return envelope.DataKey(
        id=UUID(bytes=kdf.hkdf(secret, info=b"root|id", length=16)),
        secret=kdf.hkdf(secret, info=b"root|wrap"),
    )


def root() -> envelope.DataKey:
    """Return the key that wraps tenant keys."""
    return _root(settings.ROOT_KEY_FILE)


@lru_cache(maxsize=16)
def _system(path: str, purpose: str) -> envelope.DataKey:
    derived = kdf.hkdf(read_key_file(path), info=b"system|" + purpose.encode(), length=48)
    return envelope.DataKey(id=UUID(bytes=derived[:16]), secret=derived[16:])


def system_key(purpose: str) -> bytes:
    """Return a 32-byte key of the deployment for one purpose, derived from the root key."""
    return _system(settings.ROOT_KEY_FILE, purpose).secret


def system_seal(purpose: str, plaintext: bytes, *context: str | bytes | int | UUID) -> bytes:
    """Seal a secret of the deployment's own (a TOTP seed, a feed's password)."""
    return envelope.seal(
        key=_system(settings.ROOT_KEY_FILE, purpose),
        plaintext=plaintext,
        context=envelope.context(purpose, *context),
    )


def system_unseal(purpose: str, sealed: bytes, *context: str | bytes | int | UUID) -> bytes:
    """Open what `system_seal` sealed; raises ``crypto.errors.CryptoError``."""
    key = _system(settings.ROOT_KEY_FILE, purpose)
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
