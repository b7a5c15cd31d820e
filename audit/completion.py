"""How a smaller tree is shown to begin a larger one: by what has to be appended to it. Pure."""

from collections.abc import Sequence

from crypto.merkle import CompactRange, node_hash


def completing_path(*, old: int, new: int) -> list[tuple[int, int]]:
    """Return the subtrees that make a tree of `old` leaves one of `new`, in order.

    Each is perfect and aligned, so that it can be appended as a whole; at most 2 log2(new) of them.
    """
    path = []
    while old < new:
        step = old & -old if old else 1 << (new.bit_length() - 1)
        while old + step > new:
            step >>= 1
        path.append((old, old + step))
        old += step
    return path


def grown(tree: CompactRange, *, stop: int, roots: Sequence[bytes]) -> CompactRange | None:
    """Append the subtrees of `completing_path` to a tree; None where they do not fit."""
    path = completing_path(old=tree.size, new=stop)
    if len(path) != len(roots):
        return None
    nodes = list(tree.nodes)
    for (low, high), root in zip(path, roots, strict=True):
        carry, node = low // (high - low), root
        while carry & 1:
            node, carry = node_hash(nodes.pop(), node), carry >> 1
        nodes.append(node)
    return CompactRange(size=stop, nodes=tuple(nodes))
