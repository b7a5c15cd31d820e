"""An independent implementation, pymerkle, agrees with ours on a hundred roots and their proofs."""

import random
from collections.abc import Callable
from uuid import UUID

import pytest
from pymerkle import InmemoryTree  # type: ignore[import-untyped] # it ships no types

from audit.completion import completing_path, grown
from audit.log import load_head
from audit.models import Entry
from audit.nodes import STEP, WIDTH, Prover
from audit.scope import all_tenants_audit, bulk_cursor
from audit.sequencer import Sequencer
from crypto.merkle import CompactRange, inclusion_proof, leaf_hashes, root_of

STORED = 700
"""Entries of a log in the database: two nodes are stored of it, and a part of a third is not."""
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


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.django_db(transaction=True, databases=["default", "wisdom"])
def test_pymerkle_agrees_with_the_nodes_as_they_are_stored(
    deed: Callable[..., UUID], start: Callable[[], Sequencer]
) -> None:
    one = start()
    theirs = InmemoryTree(algorithm="sha256")
    for size in (200, 255, 256, 257, 511, 512, STORED):
        while theirs.get_size() + len(logged := _leaves(theirs.get_size())) < size:
            for _ in range(size - theirs.get_size() - len(logged)):
                deed()
            one.step(flush=True)
        for leaf in logged:
            theirs.append_entry(leaf)
        with all_tenants_audit("reader", using="default"), bulk_cursor(using="default") as cursor:
            head = load_head(cursor)
            assert (head.size, head.root()) == (size, theirs.get_state())
            nodes = cursor.execute(
                "SELECT idx, hash FROM audit_node WHERE level = %s ORDER BY idx", [STEP]
            ).fetchall()
            whole = size // WIDTH
            stored = [bytes(node) for _, node in nodes]
            assert [idx for idx, _ in nodes] == list(range(whole))
            assert stored == [_subtree(n) for n in range(whole)]
            prover = Prover(cursor, head)
            for index in {0, size // 3, max(whole * WIDTH - 1, 0), size - 1}:
                path = [bytes(each) for each in theirs.prove_inclusion(index + 1, size).path]
                assert path[1:] == prover.proof(index)


def _leaves(first: int, stop: int | None = None) -> list[bytes]:
    with all_tenants_audit("reader", using="default"):
        rows = Entry.objects.filter(idx__gte=first).order_by("idx")
        return [bytes(each.leaf) for each in (rows if stop is None else rows.filter(idx__lt=stop))]


def _subtree(n: int) -> bytes:
    """Return pymerkle's root of the leaves that the nth stored node stands for."""
    theirs = InmemoryTree(algorithm="sha256")
    for leaf in _leaves(n * WIDTH, (n + 1) * WIDTH):
        theirs.append_entry(leaf)
    state: bytes = theirs.get_state()
    return state
