"""Hashes of whole subtrees, stored so that a proof costs a few reads however long the log is.

Of the tree's inner nodes those of height 8, 16, 24 ... are kept (one row for 255 leaves), as tiles
are in C2SP tlog-tiles. A perfect subtree's root is then computed from at most 256 stored hashes,
and a subtree at the right edge from the nodes that were saved with the checkpoint. Nothing here is
evidence: a wrong node makes proofs that do not verify, and cannot make one that does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from audit.completion import completing_path
from audit.staging import Cursor
from crypto.merkle import CompactRange, inclusion_path, root_of

STEP = 8
"""Heights between stored levels."""
WIDTH = 1 << STEP
"""Nodes of one stored level under one of the next."""
LEVELS = range(STEP, 57, STEP)
"""Stored heights: 2^56 leaves are more than an index of JSON counts."""
FILL_AT_ONCE = 256
"""Nodes of a level made in one step: a log from before they were stored is caught up in steps."""

_LEAVES = "SELECT leaf_hash FROM audit_log WHERE idx >= %s AND idx < %s ORDER BY idx"
_NODES = "SELECT hash FROM audit_node WHERE level = %s AND idx >= %s AND idx < %s ORDER BY idx"
_COUNT = "SELECT coalesce(max(idx) + 1, 0) FROM audit_node WHERE level = %s"
_SAVE = (
    "INSERT INTO audit_node (level, idx, hash) SELECT %s, * FROM unnest(%b::bigint[], %b::bytea[])"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """For how many whole runs of `WIDTH` leaves the nodes are stored, as far as a process knows."""

    runs: int = 0


def fill(cursor: Cursor, known: Filled, *, size: int) -> Filled:
    """Store the nodes that a tree of `size` leaves has and that are not stored yet.

    Runs in the sequencer's step. One call makes at most `FILL_AT_ONCE` of each level; the next
    goes on.
    """
    wanted = size >> STEP
    if wanted == known.runs:
        return known
    runs = 0
    for level in LEVELS:
        ((stored,),) = cursor.execute(_COUNT, [level]).fetchall()
        stop = min(size >> level, stored + FILL_AT_ONCE)
        if stop > stored:
            below = _stored(cursor, level - STEP, stored * WIDTH, stop * WIDTH)
            made = [root_of(below[first : first + WIDTH]) for first in range(0, len(below), WIDTH)]
            cursor.execute(_SAVE, [level, list(range(stored, stored + len(made))), made])
        if level == STEP:
            runs = max(stop, stored)
        if size >> level == 0:
            break
    return Filled(runs=runs)


def _stored(cursor: Cursor, level: int, first: int, stop: int) -> list[bytes]:
    """Return stored hashes of a level (0: the leaves), as many as there are."""
    if level == 0:
        rows = cursor.execute(_LEAVES, [first, stop], binary=True).fetchall()
    else:
        rows = cursor.execute(_NODES, [level, first, stop], binary=True).fetchall()
    return [bytes(row[0]) for row in rows]


class Prover:
    """Makes inclusion proofs in one signed tree; needs every tenant's hashes, so a reader's door.

    Hashes that were read or computed once are kept: the proofs of a page share most of theirs.
    """

    def __init__(self, cursor: Cursor, signed: CompactRange) -> None:
        self._cursor = cursor
        self._signed = signed
        self._known: dict[tuple[int, int], bytes] = {}

    def proof(self, index: int) -> list[bytes]:
        """Return the hashes that prove leaf `index`, leaf side first (RFC 9162 2.1.3.1)."""
        size = self._signed.size
        return [self._root(low, high) for low, high in inclusion_path(index=index, size=size)]

    def completion(self, *, old: int, new: int, edge: Sequence[bytes]) -> list[bytes]:
        """Return the roots along `completing_path`; `edge` are the first of them where given.

        They stand for leaves that are gone: what is left begins at a multiple of `WIDTH`.
        """
        path = completing_path(old=old, new=new)[len(edge) :]
        return [*edge, *(self._root(low, high) for low, high in path)]

    def _root(self, low: int, high: int) -> bytes:
        width = high - low
        known = self._known.get((low, high))
        if known is None:
            if width & (width - 1):
                known = self._edge(low)
            else:
                known = self._perfect(low, width.bit_length() - 1)
            self._known[low, high] = known
        return known

    def _edge(self, low: int) -> bytes:
        """Fold the signed tree's own nodes from leaf `low` to its end."""
        size, place, nodes = self._signed.size, 0, []
        for node, height in zip(self._signed.nodes, _heights(size), strict=True):
            if place >= low:
                nodes.append(node)
            place += 1 << height
        return CompactRange(size=size - low, nodes=tuple(nodes)).root()

    def _perfect(self, low: int, height: int) -> bytes:
        level = height - height % STEP
        count = 1 << (height - level)
        first = low >> level
        below = _stored(self._cursor, level, first, first + count)
        if len(below) != count and level:  # not caught up yet: from the leaves, slowly
            below = _stored(self._cursor, 0, low, low + (1 << height))
        return root_of(below)


def _heights(size: int) -> Sequence[int]:
    return [bit for bit in range(size.bit_length() - 1, -1, -1) if size >> bit & 1]
