"""The envelope: what every sealed byte of the product lies in.

::

    magic 2 | version 1 | suite 1 | key id 16 | nonce 24 | ciphertext | tag 16      (60 bytes over)

The associated data is not stored. It is recomputed from the row that holds the envelope at every
read, so a ciphertext moved to another row, tenant, table or schema does not open. It is encoded
with lengths (`context`), because joining ``"ab","c"`` and ``"a","bc"`` must not give one string.

The key id in the envelope selects among keys that the caller already holds. It is never used to
fetch a key from a place or with an algorithm that the envelope names.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from crypto import aead, kdf, mac
from crypto.errors import MalformedSealed, UnknownKey, WrongKey
from crypto.random import random_bytes

MAGIC = b"TW"
VERSION = 1
XAES_256_GCM = 1
HEADER_BYTES = 20
OVERHEAD_BYTES = HEADER_BYTES + aead.NONCE_BYTES + aead.TAG_BYTES
CHECK_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class DataKey:
    """A symmetric key and the name under which envelopes refer to it.

    Never shown: its ``repr`` has no secret, and it refuses to be pickled.
    """

    id: UUID
    secret: bytes

    def __repr__(self) -> str:
        return f"DataKey(id={self.id})"

    def __reduce__(self) -> str:
        raise TypeError("a key is not pickled")

    @property
    def check(self) -> bytes:
        """The key's check value: it commits to the key without telling anything of it."""
        return kdf.hkdf(self.secret, info=b"kcv|" + self.id.bytes, length=CHECK_BYTES)


def context(*parts: str | bytes | int | UUID) -> bytes:
    """Encode associated data: each part with a type letter and its length before it.

    Integers are 64-bit signed; a larger one raises ``OverflowError``.
    """
    encoded = bytearray()
    for part in parts:
        if isinstance(part, UUID):
            kind, body = b"u", part.bytes
        elif isinstance(part, str):
            kind, body = b"s", part.encode()
        elif isinstance(part, bytes):
            kind, body = b"b", part
        else:
            kind, body = b"i", part.to_bytes(8, "big", signed=True)
        encoded += kind + len(body).to_bytes(4, "big") + body
    return bytes(encoded)


def seal(*, key: DataKey, plaintext: bytes, context: bytes) -> bytes:
    """Seal `plaintext` under `key`, bound to `context`."""
    header = MAGIC + bytes((VERSION, XAES_256_GCM)) + key.id.bytes
    nonce = random_bytes(aead.NONCE_BYTES)
    return header + nonce + aead.encrypt(key.secret, nonce, plaintext, header + context)


def key_id(sealed: bytes) -> UUID:
    """Return the id of the key that an envelope names, or raise `MalformedSealed`."""
    if len(sealed) < OVERHEAD_BYTES or sealed[:2] != MAGIC:
        raise MalformedSealed(f"{len(sealed)} bytes that are no envelope")
    if sealed[2] != VERSION or sealed[3] != XAES_256_GCM:
        raise MalformedSealed(f"envelope version {sealed[2]}, suite {sealed[3]} is unknown")
    return UUID(bytes=bytes(sealed[4:HEADER_BYTES]))


def unseal(*, key: Callable[[UUID], DataKey | None], sealed: bytes, context: bytes) -> bytes:
    """Open an envelope whose row gives `context`.

    `key` answers a key id with the key, or ``None`` where the caller holds no such key. Raises
    `MalformedSealed`, `UnknownKey` or `NotAuthentic`; never returns anything else than what was
    sealed.
    """
    sealed = bytes(sealed)
    name = key_id(sealed)
    held = key(name)
    if held is None:
        raise UnknownKey(f"no key {name} is held here")
    body = HEADER_BYTES + aead.NONCE_BYTES
    return aead.decrypt(
        held.secret, sealed[HEADER_BYTES:body], sealed[body:], sealed[:HEADER_BYTES] + context
    )


def wrap(*, key: DataKey, under: DataKey, context: bytes) -> bytes:
    """Seal a key under a key that wraps keys."""
    return seal(key=under, plaintext=key.secret, context=b"wrap|" + key.id.bytes + context)


def unwrap(*, wrapped: bytes, id: UUID, check: bytes, under: DataKey, context: bytes) -> DataKey:  # noqa: A002 -- the key's id
    """Open a wrapped key and hold it against its check value.

    Raises `WrongKey` when the check value does not match: AES-GCM alone does not commit to its key.
    """
    secret = unseal(
        key=lambda name: under if name == under.id else None,
        sealed=wrapped,
        context=b"wrap|" + id.bytes + context,
    )
    key = DataKey(id=id, secret=secret)
    if not mac.equal(key.check, bytes(check)):
        raise WrongKey(f"key {id} does not match its check value")
    return key
