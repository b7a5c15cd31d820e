"""Epochs: the parts of the log that retention takes away whole, and what stays of each for ever.

An epoch is a partition of ``audit_log``: 2^20 leaves, a perfect subtree. Of one that is gone stay
its bounds, the tree of all leaves up to its end, every checkpoint, the inner nodes of height 8 and
more, and of each of its checkpoints the few hashes below that. So what is left proves as before,
and a checkpoint from before is still shown to be a beginning of today's log (ADR 0015).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from audit.checkpoints import TreeHead, opened
from audit.completion import completing_path
from audit.errors import NoSuchCheckpoint, NotSealed
from audit.leaves import read_stamp
from audit.nodes import STEP, WIDTH, Prover
from audit.scope import bulk_cursor
from audit.staging import Cursor
from crypto.errors import CryptoError
from crypto.merkle import CompactRange, leaf_hashes, root_of
from crypto.signatures import VerifyingKey

PAGE = 5120
"""Leaves read at a time, a multiple of `WIDTH`: a few megabytes."""

_BOUNDS = re.compile(r"FOR VALUES FROM \('?(\d+)'?\) TO \('?(\d+)'?\)")
_PARTITIONS = """
SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_class c
JOIN pg_inherits i ON i.inhrelid = c.oid WHERE i.inhparent = 'audit_log'::regclass
"""
_LEAVES = "SELECT idx, leaf FROM audit_log WHERE idx >= %s AND idx < %s ORDER BY idx"
_KEPT = "SELECT stop, nodes FROM audit_epoch ORDER BY stop DESC LIMIT 1"
_SIGNED = """
SELECT size, nodes, note FROM audit_checkpoint WHERE size > %s AND size < %s
UNION ALL
(SELECT size, nodes, note FROM audit_checkpoint WHERE size >= %s ORDER BY size LIMIT 1)
ORDER BY size
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """An epoch that is still there: the partition, its first leaf and the one after its last."""

    partition: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """What stays of an epoch: the tree of all leaves up to its end, its times, and edges by size.

    The edges complete each of its checkpoints to the next multiple of `WIDTH` leaves.
    """

    span: Span
    tree: CompactRange
    first_at: datetime
    last_at: datetime
    edges: dict[int, bytes]


def kept_from(cursor: Cursor) -> CompactRange:
    """Return the tree of the leaves that are gone: entries exist from its size on."""
    row = cursor.execute(_KEPT).fetchone()
    return (
        CompactRange() if row is None else CompactRange.decode(size=row[0], encoded=bytes(row[1]))
    )


def spans(cursor: Cursor) -> list[Span]:
    """Return the log's partitions in the order of their indices; the default one is none."""
    found = []
    for name, bounds in cursor.execute(_PARTITIONS).fetchall():
        match = _BOUNDS.fullmatch(bounds)
        if match is not None:
            found.append(Span(partition=name, start=int(match[1]), stop=int(match[2])))
    return sorted(found, key=lambda each: each.start)


def last_sequenced(cursor: Cursor, span: Span) -> datetime | None:
    """Return when the epoch's last leaf was sequenced; None while that leaf does not exist."""
    row = cursor.execute("SELECT leaf FROM audit_log WHERE idx = %s", [span.stop - 1]).fetchone()
    return None if row is None else datetime.fromisoformat(read_stamp(bytes(row[0])).sequenced)


def seal(
    cursor: Cursor, span: Span, *, before: CompactRange, key: VerifyingKey, origin: str
) -> Seal:
    """Hash an epoch's leaves again and hold them against every checkpoint in and after it.

    Raises `NotSealed` where they are not what was signed, no checkpoint covers them all, or the
    inner nodes that will stand for them are not stored yet.
    """
    if span.start != before.size or span.start % WIDTH or span.stop % WIDTH:
        raise NotSealed(f"{span.partition} does not continue the {before.size} leaves before it")
    rows = cursor.execute(_SIGNED, [span.start, span.stop, span.stop], binary=True).fetchall()
    signed = dict(_opened(row, key=key, origin=origin) for row in rows)
    if not signed or max(signed) < span.stop:
        raise NotSealed(f"no checkpoint covers the leaves up to {span.stop} yet")
    walk = _Walk(before, signed)
    for hashes in _hashes(cursor, start=span.start, stop=max(signed)):
        walk.take(hashes, stop=span.stop)
    assert walk.sealed is not None
    _require_nodes(cursor, walk.sealed)
    first, last = (_sequenced(cursor, idx) for idx in (span.start, span.stop - 1))
    return Seal(span=span, tree=walk.sealed, first_at=first, last_at=last, edges=walk.edges)


