"""Reading a sealed stream: the reading half of the service's ``crypto/stream.py``.

The form is described there. Everything but the primitives is here, so that an archive opens without
the service; the primitives come from ``cryptography``, which ``pip install tawny[export]`` brings.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from tawny.errors import TawnyError

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.ciphers.algorithms import AES256
    from cryptography.hazmat.primitives.cmac import CMAC
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
except ImportError as _missing:  # the command is told what to install, and no other needs it
    raise TawnyError("opening an archive needs cryptography: pip install 'tawny[export]'") from (
        _missing
    )

MAGIC = b"tawny-sealed/1\n"
PIECE = 1 << 16
TAG = 16
HEADER_TAG = 32
NONCE = 24
MAX_HEADER = 4096
MAX_COST = 1 << 20  # scrypt's N: 1 GiB, for a header that somebody else wrote
RECIPIENT = "tawny-recipient-"
IDENTITY = "tawny-identity-"


class Unopened(TawnyError):  # noqa: N818 -- as in tawny.errors
    """An archive did not open; the text says why."""

    code = "unopened"


@dataclass(frozen=True, slots=True)
class Identity:
    """What opens archives that are sealed to its recipient."""

    secret: bytes

    def __repr__(self) -> str:
        return "Identity()"

    @property
    def recipient(self) -> str:
        """The word to give to whoever exports."""
        public = X25519PrivateKey.from_private_bytes(self.secret).public_key()
        return RECIPIENT + public.public_bytes_raw().hex()

    def encode(self) -> str:
        """Give the word to keep in a file that nobody else reads."""
        return IDENTITY + self.secret.hex()

    @classmethod
    def parse(cls, text: str) -> "Identity":
        """Read an identity file; lines that begin with # say what it is."""
        for line in text.splitlines():
            if line.startswith(IDENTITY):
                try:
                    secret = binascii.unhexlify(line.strip().removeprefix(IDENTITY))
                except binascii.Error:
                    break
                if len(secret) == 32:
                    return cls(secret)
        raise Unopened("the file holds no identity")

    @classmethod
    def new(cls) -> "Identity":
        """Make an identity."""
        return cls(os.urandom(32))


def opened(file: BinaryIO, by: str | Identity) -> Iterator[bytes]:
    """Yield the plaintext's pieces; ``by`` is a passphrase or an identity. Raises `Unopened`.

    That nothing is missing is known at the end alone: keep nothing of a stream that raised.
    """
    prefix, key = _header(file, by)
    number, piece = 0, file.read(PIECE + TAG)
    while True:
        following = file.read(PIECE + TAG)
        last = not following
        if last and number and len(piece) <= TAG:
            raise Unopened("the archive is cut short")
        nonce = prefix + number.to_bytes(11, "big") + bytes((last,))
        yield _decrypt(key, nonce, piece, b"", "the archive is damaged, changed or cut short")
        if last:
            return
        number, piece = number + 1, following


def _header(file: BinaryIO, by: str | Identity) -> tuple[bytes, bytes]:
    if file.read(len(MAGIC)) != MAGIC:
        raise Unopened("this is no archive of Tawny")
    line = file.readline(MAX_HEADER)
    try:
        header = json.loads(line)
        prefix = _octets(header["nonce"], 12)
        file_key = _file_key(header, by)
    except (ValueError, KeyError, TypeError) as error:
        raise Unopened("the archive's header cannot be read") from error
    tag = hmac.digest(_derived(file_key, b"tawny stream header"), MAGIC + line, "sha256")
    if not hmac.compare_digest(tag, file.read(HEADER_TAG)):
        raise Unopened("the archive's header was changed")
    return prefix, _derived(file_key, b"tawny stream pieces")


def _file_key(header: dict[str, Any], by: str | Identity) -> bytes:
    wrapped = _octets(header["key"], NONCE + 32 + TAG)
    if header["to"] != ("passphrase" if isinstance(by, str) else "x25519"):
        raise Unopened(f"the archive is sealed to a {header['to']!s:.20}: give that")
    if isinstance(by, str):
        cost = header["n"]
        if type(cost) is not int or not 1 < cost <= MAX_COST or cost & (cost - 1):
            raise Unopened("the archive's header asks for too much")
        salt = _octets(header["salt"], 16)
        under = Scrypt(salt=salt, length=32, n=cost, r=8, p=1).derive(by.encode())
    else:
        ephemeral = _octets(header["ephemeral"], 32)
        own = X25519PrivateKey.from_private_bytes(by.secret)
        shared = own.exchange(X25519PublicKey.from_public_bytes(ephemeral))
        public = own.public_key().public_bytes_raw()
        under = _derived(shared, b"tawny stream x25519" + ephemeral + public)
    sealed, nonce = wrapped[NONCE:], wrapped[:NONCE]
    wrong = "the archive is sealed to another passphrase or recipient"
    return _decrypt(under, nonce, sealed, b"tawny stream key", wrong)


def _decrypt(key: bytes, nonce: bytes, sealed: bytes, aad: bytes, wrong: str) -> bytes:
    """Open XAES-256-GCM (c2sp.org/XAES-256-GCM), or raise `Unopened` with the given words."""
    derived = b""
    for counter in (b"\x00\x01X\x00", b"\x00\x02X\x00"):
        block = CMAC(AES256(key))
        block.update(counter + nonce[:12])
        derived += block.finalize()
    try:
        return AESGCM(derived).decrypt(nonce[12:], sealed, aad)
    except (InvalidTag, ValueError):
        raise Unopened(wrong) from None


def _derived(key: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(key)


def _octets(text: str, length: int) -> bytes:
    octets = base64.b64decode(text, validate=True)
    if len(octets) != length:
        raise ValueError(f"{length} octets were expected")
    return octets


def fingerprint(octets: bytes) -> str:
    """Give the SHA-256 of some octets as a manifest writes it."""
    return hashlib.sha256(octets).hexdigest()
