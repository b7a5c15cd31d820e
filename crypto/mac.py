"""Keyed hashes: fingerprints, blind indexes, the stored half of an API key."""

import hashlib
import hmac
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_BLOCK = 64  # octets of SHA-256's block
_INNER = bytes(octet ^ 0x36 for octet in range(256))
_OUTER = bytes(octet ^ 0x5C for octet in range(256))


def tag(key: bytes, message: bytes, *, length: int = 32) -> bytes:
    """Return the first `length` bytes of HMAC-SHA-256 (RFC 2104)."""
    return hmac.digest(key, message, "sha256")[:length]


def tags64(key: bytes, messages: Iterable[bytes]) -> NDArray[np.uint64]:
    """Return the first 64 bits of HMAC-SHA-256 of each message, big-endian, shape ``(n,)``.

    The two padded keys are hashed once and their states copied, which halves the time of a call a
    message (RFC 2104, section 4, names this): some 0.8 us each.
    """
    block = key if len(key) <= _BLOCK else hashlib.sha256(key).digest()
    block = block.ljust(_BLOCK, b"\0")
    inner = hashlib.sha256(block.translate(_INNER)).copy
    outer = hashlib.sha256(block.translate(_OUTER)).copy
    tags = []
    for message in messages:
        first = inner()
        first.update(message)
        second = outer()
        second.update(first.digest())
        tags.append(second.digest()[:8])
    return np.frombuffer(b"".join(tags), dtype=">u8").astype(np.uint64)


def equal(a: bytes, b: bytes) -> bool:
    """Say whether two byte strings are equal, in time that does not depend on where they differ."""
    return hmac.compare_digest(a, b)
