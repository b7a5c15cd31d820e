"""API keys as they look: a mistyped one is told without asking the service.

::

    twy_ <public id, 12> _ <secret, 43> <checksum, 6>

The checksum is CRC-32 of all before it, in base 62.
"""

import zlib

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PREFIX = "twy"
ENGINE_PREFIX = "twe"
ID_LENGTH = 12
SECRET_LENGTH = 43
CHECK_LENGTH = 6


def fault(key: str) -> str | None:
    """Say what is wrong with the form of a key, showing nothing of its secret; None if nothing."""
    prefix, _, rest = key.partition("_")
    public, separator, secret = rest.partition("_")
    if prefix == ENGINE_PREFIX:
        said = "this is an engine's key for Wisdom, not a tenant's"
    elif prefix != PREFIX:
        said = f"a key begins with {PREFIX}_"
    elif not separator or len(public) != ID_LENGTH:
        said = f"a key has {ID_LENGTH} characters between its two underscores"
    elif len(secret) != SECRET_LENGTH + CHECK_LENGTH:
        whole = len(PREFIX) + 1 + ID_LENGTH + 1 + SECRET_LENGTH + CHECK_LENGTH
        said = f"it has {len(key)} characters, a key has {whole}"
    elif not set(public + secret) <= set(ALPHABET):
        said = "it has a character that no key has"
    elif checksum(key[:-CHECK_LENGTH]) != key[-CHECK_LENGTH:]:
        said = "its checksum is wrong: a character differs from the key that was given out"
    else:
        return None
    return said


def checksum(body: str) -> str:
    """Give the last characters of the key that begins with ``body``."""
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(CHECK_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
