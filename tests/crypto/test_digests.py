"""Digests against the standard library's own."""

import hashlib

from hypothesis import given, strategies as st

from crypto.digests import Running


@given(st.lists(st.binary(max_size=99)))
def test_a_digest_of_pieces_is_the_digest_of_the_whole(pieces: list[bytes]) -> None:
    running = Running()
    assert list(running.through(pieces)) == pieces
    assert running.digest() == hashlib.sha256(b"".join(pieces)).digest()
