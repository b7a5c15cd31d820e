"""Hashes of public bytes. Never used on an address or a name without a key."""

import hashlib


def sha256(message: bytes) -> bytes:
    """Return the 32-byte SHA-256 of `message` (FIPS 180-4)."""
    return hashlib.sha256(message).digest()
