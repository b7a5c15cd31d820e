"""The Ed25519 of verify.py, which has no library: RFC 8032's vectors, and another's word."""

import base64
import hashlib
import random
import runpy
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.bundle.writing import VERIFIER

# RFC 8032 7.1: public key, message, signature.
VECTORS = {
    "TEST 1": (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        ("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
         "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
    ),
    "TEST 2": (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        ("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
         "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
    ),
    "TEST 3": (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        ("6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
         "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
    ),
}  # fmt: skip
SHA_ABC_SECRET = bytes.fromhex("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42")
SHA_ABC_PUBLIC = bytes.fromhex("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf")
ORDER = 2**252 + 27742317777372353535851937790883648493


def verifier(public: bytes) -> Any:
    """Make the program's key from 32 octets, by the line that an auditor has."""
    blob = b"\x01" + public
    identifier = hashlib.sha256(b"a.example\n" + blob).digest()[:4].hex()
    line = f"a.example+{identifier}+{base64.b64encode(blob).decode()}"
    return runpy.run_path(str(VERIFIER))["_Key"](line)


@pytest.mark.parametrize("name", VECTORS)
def test_the_vectors_of_the_rfc_verify_and_no_change_of_them_does(name: str) -> None:
    public, message, signature = (bytes.fromhex(part) for part in VECTORS[name])
    key = verifier(public)
    assert key.verifies(message, signature)
    assert not key.verifies(message + b"x", signature)
    for place in (0, 31, 32, 63):
        changed = bytearray(signature)
        changed[place] ^= 1
        assert not key.verifies(message, bytes(changed))
    s = int.from_bytes(signature[32:], "little") + ORDER  # the same point, written otherwise
    assert not key.verifies(message, signature[:32] + s.to_bytes(32, "little"))


def test_cryptography_and_the_program_agree() -> None:
    chance = random.Random(8032)
    private = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
    raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
    key = verifier(private.public_key().public_bytes(*raw))
    for size in range(40):
        message = chance.randbytes(size)
        signature = private.sign(message)
        assert key.verifies(message, signature)
        assert not key.verifies(chance.randbytes(size + 1), signature)


def test_the_fourth_vector_of_the_rfc_is_derived_from_its_secret() -> None:
    """RFC 8032 7.1, TEST SHA(abc): the message is a digest; `cryptography` says what is signed."""
    private = Ed25519PrivateKey.from_private_bytes(SHA_ABC_SECRET)
    raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
    public = private.public_key().public_bytes(*raw)
    assert public == SHA_ABC_PUBLIC
    message = hashlib.sha512(b"abc").digest()
    signature = private.sign(message)
    assert signature[:8].hex() == "dc2a4459e7369633"
    assert verifier(public).verifies(message, signature)
    assert not verifier(public).verifies(message[:-1] + b"x", signature)


def test_cryptography_and_the_program_agree_on_digests_of_64_octets() -> None:
    chance = random.Random(64)
    raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
    for _ in range(5):
        private = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
        public = private.public_key()
        key = verifier(public.public_bytes(*raw))
        for _ in range(8):
            message = chance.randbytes(64)
            signature = bytearray(private.sign(message))
            public.verify(bytes(signature), message)
            assert key.verifies(message, bytes(signature))
            signature[chance.randrange(64)] ^= 1 << chance.randrange(8)
            with pytest.raises(InvalidSignature):
                public.verify(bytes(signature), message)
            assert not key.verifies(message, bytes(signature))


def test_what_is_no_point_is_no_key() -> None:
    with pytest.raises(ValueError, match="no point"):
        verifier((2).to_bytes(32, "little"))
