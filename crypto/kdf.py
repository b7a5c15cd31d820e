"""Key derivation."""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def hkdf(key: bytes, *, info: bytes, length: int = 32) -> bytes:
    """Derive `length` bytes from a uniformly random `key` for the purpose `info`.

    HKDF-SHA-256 (RFC 5869) without a salt: the input is a key already, and `info` separates
    the purposes.
    """
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(key)
