"""A sealed stream: a file of any length, encrypted in pieces, for one recipient.

::

    magic line | header, one line of JSON | header's tag 32 | piece | piece | ... | last piece

A random file key is wrapped for the recipient: under a key that scrypt makes of a passphrase, or
under one agreed with an X25519 public key. Each piece is XAES-256-GCM over 64 KiB; its nonce is the
file's 12 random bytes, the piece's number and a byte that is 1 in the last piece alone. So a piece
that is missing, repeated, moved, or of another file does not open, and neither does what was cut
short, be it between two pieces. The header's tag commits to the file key, which GCM does not.

The ordering is STREAM's (Hoang, Reyhanitabar, Rogaway, Vizar: Online Authenticated-Encryption and
its Nonce-Reuse Misuse-Resistance, 2015), as the file format age uses it.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from crypto import aead, kdf, mac
from crypto.errors import MalformedSealed, NotAuthentic, UnknownKey
from crypto.random import random_bytes

MAGIC = b"tawny-sealed/1\n"
PIECE = 1 << 16
"""Octets of plaintext in every piece but the last: what a reader holds at once."""
PREFIX = 12
"""Random octets of a file that begin every nonce."""
TAG = 32
MAX_HEADER = 4096
"""Octets of a header that a reader looks at: three times the longest we write."""
COST = 1 << 17
"""scrypt's N: 128 MiB and half a second for each guess (r 8, p 1; OWASP's figure of 2024)."""
MAX_COST = 1 << 20
"""The highest N that a reader pays: a foreign header must not take all memory (1 GiB)."""
RECIPIENT = "tawny-recipient-"
IDENTITY = "tawny-identity-"
PASSPHRASE_LENGTH = 12
"""The fewest characters of a passphrase: an archive can be guessed at for ever, offline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passphrase:
    """Words that open an archive. ``cost`` is scrypt's N. Never shown."""

    text: str
    cost: int = COST

    def __repr__(self) -> str:
        return "Passphrase()"


@dataclass(frozen=True, slots=True)
class Recipient:
    """A public key that archives are sealed to, as one word."""

    public: bytes

    def __str__(self) -> str:
        return RECIPIENT + self.public.hex()

    @classmethod
    def parse(cls, text: str) -> "Recipient":
        """Read a recipient, or raise `MalformedSealed`."""
        return cls(_word(text, RECIPIENT))


@dataclass(frozen=True, slots=True)
class Identity:
    """The private half of a recipient. Never shown but by `encode`."""

    secret: bytes

    def __repr__(self) -> str:
        return f"Identity({self.recipient})"

    @property
    def recipient(self) -> Recipient:
        """The public half."""
        key = X25519PrivateKey.from_private_bytes(self.secret).public_key()
        return Recipient(key.public_bytes_raw())

    def encode(self) -> str:
        """Return the identity as one word, for a file that nobody else reads."""
        return IDENTITY + self.secret.hex()

    @classmethod
    def parse(cls, text: str) -> "Identity":
        """Read an identity, or raise `MalformedSealed`."""
        return cls(_word(text, IDENTITY))


def new_identity() -> Identity:
    """Make an identity of 256 random bits."""
    return Identity(random_bytes(32))


class Sealer:
    """A file that is written to: seals into ``write``, whose owner puts the octets away.

    `close` writes the last piece: what was not closed does not open.
    """

    def __init__(self, write: Callable[[bytes], object], to: Passphrase | Recipient) -> None:
        file_key = random_bytes(32)
        self._prefix = random_bytes(PREFIX)
        header = {"nonce": _text(self._prefix), **_wrapped(file_key, to)}
        line = json.dumps(header, sort_keys=True, separators=(",", ":")).encode() + b"\n"
        self._key = kdf.hkdf(file_key, info=b"tawny stream pieces")
        self._to = write
        self._sum = hashlib.sha256()
        self._waiting = bytearray()
        self._number = 0
        self._closed = False
        self._put(MAGIC + line + _header_tag(file_key, line))

    @property
    def digest(self) -> bytes:
        """SHA-256 of all that was written so far, as it lies in the file."""
        return self._sum.digest()

    def write(self, octets: bytes) -> int:
        """Take octets; whole pieces go out at once, except what may be the last."""
        if self._closed:
            raise ValueError("the stream is closed")
        self._waiting += octets
        while len(self._waiting) > PIECE:
            self._out(bytes(self._waiting[:PIECE]), last=False)
            del self._waiting[:PIECE]
        return len(octets)

    def close(self) -> None:
        """Write the last piece; a second call does nothing."""
        if not self._closed:
            self._closed = True
            self._out(bytes(self._waiting), last=True)

    def _out(self, plain: bytes, *, last: bool) -> None:
        nonce = _nonce(self._prefix, self._number, last=last)
        self._put(aead.encrypt(self._key, nonce, plain, b""))
        self._number += 1

    def _put(self, octets: bytes) -> None:
        self._sum.update(octets)
        self._to(octets)


