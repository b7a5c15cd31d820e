"""Keyed hashes against the standard library's own."""

import hashlib
import hmac

from hypothesis import given, strategies as st

from crypto import mac


@given(st.binary(max_size=100), st.lists(st.binary(max_size=200), max_size=5))
def test_many_tags_are_the_first_64_bits_of_one_by_one(key: bytes, messages: list[bytes]) -> None:
    slow = [hmac.new(key, each, hashlib.sha256).digest()[:8] for each in messages]
    assert [int(tag).to_bytes(8, "big") for tag in mac.tags64(key, messages)] == slow


def test_a_tag_is_cut_and_compared() -> None:
    tag = mac.tag(b"key", b"message", length=16)
    assert len(tag) == 16
    assert mac.equal(tag, mac.tag(b"key", b"message")[:16])
    assert not mac.equal(tag, mac.tag(b"other", b"message")[:16])
