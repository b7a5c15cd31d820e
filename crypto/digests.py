"""Hashes of public bytes. Never used on an address or a name without a key."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO


def sha256(message: bytes) -> bytes:
    """Return the 32-byte SHA-256 of `message` (FIPS 180-4)."""
    return hashlib.sha256(message).digest()


def sha256_of(file: BinaryIO) -> bytes:
    """Return the SHA-256 of what is left to read of a file opened for bytes, in constant memory."""
    return hashlib.file_digest(file, "sha256").digest()  # type: ignore[arg-type]  # any binary file


class Running:
    """The SHA-256 of bytes that come in pieces."""

    def __init__(self) -> None:
        self._state = hashlib.sha256()

    def through(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Pass pieces on, taking each into the digest."""
        for piece in pieces:
            self._state.update(piece)
            yield piece

    def digest(self) -> bytes:
        """Return the digest of all that has passed."""
        return self._state.digest()