class _Walk:
    """The tree as it grows over an epoch, held against what was signed of each size."""

    def __init__(self, before: CompactRange, signed: Mapping[int, bytes]) -> None:
        self._tree = before
        self._signed = signed
        self.edges: dict[int, bytes] = {}
        self.sealed: CompactRange | None = None

    def take(self, hashes: Sequence[bytes], *, stop: int) -> None:
        """Grow by leaf hashes that begin at a multiple of `WIDTH`."""
        base = self._tree.size
        end = base + len(hashes)
        within = [each for each in self._signed if base < each <= end]
        for low, high in pairwise(sorted({base, end, *within, *({stop} if stop <= end else ())})):
            if high <= self._tree.size:
                continue
            self._tree = self._tree.extend(hashes[low - base : high - base])
            if self._signed.get(high, self._tree.encode()) != self._tree.encode():
                raise NotSealed(f"the first {high} leaves are not those that were signed")
            if high == stop:
                self.sealed = self._tree
        for size in within:
            if size < stop and size % WIDTH:
                full = size + WIDTH - size % WIDTH
                path = completing_path(old=size, new=full)
                self.edges[size] = b"".join(root_of(hashes[a - base : b - base]) for a, b in path)


def _hashes(cursor: Cursor, *, start: int, stop: int) -> Iterator[list[bytes]]:
    for first in range(start, stop, PAGE):
        end = min(first + PAGE, stop)
        rows = cursor.execute(_LEAVES, [first, end], binary=True).fetchall()
        if [row[0] for row in rows] != list(range(first, end)):
            raise NotSealed(f"leaves are missing between {first} and {end}")
        yield leaf_hashes(bytes(row[1]) for row in rows)


def _opened(row: tuple[int, bytes, str], *, key: VerifyingKey, origin: str) -> tuple[int, bytes]:
    size, nodes, note = row
    try:
        tree = CompactRange.decode(size=size, encoded=bytes(nodes))
        head = opened(note, key=key, origin=origin)
    except (CryptoError, NoSuchCheckpoint) as error:
        raise NotSealed(f"the checkpoint of {size} leaves: {error}") from error
    if head != TreeHead(origin=origin, size=size, root=tree.root()):
        raise NotSealed(f"the checkpoint of {size} leaves is not what was signed")
    return size, tree.encode()


def _require_nodes(cursor: Cursor, tree: CompactRange) -> None:
    """Refuse while the inner nodes are not stored, or do not make the tree that is kept."""
    cursor.execute(
        "SELECT hash FROM audit_node WHERE level = %s AND idx < %s ORDER BY idx",
        [STEP, tree.size >> STEP],
    )
    stored = [bytes(row[0]) for row in cursor.fetchall()]
    if len(stored) != tree.size >> STEP or root_of(stored) != tree.root():
        raise NotSealed(f"the inner nodes up to {tree.size} are not stored as they should be")


def _sequenced(cursor: Cursor, idx: int) -> datetime:
    row = cursor.execute("SELECT leaf FROM audit_log WHERE idx = %s", [idx]).fetchone()
    assert row is not None
    return datetime.fromisoformat(read_stamp(bytes(row[0])).sequenced)


def completion(cursor: Cursor, prover: Prover, *, old: int, new: int) -> list[bytes]:
    """Return the hashes that make the tree of a checkpoint of `old` leaves that of `new`."""
    cursor.execute("SELECT hashes FROM audit_edge WHERE size = %s", [old])
    row = cursor.fetchone()
    joined = b"" if row is None else bytes(row[0])
    edge = [joined[at : at + 32] for at in range(0, len(joined), 32)]
    return prover.completion(old=old, new=new, edge=edge)


def kept_proofs(sizes: Sequence[int], *, using: str) -> tuple[CompactRange, dict[int, list[bytes]]]:
    """Return the tree of the leaves that are gone, and what makes smaller trees that one, by size.

    Runs under `all_tenants_audit`.
    """
    with bulk_cursor(using=using) as cursor:
        tree = kept_from(cursor)
        prover = Prover(cursor, CompactRange())
        proofs = {
            size: completion(cursor, prover, old=size, new=tree.size)
            for size in sizes
            if 0 < size < tree.size
        }
    return tree, proofs
