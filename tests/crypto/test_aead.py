"""XAES-256-GCM against the vectors that C2SP publishes."""

import hashlib

import pytest

from crypto import aead
from crypto.errors import NotAuthentic

NONCE = b"ABCDEFGHIJKLMNOPQRSTUVWX"


def test_the_first_published_vector() -> None:
    sealed = aead.encrypt(b"\x01" * 32, NONCE, b"XAES-256-GCM", b"")
    assert sealed.hex() == "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"


def test_the_second_published_vector() -> None:
    sealed = aead.encrypt(b"\x03" * 32, NONCE, b"XAES-256-GCM", b"c2sp.org/XAES-256-GCM")
    assert sealed.hex() == "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"


def test_ten_thousand_random_messages_give_the_published_digest() -> None:
    source = hashlib.shake_128()
    stream = source.digest(10_000 * (32 + 24 + 2 + 510))
    position = 0

    def take(count: int) -> bytes:
        nonlocal position
        position += count
        return stream[position - count : position]

    accumulated = hashlib.shake_128()
    for _ in range(10_000):
        key, nonce = take(32), take(24)
        plaintext = take(take(1)[0])
        aad = take(take(1)[0])
        sealed = aead.encrypt(key, nonce, plaintext, aad)
        assert aead.decrypt(key, nonce, sealed, aad) == plaintext
        accumulated.update(sealed)
    assert (
        accumulated.hexdigest(32)
        == "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939"
    )


@pytest.mark.parametrize("where", [0, 5, -1])
def test_a_flipped_bit_does_not_open(where: int) -> None:
    sealed = bytearray(aead.encrypt(b"\x01" * 32, NONCE, b"contents", b"row"))
    sealed[where] ^= 1
    with pytest.raises(NotAuthentic):
        aead.decrypt(b"\x01" * 32, NONCE, bytes(sealed), b"row")


def test_short_keys_and_nonces_are_refused() -> None:
    with pytest.raises(ValueError, match="key has 16 bytes"):
        aead.encrypt(b"k" * 16, NONCE, b"", b"")
    with pytest.raises(ValueError, match="nonce has 12 bytes"):
        aead.encrypt(b"k" * 32, b"n" * 12, b"", b"")
