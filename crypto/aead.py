"""XAES-256-GCM: authenticated encryption whose random nonces never run out.

AES-256-GCM allows 2^32 random 96-bit nonces per key. A tenant's data key seals every chunk of a
class for thirty days on many machines at once, without a counter that they could share, so the
nonce must be random and long: XAES-256-GCM takes 192 bits and stays under a collision risk of
2^-32 for 2^80 messages.

Source: C2SP, XAES-256-GCM (c2sp.org/XAES-256-GCM), whose vectors are in the tests.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB

from crypto.errors import NotAuthentic

KEY_BYTES = 32
NONCE_BYTES = 24
TAG_BYTES = 16


def encrypt(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """Return the ciphertext with its 16-byte tag behind it.

    Raises ``ValueError`` for a key that is not 32 or a nonce that is not 24 bytes long.
    """
    return _derived(key, nonce).encrypt(nonce[12:], plaintext, aad)


def decrypt(key: bytes, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes:
    """Return the plaintext, or raise `NotAuthentic` when anything at all was changed."""
    try:
        return _derived(key, nonce).decrypt(nonce[12:], ciphertext, aad)
    except InvalidTag:
        raise NotAuthentic("ciphertext, context and key do not belong together") from None


def _derived(key: bytes, nonce: bytes) -> AESGCM:
    """Derive the message's AES-GCM key: CMAC of two counters and the nonce's first half."""
    if len(key) != KEY_BYTES:
        raise ValueError(f"the key has {len(key)} bytes, not {KEY_BYTES}")
    if len(nonce) != NONCE_BYTES:
        raise ValueError(f"the nonce has {len(nonce)} bytes, not {NONCE_BYTES}")
    # ECB over single blocks is the raw block cipher, which is what CMAC is built from.
    block = Cipher(AES256(key), ECB()).encryptor()  # noqa: S305 -- CMAC's block cipher
    subkey = _doubled(block.update(bytes(16)))
    prefix = nonce[:12]
    blocks = (b"\x00\x01X\x00" + prefix, b"\x00\x02X\x00" + prefix)
    return AESGCM(b"".join(block.update(_xor(each, subkey)) for each in blocks))


def _doubled(block: bytes) -> bytes:
    """Double in GF(2^128) with CMAC's polynomial."""
    value = int.from_bytes(block, "big") << 1
    if value >> 128:
        value = (value & ((1 << 128) - 1)) ^ 0x87
    return value.to_bytes(16, "big")


def _xor(a: bytes, b: bytes) -> bytes:
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).to_bytes(16, "big")
