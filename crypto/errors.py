"""What can go wrong with a ciphertext or a key.

CryptoError
├── NotAuthentic      the ciphertext, its context or its key do not belong together
├── MalformedSealed   the bytes are no envelope of ours
├── UnknownKey        the envelope names a key that the caller does not hold
└── WrongKey          a key does not match its stored check value
"""


class CryptoError(Exception):
    """A cryptographic operation was refused."""

    code = "crypto"


class NotAuthentic(CryptoError):  # noqa: N818 -- reads as a fact, like Django's DoesNotExist
    """The ciphertext, its context and its key do not belong together."""

    code = "not_authentic"


class MalformedSealed(CryptoError):  # noqa: N818 -- see NotAuthentic
    """The bytes are no envelope of ours."""

    code = "malformed_sealed"


class UnknownKey(CryptoError):  # noqa: N818 -- see NotAuthentic
    """The envelope names a key that the caller does not hold."""

    code = "unknown_key"


class WrongKey(CryptoError):  # noqa: N818 -- see NotAuthentic
    """A key does not match its stored check value."""

    code = "wrong_key"
