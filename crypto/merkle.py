"""The append-only tree of RFC 6962: whoever knows a root knows every leaf before it.

A leaf is hashed as ``SHA-256(0x00 | bytes)`` and an inner node as ``SHA-256(0x01 | left | right)``,
so that neither can pass for the other. Everything here works on leaf *hashes* of 32 bytes. The
proofs name subtrees as half-open ranges of indices first (`inclusion_path`, `consistency_path`), so
that a caller with stored tiles can look the hashes up instead of computing them.

Sources: RFC 6962 section 2.1; verification as RFC 9162 sections 2.1.3.2 and 2.1.4.2.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crypto.errors import CryptoError

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

_sha256 = hashlib.sha256


class MalformedTree(CryptoError):  # noqa: N818 -- reads as a fact, like the rest of the tree
    """Sizes, indices or hashes that no tree can have."""

    code = "malformed_tree"


def leaf_hash(leaf: bytes) -> bytes:
    """Return the 32-byte hash of a leaf's bytes."""
    return _sha256(b"\x00" + leaf).digest()


def leaf_hashes(leaves: Iterable[bytes]) -> list[bytes]:
    """Return the hash of each leaf, in order: 1 to 2 million a second and core."""
    sha256 = _sha256
    return [sha256(b"\x00" + leaf).digest() for leaf in leaves]


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the inner node over two subtrees."""
    return _sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactRange:
    """A tree's perfect subtrees, largest first: all that appending and the root need.

    ``size`` leaves have one node for each bit set in ``size``, 64 at most (2 KiB).
    """

    size: int = 0
    nodes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.nodes) != self.size.bit_count():
            raise MalformedTree(f"{len(self.nodes)} nodes do not make a tree of {self.size} leaves")

    def extend(self, hashes: Iterable[bytes]) -> "CompactRange":
        """Return the range with leaf hashes appended: two hashes a leaf on average, O(n)."""
        sha256 = _sha256
        stack = list(self.nodes)
        size = self.size
        for node in hashes:
            carry = size
            while carry & 1:
                node = sha256(b"\x01" + stack.pop() + node).digest()  # noqa: PLW2901 -- the carry of a binary counter
                carry >>= 1
            stack.append(node)
            size += 1
        return CompactRange(size=size, nodes=tuple(stack))

    def root(self) -> bytes:
        """Return the root of the tree, 32 bytes; of no leaves, the hash of nothing."""
        if not self.nodes:
            return EMPTY_ROOT
        root = self.nodes[-1]
        for node in reversed(self.nodes[:-1]):
            root = node_hash(node, root)
        return root

    def encode(self) -> bytes:
        """Return the nodes joined; with the size they make the range again."""
        return b"".join(self.nodes)

    @classmethod
    def decode(cls, *, size: int, encoded: bytes) -> "CompactRange":
        """Rebuild a range from its size and joined nodes, or raise `MalformedTree`."""
        if len(encoded) % HASH_BYTES:
            raise MalformedTree("the nodes are no whole number of hashes")
        nodes = tuple(
            encoded[start : start + HASH_BYTES] for start in range(0, len(encoded), HASH_BYTES)
        )
        return cls(size=size, nodes=nodes)


def root_of(hashes: Iterable[bytes]) -> bytes:
    """Return the root over leaf hashes."""
    return CompactRange().extend(hashes).root()


def _split(count: int) -> int:
    """Return the largest power of two below `count` (which is 2 or more)."""
    return 1 << ((count - 1).bit_length() - 1)


def inclusion_path(*, index: int, size: int) -> list[tuple[int, int]]:
    """Return the subtrees, leaf side first, whose roots prove leaf `index` in a tree of `size`."""
    if not 0 <= index < size:
        raise MalformedTree(f"a tree of {size} leaves has no leaf {index}")
    path = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append((middle, high))
            high = middle
        else:
            path.append((low, middle))
            low = middle
    path.reverse()
    return path


def consistency_path(*, old: int, new: int) -> list[tuple[int, int]]:
    """Return the subtrees whose roots prove that the first `old` of `new` leaves stayed the same.

    Empty when `old` is 0 or equals `new`: then the two roots alone decide.
    """
    if not 0 <= old <= new:
        raise MalformedTree(f"{old} leaves are no prefix of {new}")
    if old in (0, new):
        return []
    path = []
    low, high = 0, new
    while high != old:
        middle = low + _split(high - low)
        if old <= middle:
            path.append((middle, high))
            high = middle
        else:
            path.append((low, middle))
            low = middle
    if low:
        path.append((low, high))
    path.reverse()
    return path


def inclusion_proof(hashes: Sequence[bytes], *, index: int) -> list[bytes]:
    """Prove that leaf `index` is in the tree over `hashes`: at most 64 hashes, in O(n)."""
    path = inclusion_path(index=index, size=len(hashes))
    return [root_of(hashes[low:high]) for low, high in path]


def consistency_proof(hashes: Sequence[bytes], *, old: int) -> list[bytes]:
    """Prove that the tree of the first `old` hashes is a prefix of the tree over all, in O(n)."""
    path = consistency_path(old=old, new=len(hashes))
    return [root_of(hashes[low:high]) for low, high in path]


def _sides(*, position: int, last: int, count: int) -> list[bool] | None:
    """Say of each of `count` siblings on the way up whether it stands left; None if not so many.

    The way starts at node `position` of a level whose last node is `last`.
    """
    sides = []
    for _ in range(count):
        if last == 0:
            return None
        left = bool(position & 1) or position == last
        if left:
            while not position & 1 and position:  # a node without a right sibling moves up as it is
                position >>= 1
                last >>= 1
        sides.append(left)
        position >>= 1
        last >>= 1
    return sides if last == 0 else None


def includes(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Say whether `proof` shows the leaf *hash* at `index` in the tree of `size` with `root`."""
    if not 0 <= index < size:
        return False
    sides = _sides(position=index, last=size - 1, count=len(proof))
    if sides is None:
        return False
    node = leaf
    for sibling, left in zip(proof, sides, strict=True):
        node = node_hash(sibling, node) if left else node_hash(node, sibling)
    return node == root


def extends(
    *, old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Say whether `proof` shows that the new tree only appended to the old one."""
    if not 0 <= old <= new:
        return False
    if old in (0, new):
        return not proof and old_root == (new_root if old else EMPTY_ROOT)
    path = list(proof)
    if old & (old - 1) == 0:  # the old tree is a subtree of the new one: its root starts the path
        path.insert(0, old_root)
    position, last = old - 1, new - 1
    while position & 1:
        position >>= 1
        last >>= 1
    sides = _sides(position=position, last=last, count=len(path) - 1)
    if sides is None:
        return False
    old_node = new_node = path[0]
    for sibling, left in zip(path[1:], sides, strict=True):
        if left:
            old_node = node_hash(sibling, old_node)
        new_node = node_hash(sibling, new_node) if left else node_hash(new_node, sibling)
    return old_node == old_root and new_node == new_root
