r"""Ed25519 signatures over text, in the signed-note format that transparency logs share.

A note is text that ends with a newline, an empty line, and lines ``— <key name> <base64>`` whose
bytes are a 4-byte key id and the signature over the text. The key id binds name, algorithm and
public key: ``SHA-256(name | "\n" | 0x01 | public key)[:4]``. Signatures by unknown keys are kept
and ignored, so that witnesses can add theirs.

Sources: C2SP signed-note; RFC 8032 (Ed25519); RFC 8410 (its PKCS #8 and SPKI encodings).
"""

import base64
import binascii
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from crypto.digests import sha256
from crypto.errors import CryptoError, NotAuthentic

ED25519 = b"\x01"
"""The signature type of plain Ed25519 in the signed-note format."""

PUBLIC_BYTES = 32
SEED_BYTES = 32
SIGNATURE_BYTES = 64
KEY_ID_BYTES = 4
NOTE_LIMIT = 1 << 20
"""Characters of a note; the reference implementation refuses more, and so do we before parsing."""
SIGNATURES_LIMIT = 100

_DASH = "\N{EM DASH} "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class MalformedNote(CryptoError):  # noqa: N818 -- reads as a fact, like the rest of the tree
    """The text is no signed note."""

    code = "malformed_note"


class MalformedKey(CryptoError):  # noqa: N818 -- see MalformedNote
    """The bytes are no Ed25519 key in a form that we read."""

    code = "malformed_key"


def _checked_name(name: str) -> str:
    if not name or "+" in name or any(each.isspace() for each in name) or _CONTROL.search(name):
        raise MalformedKey("a key's name is not empty and holds neither spaces nor a plus sign")
    return name


def _unbase64(text: str) -> bytes:
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedNote("not base64") from error
    if base64.b64encode(decoded).decode() != text:  # spare bits: two spellings of one signature
        raise MalformedNote("not canonical base64")
    return decoded


