"""A second implementation of the tree, by the letter of RFC 9162 2.1.1, agrees on 100 roots."""

import hashlib
import random
from collections.abc import Sequence

from crypto.merkle import CompactRange, leaf_hashes

ROOTS = 100
LONGEST = 700


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """Compute MTH(D[n]) as the RFC defines it: recursively, from the leaves themselves."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + tree_hash(leaves[:split]) + tree_hash(leaves[split:])).digest()


def test_a_second_implementation_agrees_on_a_hundred_roots() -> None:
    chance = random.Random(9162)
    sizes = [*range(20), *(chance.randrange(LONGEST) for _ in range(ROOTS - 20))]
    for size in sizes:
        leaves = [chance.randbytes(chance.randrange(60)) for _ in range(size)]
        assert CompactRange().extend(leaf_hashes(leaves)).root() == tree_hash(leaves)
