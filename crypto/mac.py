"""Keyed hashes: fingerprints, blind indexes, the stored half of an API key."""

import hmac
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def tag(key: bytes, message: bytes, *, length: int = 32) -> bytes:
    """Return the first `length` bytes of HMAC-SHA-256 (RFC 2104)."""
    return hmac.digest(key, message, "sha256")[:length]


def tags64(key: bytes, messages: Iterable[bytes]) -> NDArray[np.uint64]:
    """Return the first 64 bits of HMAC-SHA-256 of each message, big-endian, shape ``(n,)``.

    One call per million messages costs a second or two: the loop is over OpenSSL's one-shot HMAC.
    """
    digest = hmac.digest
    joined = b"".join([digest(key, message, "sha256")[:8] for message in messages])
    return np.frombuffer(joined, dtype=">u8").astype(np.uint64)


def equal(a: bytes, b: bytes) -> bool:
    """Say whether two byte strings are equal, in time that does not depend on where they differ."""
    return hmac.compare_digest(a, b)