def key_id(*, name: str, public: bytes) -> bytes:
    """Return the 4 bytes by which a signature line names its Ed25519 key."""
    return sha256(name.encode() + b"\n" + ED25519 + public)[:KEY_ID_BYTES]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyingKey:
    """The public half of a named key: 32 bytes of Ed25519 and the name that its id binds."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        _checked_name(self.name)
        if len(self.public) != PUBLIC_BYTES:
            raise MalformedKey("an Ed25519 public key has 32 bytes")

    @property
    def id(self) -> bytes:
        """The key's 4-byte id."""
        return key_id(name=self.name, public=self.public)

    def verifies(self, *, message: bytes, signature: bytes) -> bool:
        """Say whether `signature` (64 bytes) is this key's over `message`."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def encode(self) -> str:
        """Return the one-line form ``name+id in hex+base64(0x01 | key)`` (C2SP vkey)."""
        key = base64.b64encode(ED25519 + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{key}"

    @classmethod
    def decode(cls, line: str) -> "VerifyingKey":
        """Read the one-line form back, or raise `MalformedKey`; the id must fit the key."""
        parts = line.strip().split("+", 2)
        if len(parts) != 3:
            raise MalformedKey("a verifying key is name+id+key")
        name, identifier, encoded = parts
        try:
            blob = _unbase64(encoded)
        except MalformedNote as error:
            raise MalformedKey("the verifying key is not base64") from error
        if blob[:1] != ED25519:
            raise MalformedKey("the verifying key is of another type than Ed25519")
        key = cls(name=name, public=blob[1:])
        if key.id.hex() != identifier.lower():
            raise MalformedKey("the verifying key's id does not fit its name and bytes")
        return key


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SigningKey:
    """A named Ed25519 key that can sign; it never shows its secret half."""

    name: str
    private: Ed25519PrivateKey

    def __post_init__(self) -> None:
        _checked_name(self.name)

    def __repr__(self) -> str:
        return f"SigningKey(name={self.name!r})"

    @property
    def verifying(self) -> VerifyingKey:
        """The public half, under the same name."""
        return VerifyingKey(name=self.name, public=self.private.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature over `message`."""
        return self.private.sign(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature line: who says to have signed, under which key id, and the bytes."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A parsed note, nothing verified yet."""

    text: str
    signatures: tuple[Signature, ...]


def _checked_text(text: str) -> bytes:
    if not text.endswith("\n"):
        raise MalformedNote("a note's text ends with a newline")
    if _CONTROL.search(text):
        raise MalformedNote("a note's text holds no control character but the newline")
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise MalformedNote("a note's text is valid UTF-8") from error


def sign_note(text: str, *signers: SigningKey) -> str:
    """Return `text` as a note signed by each signer in turn.

    `text` ends with a newline and has no other control character, or `MalformedNote` is raised.
    """
    message = _checked_text(text)
    lines = []
    for signer in signers:
        blob = signer.verifying.id + signer.sign(message)
        lines.append(f"{_DASH}{signer.name} {base64.b64encode(blob).decode()}\n")
    return text + "\n" + "".join(lines)


def _parse_signature(line: str) -> Signature:
    if not line.startswith(_DASH):
        raise MalformedNote("a signature line starts with an em dash and a space")
    name, separator, encoded = line.removeprefix(_DASH).partition(" ")
    blob = _unbase64(encoded)
    if not separator or not name or "+" in name or len(blob) <= KEY_ID_BYTES:
        raise MalformedNote("a signature line is a name and a signature")
    return Signature(name=name, key_id=blob[:KEY_ID_BYTES], signature=blob[KEY_ID_BYTES:])


def parse_note(note: str) -> Note:
    """Split a note into its text and signatures, or raise `MalformedNote`; verifies nothing."""
    if len(note) > NOTE_LIMIT:
        raise MalformedNote(f"a note has at most {NOTE_LIMIT} characters")
    _checked_text(note)
    head, separator, tail = note.rpartition("\n\n")
    if not separator or not tail:
        raise MalformedNote("a note has an empty line and signatures after it")
    lines = tail.removesuffix("\n").split("\n")
    if len(lines) > SIGNATURES_LIMIT:
        raise MalformedNote(f"a note has at most {SIGNATURES_LIMIT} signatures")
    return Note(text=head + "\n", signatures=tuple(_parse_signature(line) for line in lines))


def open_note(note: str, *keys: VerifyingKey) -> str:
    """Return the note's text if one of `keys` signed it.

    Raises
    ------
    MalformedNote
        The text is no note.
    NotAuthentic
        None of the keys signed it, or a line under a known key's name and id does not verify.

    """
    parsed = parse_note(note)
    known = {(key.name, key.id): key for key in keys}
    message = parsed.text.encode()
    signed = False
    for each in parsed.signatures:
        key = known.get((each.name, each.key_id))
        if key is None:
            continue
        if not key.verifies(message=message, signature=each.signature):
            raise NotAuthentic(f"the note's signature by {each.name} does not verify")
        signed = True
    if not signed:
        raise NotAuthentic("none of the known keys signed the note")
    return parsed.text


def generate(name: str) -> SigningKey:
    """Make a new signing key from the operating system's random source."""
    return SigningKey(name=name, private=Ed25519PrivateKey.generate())


def encode_private(key: SigningKey) -> bytes:
    """Return the secret half as unencrypted PKCS #8 PEM; the caller writes it with mode 0400."""
    return key.private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def decode_private(content: bytes, *, name: str) -> SigningKey:
    """Read a key file: PKCS #8 PEM, or the 32 secret bytes in base64. Raises `MalformedKey`."""
    if content.lstrip().startswith(b"-----BEGIN"):
        try:
            private = serialization.load_pem_private_key(content, password=None)
        except (ValueError, TypeError) as error:
            raise MalformedKey("the key file is no unencrypted PKCS #8 key") from error
        if not isinstance(private, Ed25519PrivateKey):
            raise MalformedKey("the key file holds another kind of key than Ed25519")
        return SigningKey(name=name, private=private)
    seed = _raw_key(content, length=SEED_BYTES)
    return SigningKey(name=name, private=Ed25519PrivateKey.from_private_bytes(seed))


def encode_public(key: VerifyingKey) -> bytes:
    """Return the public half as SubjectPublicKeyInfo PEM, as other tools read it."""
    return Ed25519PublicKey.from_public_bytes(key.public).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def decode_public(content: bytes, *, name: str) -> VerifyingKey:
    """Read a public key: the one-line form, SPKI PEM, or 32 bytes in base64.

    `name` is for the two forms that carry none; the one-line form must agree with it. Raises
    `MalformedKey`.
    """
    if content.lstrip().startswith(b"-----BEGIN"):
        try:
            public = serialization.load_pem_public_key(content)
        except ValueError as error:
            raise MalformedKey("the key file is no public key") from error
        if not isinstance(public, Ed25519PublicKey):
            raise MalformedKey("the key file holds another kind of key than Ed25519")
        return VerifyingKey(name=name, public=public.public_bytes_raw())
    line = content.decode("utf-8", "replace").strip()
    if line.startswith(f"{name}+"):
        return VerifyingKey.decode(line)
    return VerifyingKey(name=name, public=_raw_key(content, length=PUBLIC_BYTES))


def _raw_key(content: bytes, *, length: int) -> bytes:
    try:
        raw = base64.b64decode(content.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedKey("the key file is neither PEM nor base64") from error
    if len(raw) != length:
        raise MalformedKey(f"the key file holds {len(raw)} bytes; a key has {length}")
    return raw
