import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from hypothesis import given, strategies as st

from crypto import signatures
from crypto.errors import NotAuthentic
from crypto.signatures import MalformedKey, MalformedNote, SigningKey, VerifyingKey

NAME = "tawny.example/test"
# RFC 8032, section 7.1, test 3.
SEED = bytes.fromhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")
PUBLIC = bytes.fromhex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025")
SIGNATURE = bytes.fromhex(
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
)


def test_the_key_of_rfc_8032_signs_as_published(key: SigningKey) -> None:
    assert key.verifying.public == PUBLIC
    assert key.sign(b"\xaf\x82") == SIGNATURE
    assert key.verifying.verifies(message=b"\xaf\x82", signature=SIGNATURE)
    assert not key.verifying.verifies(message=b"\xaf\x83", signature=SIGNATURE)
    assert not key.verifying.verifies(message=b"\xaf\x82", signature=SIGNATURE[:-1])


def test_the_published_note_of_the_reference_implementation_opens() -> None:
    # golang.org/x/mod/sumdb/note, the example of its documentation
    verifier = VerifyingKey.decode(
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    )
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    line = (
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqf"
        "qdngotpRZb6KE6RyyBwJnAM=\n"
    )
    assert signatures.open_note(text + "\n" + line, verifier) == text
    with pytest.raises(NotAuthentic):
        signatures.open_note(text.replace("answer", "Answer") + "\n" + line, verifier)


@pytest.fixture
def key() -> SigningKey:
    return signatures.decode_private(base64.b64encode(SEED), name=NAME)


def test_a_signed_note_opens_with_its_key_and_with_no_other(key: SigningKey) -> None:
    note = signatures.sign_note("one\ntwo\n", key)
    assert signatures.open_note(note, key.verifying) == "one\ntwo\n"
    with pytest.raises(NotAuthentic):
        signatures.open_note(note, signatures.generate(NAME).verifying)
    with pytest.raises(NotAuthentic):
        signatures.open_note(note)


def test_a_witness_may_add_its_signature_and_unknown_ones_are_ignored(key: SigningKey) -> None:
    witness = signatures.generate("witness.example")
    note = signatures.sign_note("text\n", key, witness)
    assert signatures.open_note(note, key.verifying) == "text\n"
    assert signatures.open_note(note, witness.verifying) == "text\n"
    assert [each.name for each in signatures.parse_note(note).signatures] == [
        NAME,
        "witness.example",
    ]


def test_one_false_line_under_a_known_key_spoils_the_note(key: SigningKey) -> None:
    witness = signatures.generate("witness.example")
    lines = signatures.sign_note("text\n", key, witness).splitlines(keepends=True)
    other = signatures.sign_note("other\n", witness).splitlines(keepends=True)
    forged = "".join([*lines[:-1], other[-1]])
    assert signatures.open_note(forged, key.verifying) == "text\n"
    with pytest.raises(NotAuthentic):
        signatures.open_note(forged, key.verifying, witness.verifying)


@given(st.integers(0, 200), st.integers(0, 7))
def test_a_flipped_bit_is_never_accepted(position: int, bit: int) -> None:
    signer = signatures.decode_private(base64.b64encode(SEED), name=NAME)
    note = signatures.sign_note("tawny.example/test\n42\nroot\n", signer)
    changed = bytearray(note.encode())
    changed[position % len(changed)] ^= 1 << bit
    with pytest.raises((NotAuthentic, MalformedNote)):
        signatures.open_note(changed.decode("utf-8", "replace"), signer.verifying)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\nno dash AAAA\n",
        "text\n\n— name\n",
        "text\n\n— name ????\n",
        "text\n\n— name AAAA\n",
        "text\n\n— na+me AAAAAAAA\n",
        "te\rxt\n\n— name AAAAAAAA\n",
        "text\n\n— name AAAAAAAA",
        "text\n\n" + "— name AAAAAAAA\n" * 101,
        "x" * (1 << 20) + "\n\n— name AAAAAAAA\n",
    ],
)
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(MalformedNote):
        signatures.parse_note(note)


@pytest.mark.parametrize("text", ["no newline", "a\tb\n", "\ud800\n"])
def test_text_that_a_note_cannot_hold_is_not_signed(text: str, key: SigningKey) -> None:
    with pytest.raises(MalformedNote):
        signatures.sign_note(text, key)


def test_keys_come_back_from_every_form_in_which_they_are_written(key: SigningKey) -> None:
    again = signatures.decode_private(signatures.encode_private(key), name=NAME)
    assert again.verifying == key.verifying
    public = key.verifying
    for content in (
        signatures.encode_public(public),
        public.encode().encode() + b"\n",
        base64.b64encode(PUBLIC),
    ):
        assert signatures.decode_public(content, name=NAME) == public
    assert "PRIVATE" not in repr(key)


def other_kind() -> bytes:
    return generate_private_key(SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.mark.parametrize("content", [b"", b"QUJD", b"-----BEGIN nothing", b"\xff", other_kind()])
def test_what_is_no_key_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedKey):
        signatures.decode_private(content, name=NAME)
    with pytest.raises(MalformedKey):
        signatures.decode_public(content, name=NAME)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\nbreak"])
def test_a_name_that_a_signature_line_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(MalformedKey):
        signatures.generate(name)


def test_a_verifying_key_whose_id_does_not_fit_is_refused(key: SigningKey) -> None:
    line = key.verifying.encode()
    with pytest.raises(MalformedKey):
        VerifyingKey.decode(line.replace("/test+", "/best+"))
    with pytest.raises(MalformedKey):
        VerifyingKey.decode("name+00000000+")
    with pytest.raises(MalformedKey):
        VerifyingKey.decode("nothing")
