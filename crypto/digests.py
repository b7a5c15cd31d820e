"""Hashes of public bytes. Never used on an address or a name without a key."""

import hashlib
from typing import BinaryIO


def sha256(message: bytes) -> bytes:
    """Return the 32-byte SHA-256 of `message` (FIPS 180-4)."""
    return hashlib.sha256(message).digest()


def sha256_of(file: BinaryIO) -> bytes:
    """Return the SHA-256 of what is left to read of a file opened for bytes, in constant memory."""
    return hashlib.file_digest(file, "sha256").digest()  # type: ignore[arg-type]  # any binary file
