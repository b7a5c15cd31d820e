"""A sealed stream opens whole, for whom it is, or not at all."""

import io
import json

import pytest
from hypothesis import given, settings, strategies as st

from crypto import stream
from crypto.errors import CryptoError, MalformedSealed, NotAuthentic, UnknownKey
from crypto.stream import MAGIC, PIECE, Identity, Passphrase, Recipient, Sealer, opened

CHEAP = 2
"""scrypt's cost in tests: how the pieces lie does not depend on it."""
WORDS = Passphrase(text="correct horse battery", cost=CHEAP)
WIRE = PIECE + 16


def sealed(plain: bytes, to: Passphrase | Recipient = WORDS, *, step: int = 10_000) -> bytes:
    out = io.BytesIO()
    sealer = Sealer(out.write, to)
    for at in range(0, len(plain), step):
        sealer.write(plain[at : at + step])
    sealer.close()
    return out.getvalue()


def unsealed(octets: bytes, by: Passphrase | Identity = WORDS) -> bytes:
    return b"".join(opened(io.BytesIO(octets), by))


def body_at(octets: bytes) -> int:
    return octets.index(b"\n", len(MAGIC)) + 1 + stream.TAG


LENGTHS = (0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 5)


@pytest.mark.parametrize("length", LENGTHS)
def test_what_is_sealed_opens(length: int) -> None:
    plain = bytes(range(256)) * (length // 256 + 1)
    assert unsealed(sealed(plain[:length])) == plain[:length]


def test_a_public_key_is_a_recipient_and_only_its_identity_opens() -> None:
    mine, other = stream.new_identity(), stream.new_identity()
    octets = sealed(b"x" * 100_000, Recipient.parse(str(mine.recipient)))
    assert unsealed(octets, Identity.parse(mine.encode())) == b"x" * 100_000
    with pytest.raises(UnknownKey):
        unsealed(octets, other)
    with pytest.raises(MalformedSealed):
        unsealed(octets, WORDS)
    assert mine.secret.hex() not in repr(mine)
    assert WORDS.text not in repr(WORDS)


def test_another_passphrase_does_not_open() -> None:
    with pytest.raises(UnknownKey):
        unsealed(sealed(b"x"), Passphrase(text="correct horse batter", cost=CHEAP))


@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_a_stream_cut_between_pieces_is_refused(pieces: int) -> None:
    octets = sealed(b"x" * (3 * PIECE + 5))
    start = body_at(octets)
    with pytest.raises(NotAuthentic):
        unsealed(octets[: start + pieces * WIRE])


def test_every_cut_is_refused() -> None:
    octets = sealed(b"x" * (PIECE + 100))
    for end in (*range(body_at(octets) + 40), len(octets) - 1, len(octets) - 117, PIECE):
        with pytest.raises(CryptoError):
            unsealed(octets[:end])


def test_pieces_in_another_order_are_refused() -> None:
    octets = sealed(b"a" * PIECE + b"b" * PIECE + b"c")
    at = body_at(octets)
    first, second = octets[at : at + WIRE], octets[at + WIRE : at + 2 * WIRE]
    for swapped in (second + first, first + first, first + second + second):
        with pytest.raises(NotAuthentic):
            unsealed(octets[:at] + swapped + octets[at + 2 * WIRE :])


def test_a_piece_of_another_file_is_refused() -> None:
    one, two = sealed(b"a" * 10), sealed(b"a" * 10)
    with pytest.raises(NotAuthentic):
        unsealed(one[: body_at(one)] + two[body_at(two) :])


def test_a_piece_added_at_the_end_is_refused() -> None:
    octets = sealed(b"a" * PIECE)
    for more in (b"\0", octets[body_at(octets) :], bytes(16)):
        with pytest.raises(NotAuthentic):
            unsealed(octets + more)


def test_a_header_that_asks_for_all_memory_is_refused() -> None:
    octets = sealed(b"x")
    end = octets.index(b"\n", len(MAGIC))
    header = json.loads(octets[len(MAGIC) : end])
    for cost in (1 << 40, 0, -2, 3, "2", True, 2.0):
        line = json.dumps({**header, "n": cost}).encode()
        with pytest.raises(MalformedSealed):
            unsealed(MAGIC + line + octets[end:])


@settings(max_examples=300)
@given(at=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), length=st.integers(0, 200))
def test_no_flipped_bit_opens(at: float, bit: int, length: int) -> None:
    octets = bytearray(sealed(b"y" * length))
    place = int(at * len(octets))
    octets[place] ^= 1 << bit
    with pytest.raises(CryptoError):
        unsealed(bytes(octets))


@settings(max_examples=50)
@given(parts=st.lists(st.binary(max_size=40_000), max_size=8))
def test_how_it_is_written_changes_nothing(parts: list[bytes]) -> None:
    out = io.BytesIO()
    sealer = Sealer(out.write, WORDS)
    for each in parts:
        assert sealer.write(each) == len(each)
    sealer.close()
    sealer.close()
    assert unsealed(out.getvalue()) == b"".join(parts)
    with pytest.raises(ValueError, match="closed"):
        sealer.write(b"late")
