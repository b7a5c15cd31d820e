"""API keys: how they look, and how one is held against what is stored.

::

    twy_ <public id, 12> _ <secret, 43> <checksum, 6>

The secret is 256 bits in base 62; the checksum is CRC-32 in base 62, so that a mistyped key is
told from an unknown one, and a leaked one is found by a scanner without asking us. Stored is
HMAC-SHA-256 of the whole key under a versioned pepper that is not in the database. Pure.
"""

import zlib
from dataclasses import dataclass
from enum import StrEnum

from crypto import mac
from crypto.random import random_bytes

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
TENANT_PREFIX = "twy"
ENGINE_PREFIX = "twe"
ID_LENGTH = 12
SECRET_LENGTH = 43  # ceil(256 / log2(62))
CHECK_LENGTH = 6  # ceil(32 / log2(62))


class Scope(StrEnum):
    """What a tenant's key may do."""

    INGEST = "ingest:write"
    ALERTS = "alerts:read"
    ACCOUNT = "account:read"
    WISDOM = "wisdom:read"
    CONFIGURE = "configuration:write"
    AUDIT = "audit:read"


ALL_SCOPES = tuple(Scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class MintedKey:
    """A new key: shown once as `text`, kept as `id` and `mac`."""

    id: str
    text: str
    mac: bytes

    def __repr__(self) -> str:
        return f"MintedKey(id={self.id})"


def mint(prefix: str, *, pepper: bytes) -> MintedKey:
    """Make a key of 256 random bits."""
    key_id = _base62(int.from_bytes(random_bytes(16), "big"), ID_LENGTH)
    body = f"{prefix}_{key_id}_{_base62(int.from_bytes(random_bytes(32), 'big'), SECRET_LENGTH)}"
    text = body + _checksum(body)
    return MintedKey(id=key_id, text=text, mac=mac.tag(pepper, text.encode()))


def key_id(prefix: str, text: str) -> str | None:
    """Return the public id of a well-formed key, ``None`` for anything else (typing errors too)."""
    parts = text.split("_")
    if len(parts) != 3 or parts[0] != prefix or len(parts[1]) != ID_LENGTH:
        return None
    if len(parts[2]) != SECRET_LENGTH + CHECK_LENGTH or not text.isascii():
        return None
    body, check = text[:-CHECK_LENGTH], text[-CHECK_LENGTH:]
    return parts[1] if _checksum(body) == check else None


def matches(text: str, *, stored: bytes, pepper: bytes) -> bool:
    """Say whether `text` is the key of which `stored` is the keyed hash, in constant time."""
    return mac.equal(mac.tag(pepper, text.encode()), bytes(stored))


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), CHECK_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))
