"""An independent implementation, pymerkle, agrees with ours on a hundred roots and their proofs."""

import random

import pytest
from pymerkle import InmemoryTree  # type: ignore[import-untyped] # it ships no types

from audit.completion import completing_path, grown
from audit.nodes import WIDTH
from crypto.merkle import CompactRange, inclusion_proof, leaf_hashes, root_of

ROOTS = 100
LONGEST = 3 * WIDTH + 5
"""Leaves: past three of the nodes that are stored of a log."""


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_pymerkle_agrees_on_a_hundred_roots() -> None:
    chance = random.Random(6962)
    sizes = [*range(1, 41), *(chance.randrange(1, LONGEST) for _ in range(ROOTS - 40))]
    assert len(sizes) == ROOTS
    for size in sizes:
        leaves = [chance.randbytes(chance.randrange(60)) for _ in range(size)]
        theirs = InmemoryTree(algorithm="sha256")
        for leaf in leaves:
            theirs.append_entry(leaf)
        hashes = leaf_hashes(leaves)
        tree = CompactRange().extend(hashes)
        assert theirs.get_state() == tree.root() == root_of(hashes)
        index = chance.randrange(size)
        proof = theirs.prove_inclusion(index + 1, size)
        path = [bytes(each) for each in proof.path]
        assert path[0] == hashes[index]
        assert path[1:] == inclusion_proof(hashes, index=index)


def test_a_tree_grown_by_whole_subtrees_is_the_tree() -> None:
    chance = random.Random(9162)
    hashes = [chance.randbytes(32) for _ in range(700)]
    for _ in range(ROOTS):
        old, new = sorted(chance.randrange(1, 701) for _ in range(2))
        roots = [root_of(hashes[low:high]) for low, high in completing_path(old=old, new=new)]
        begun = CompactRange().extend(hashes[:old])
        assert grown(begun, stop=new, roots=roots) == CompactRange().extend(hashes[:new])
        if roots:
            roots[0] = bytes(32)
            assert grown(begun, stop=new, roots=roots) != CompactRange().extend(hashes[:new])
            assert grown(begun, stop=new, roots=roots[1:]) is None
