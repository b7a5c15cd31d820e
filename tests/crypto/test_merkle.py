import hashlib
from typing import Any

import pytest
from hypothesis import given, strategies as st

from crypto import merkle
from crypto.merkle import CompactRange, MalformedTree

# The inputs and figures of RFC 6962's own test suite.
INPUTS = [
    bytes.fromhex(each)
    for each in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
HASHES = merkle.leaf_hashes(INPUTS)

leaves = st.lists(st.binary(max_size=8), max_size=40)


def slow_root(contents: list[bytes]) -> bytes:
    """The definition of RFC 6962 2.1, word for word."""
    if not contents:
        return hashlib.sha256(b"").digest()
    if len(contents) == 1:
        return hashlib.sha256(b"\x00" + contents[0]).digest()
    split = 1
    while split * 2 < len(contents):
        split *= 2
    both = slow_root(contents[:split]) + slow_root(contents[split:])
    return hashlib.sha256(b"\x01" + both).digest()


def slow_inclusion(index: int, contents: list[bytes]) -> list[bytes]:
    """PATH(m, D[n]) of RFC 6962 2.1.1."""
    if len(contents) == 1:
        return []
    split = 1
    while split * 2 < len(contents):
        split *= 2
    if index < split:
        return [*slow_inclusion(index, contents[:split]), slow_root(contents[split:])]
    return [*slow_inclusion(index - split, contents[split:]), slow_root(contents[:split])]


def slow_consistency(old: int, contents: list[bytes], *, known: bool = True) -> list[bytes]:
    """SUBPROOF(m, D[n], b) of RFC 6962 2.1.2."""
    if old == len(contents):
        return [] if known else [slow_root(contents)]
    split = 1
    while split * 2 < len(contents):
        split *= 2
    if old <= split:
        head = slow_consistency(old, contents[:split], known=known)
        return [*head, slow_root(contents[split:])]
    tail = slow_consistency(old - split, contents[split:], known=False)
    return [*tail, slow_root(contents[:split])]


def test_the_roots_of_the_standard_leaves_are_the_published_ones() -> None:
    assert [merkle.root_of(HASHES[: n + 1]).hex() for n in range(8)] == ROOTS
    assert merkle.EMPTY_ROOT.hex() == (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_the_published_inclusion_proofs_are_made_and_accepted(index: int, size: int) -> None:
    proof = merkle.inclusion_proof(HASHES[:size], index=index)
    assert [each.hex() for each in proof] == INCLUSION[index, size]
    root = bytes.fromhex(ROOTS[size - 1])
    assert merkle.includes(leaf=HASHES[index], index=index, size=size, proof=proof, root=root)


@pytest.mark.parametrize(("old", "new"), CONSISTENCY)
def test_the_published_consistency_proofs_are_made_and_accepted(old: int, new: int) -> None:
    proof = merkle.consistency_proof(HASHES[:new], old=old)
    assert [each.hex() for each in proof] == CONSISTENCY[old, new]
    roots = bytes.fromhex(ROOTS[old - 1]), bytes.fromhex(ROOTS[new - 1])
    assert merkle.extends(old=old, old_root=roots[0], new=new, new_root=roots[1], proof=proof)


@given(leaves)
def test_the_fast_root_is_the_defined_root(contents: list[bytes]) -> None:
    assert merkle.root_of(merkle.leaf_hashes(contents)) == slow_root(contents)


@given(leaves, st.data())
def test_appending_in_any_cuts_makes_the_same_range(
    contents: list[bytes], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(contents)))
    hashes = merkle.leaf_hashes(contents)
    head = CompactRange().extend(hashes[:cut])
    stored = CompactRange.decode(size=head.size, encoded=head.encode())
    assert stored.extend(hashes[cut:]) == CompactRange().extend(hashes)


@given(leaves.filter(len), st.data())
def test_an_inclusion_proof_proves_its_leaf_only(
    contents: list[bytes], data: st.DataObject
) -> None:
    size = len(contents)
    index = data.draw(st.integers(0, size - 1))
    hashes = merkle.leaf_hashes(contents)
    root = merkle.root_of(hashes)
    proof = merkle.inclusion_proof(hashes, index=index)
    assert proof == slow_inclusion(index, contents)
    known: Any = {"size": size, "proof": proof, "root": root}
    assert merkle.includes(leaf=hashes[index], index=index, **known)
    assert not merkle.includes(leaf=merkle.leaf_hash(b"another leaf"), index=index, **known)
    assert not merkle.includes(leaf=hashes[index], index=index, **{**known, "root": b"\0" * 32})
    assert not merkle.includes(leaf=hashes[index], index=size, **known)
    longer: Any = {**known, "proof": [*proof, root]}
    assert not merkle.includes(leaf=hashes[index], index=index, **longer)
    if proof:
        shorter: Any = {**known, "proof": proof[:-1]}
        assert not merkle.includes(leaf=hashes[index], index=index, **shorter)


@given(leaves, st.data())
def test_a_consistency_proof_proves_a_prefix_only(
    contents: list[bytes], data: st.DataObject
) -> None:
    new = len(contents)
    old = data.draw(st.integers(0, new))
    hashes = merkle.leaf_hashes(contents)
    roots: Any = {"old_root": merkle.root_of(hashes[:old]), "new_root": merkle.root_of(hashes)}
    proof = merkle.consistency_proof(hashes, old=old)
    if 0 < old < new:
        assert proof == slow_consistency(old, contents)
    assert merkle.extends(old=old, new=new, proof=proof, **roots)
    wrong = merkle.leaf_hash(b"another tree")
    assert not merkle.extends(old=old, new=new, proof=proof, **{**roots, "old_root": wrong})
    if old:
        assert not merkle.extends(old=old, new=new, proof=proof, **{**roots, "new_root": wrong})
    assert not merkle.extends(old=old, new=new, proof=[*proof, wrong], **roots)
    assert not merkle.extends(old=new + 1, new=new, proof=proof, **roots)
    for position in range(len(proof)):
        changed = [*proof[:position], wrong, *proof[position + 1 :]]
        assert not merkle.extends(old=old, new=new, proof=changed, **roots)


def test_a_leaf_cannot_pass_for_a_node() -> None:
    two = merkle.root_of(HASHES[:2])
    assert merkle.root_of([merkle.leaf_hash(HASHES[0] + HASHES[1])]) != two


def test_sizes_and_nodes_that_no_tree_has_are_refused() -> None:
    with pytest.raises(MalformedTree):
        CompactRange(size=3, nodes=(b"\0" * 32,))
    with pytest.raises(MalformedTree):
        CompactRange(size=-1)
    with pytest.raises(MalformedTree):
        CompactRange.decode(size=1, encoded=b"\0" * 31)
    with pytest.raises(MalformedTree):
        merkle.inclusion_proof(HASHES, index=8)
    with pytest.raises(MalformedTree):
        merkle.consistency_proof(HASHES, old=9)