def opened(file: BinaryIO, by: Passphrase | Identity) -> Iterator[bytes]:
    """Yield the plaintext's pieces in order, each proven before it is yielded.

    That nothing is missing is known at the end alone: keep nothing of a stream that raised.

    Raises
    ------
    MalformedSealed
        It is no sealed stream, or one for another kind of recipient.
    UnknownKey
        It was sealed for another passphrase or recipient.
    NotAuthentic
        Something was changed, moved or cut off.

    """
    prefix, key = _opened_header(file, by)
    number, piece = 0, file.read(PIECE + aead.TAG_BYTES)
    while True:
        following = file.read(PIECE + aead.TAG_BYTES)
        last = not following
        if last and number and len(piece) <= aead.TAG_BYTES:
            raise NotAuthentic("the stream ends with nothing, or in the middle of a piece")
        yield aead.decrypt(key, _nonce(prefix, number, last=last), piece, b"")
        if last:
            return
        number, piece = number + 1, following


def _opened_header(file: BinaryIO, by: Passphrase | Identity) -> tuple[bytes, bytes]:
    if file.read(len(MAGIC)) != MAGIC:
        raise MalformedSealed("this is no sealed archive of ours")
    line = file.readline(MAX_HEADER)
    try:
        header = json.loads(line)
        prefix = _octets(header["nonce"], PREFIX)
        file_key = _unwrapped(header, by)
    except (ValueError, KeyError, TypeError) as error:
        raise MalformedSealed("the archive's header cannot be read") from error
    if not mac.equal(_header_tag(file_key, line), file.read(TAG)):
        raise NotAuthentic("the archive's header was changed")
    return prefix, kdf.hkdf(file_key, info=b"tawny stream pieces")


def _header_tag(file_key: bytes, line: bytes) -> bytes:
    return mac.tag(kdf.hkdf(file_key, info=b"tawny stream header"), MAGIC + line, length=TAG)


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(11, "big") + bytes((last,))


def _wrapped(file_key: bytes, to: Passphrase | Recipient) -> dict[str, Any]:
    nonce = random_bytes(aead.NONCE_BYTES)
    if isinstance(to, Passphrase):
        salt = random_bytes(16)
        under = _stretched(to.text, salt, to.cost)
        about: dict[str, Any] = {"to": "passphrase", "salt": _text(salt), "n": to.cost}
    else:
        ephemeral = X25519PrivateKey.generate()
        public = ephemeral.public_key().public_bytes_raw()
        shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(to.public))
        under = _agreed(shared, public, to.public)
        about = {"to": "x25519", "ephemeral": _text(public)}
    wrapped = nonce + aead.encrypt(under, nonce, file_key, b"tawny stream key")
    return {**about, "key": _text(wrapped)}


def _unwrapped(header: dict[str, Any], by: Passphrase | Identity) -> bytes:
    wrapped = _octets(header["key"], aead.NONCE_BYTES + 32 + aead.TAG_BYTES)
    kind = "passphrase" if isinstance(by, Passphrase) else "x25519"
    if header["to"] != kind:
        raise MalformedSealed(f"the archive is sealed to a {header['to']!s:.20}, not to a {kind}")
    if isinstance(by, Passphrase):
        cost = header["n"]
        if type(cost) is not int or not 1 < cost <= MAX_COST or cost & (cost - 1):
            raise MalformedSealed(f"scrypt's cost is not one of 2 to {MAX_COST}")
        under = _stretched(by.text, _octets(header["salt"], 16), cost)
    else:
        public = _octets(header["ephemeral"], 32)
        own = X25519PrivateKey.from_private_bytes(by.secret)
        shared = own.exchange(X25519PublicKey.from_public_bytes(public))
        under = _agreed(shared, public, by.recipient.public)
    nonce, sealed = wrapped[: aead.NONCE_BYTES], wrapped[aead.NONCE_BYTES :]
    try:
        return aead.decrypt(under, nonce, sealed, b"tawny stream key")
    except NotAuthentic:
        raise UnknownKey("the archive is sealed to another passphrase or recipient") from None


def _stretched(passphrase: str, salt: bytes, cost: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=cost, r=8, p=1).derive(passphrase.encode())


def _agreed(shared: bytes, ephemeral: bytes, recipient: bytes) -> bytes:
    return kdf.hkdf(shared, info=b"tawny stream x25519" + ephemeral + recipient)


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def _octets(text: str, length: int) -> bytes:
    octets = base64.b64decode(text, validate=True)
    if len(octets) != length:
        raise ValueError(f"{length} octets were expected")
    return octets


def _word(text: str, kind: str) -> bytes:
    try:
        octets = binascii.unhexlify(text.strip().removeprefix(kind))
    except (binascii.Error, ValueError):
        octets = b""
    if not text.strip().startswith(kind) or len(octets) != 32:
        raise MalformedSealed(f"this is no {kind.rstrip('-')}")
    return octets
