"""The rows of the log, its head and its checkpoints, as the sequencer reads and appends them.

Every function runs inside the step's transaction on the log's database, under `all_tenants_audit`,
and takes a `bulk_cursor` on it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from audit.checkpoints import TreeHead, opened
from audit.errors import Inconsistent
from audit.staging import Cursor, NewLeaf, Position
from crypto.errors import CryptoError
from crypto.merkle import CompactRange, MalformedTree, leaf_hashes
from crypto.signatures import VerifyingKey

LOCK_KEY = 0x7457_6E79_6175_6469
"""The advisory lock that one sequencer of a database holds during a step."""

REPLAY_AT_ONCE = 5000
"""Leaves read back at a time before signing: a few megabytes."""

_APPEND = """
INSERT INTO audit_log (idx, leaf, leaf_hash, stage, tenant, event, occurred_at)
SELECT * FROM unnest(%b::bigint[], %b::bytea[], %b::bytea[], %b::uuid[], %b::uuid[], %b::text[],
                     %b::timestamptz[])
"""
_SAVE_HEAD = """
INSERT INTO audit_head (id, size, nodes) VALUES (1, %s, %s)
ON CONFLICT (id) DO UPDATE SET size = excluded.size, nodes = excluded.nodes
"""
_SAVE_POSITION = """
INSERT INTO audit_cursor (source, cluster, xid, stage) VALUES (%s, %s, %s::text::xid8, %s)
ON CONFLICT (source) DO UPDATE
SET cluster = excluded.cluster, xid = excluded.xid, stage = excluded.stage
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A stored checkpoint: the range it was made from, its note, and when that was."""

    range: CompactRange
    note: str
    signed_at: datetime | None


UNSIGNED = Signed(range=CompactRange(), note="", signed_at=None)
"""Stands before the first checkpoint: the empty tree."""


def locked(cursor: Cursor) -> bool:
    """Take the sequencer's lock until the transaction ends, or say that another has it."""
    ((got,),) = cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK_KEY]).fetchall()
    return bool(got)


def load_head(cursor: Cursor) -> CompactRange:
    """Return the tree as the last step left it."""
    cursor.execute("SELECT size, nodes FROM audit_head")
    row = cursor.fetchone()
    return (
        CompactRange() if row is None else CompactRange.decode(size=row[0], encoded=bytes(row[1]))
    )


def load_position(cursor: Cursor, source: str) -> Position:
    """Return how far the staging table of `source` is in the log."""
    cursor.execute("SELECT cluster, xid::text, stage FROM audit_cursor WHERE source = %s", [source])
    row = cursor.fetchone()
    return Position() if row is None else Position(cluster=row[0], xid=int(row[1]), stage=row[2])


def save_position(cursor: Cursor, source: str, position: Position) -> None:
    """Remember how far the staging table of `source` is in the log."""
    values = [source, position.cluster, position.xid, position.stage]
    cursor.execute(_SAVE_POSITION, values)


def already_taken(cursor: Cursor, stages: Sequence[UUID]) -> set[UUID]:
    """Return which of these staged rows the log holds. The bounds let partitions be left out."""
    if not stages:
        return set()
    cursor.execute(
        "SELECT stage FROM audit_taken WHERE stage = ANY(%b) AND stage BETWEEN %s AND %s",
        [list(stages), min(stages), max(stages)],
    )
    return {row[0] for row in cursor.fetchall()}


def append(cursor: Cursor, head: CompactRange, leaves: Sequence[NewLeaf]) -> CompactRange:
    """Append leaves after `head`, mark their rows as taken, and return the new head."""
    hashes = leaf_hashes(each.leaf for each in leaves)
    grown = head.extend(hashes)
    cursor.execute(
        _APPEND,
        [
            list(range(head.size, grown.size)),
            [each.leaf for each in leaves],
            hashes,
            [each.stage for each in leaves],
            [each.tenant for each in leaves],
            [each.event for each in leaves],
            [each.occurred_at for each in leaves],
        ],
    )
    cursor.execute(
        "INSERT INTO audit_taken (stage) SELECT unnest(%b::uuid[])", [[e.stage for e in leaves]]
    )
    cursor.execute(_SAVE_HEAD, [grown.size, grown.encode()])
    return grown


def newest_checkpoint(cursor: Cursor) -> Signed:
    """Return the newest stored checkpoint, or `UNSIGNED`."""
    cursor.execute(
        "SELECT size, nodes, note, signed_at FROM audit_checkpoint ORDER BY size DESC LIMIT 1"
    )
    row = cursor.fetchone()
    if row is None:
        return UNSIGNED
    try:
        nodes = CompactRange.decode(size=row[0], encoded=bytes(row[1]))
    except MalformedTree as error:
        raise Inconsistent("the newest checkpoint's saved tree is damaged") from error
    return Signed(range=nodes, note=row[2], signed_at=row[3])


def root_signed_at(cursor: Cursor, size: int) -> bytes | None:
    """Return the root of the checkpoint of exactly `size` leaves, or None if there is none."""
    cursor.execute("SELECT root FROM audit_checkpoint WHERE size = %s", [size])
    row = cursor.fetchone()
    return None if row is None else bytes(row[0])


def save_checkpoint(cursor: Cursor, signed: Signed) -> None:
    """Store a checkpoint."""
    cursor.execute(
        "INSERT INTO audit_checkpoint (size, root, nodes, note, signed_at)"
        " VALUES (%s, %s, %s, %s, %s)",
        [
            signed.range.size,
            signed.range.root(),
            signed.range.encode(),
            signed.note,
            signed.signed_at,
        ],
    )


def require_continuation(
    cursor: Cursor, *, before: Signed, head: CompactRange, key: VerifyingKey, origin: str
) -> None:
    """Check that `head` is what was signed before plus the leaves that the log now holds.

    The signed tree is taken from its note, not from our word: the saved nodes must have the signed
    root, and the leaves since then are read back from the table and hashed again. That costs a
    minute's rows and shows a change of the log that was made between two checkpoints, which a
    proof over the stored hashes would not. Raises `Inconsistent`.
    """
    if before.note:
        try:
            signed = opened(before.note, key=key, origin=origin)
        except CryptoError as error:
            raise Inconsistent("the newest checkpoint is not signed by this log's key") from error
        if signed != TreeHead(origin=origin, size=before.range.size, root=before.range.root()):
            raise Inconsistent("the newest checkpoint's saved tree is not the one that was signed")
    grown = before.range
    for leaves in _leaves_since(cursor, start=before.range.size, stop=head.size):
        grown = grown.extend(leaf_hashes(leaves))
    if grown != head:
        raise Inconsistent(
            f"the rows from {before.range.size} to {head.size} do not make the tree to be signed"
        )


def _leaves_since(cursor: Cursor, *, start: int, stop: int) -> Iterator[list[bytes]]:
    for first in range(start, stop, REPLAY_AT_ONCE):
        cursor.execute(
            "SELECT leaf FROM audit_log WHERE idx >= %s AND idx < %s ORDER BY idx",
            [first, min(first + REPLAY_AT_ONCE, stop)],
            binary=True,
        )
        yield [bytes(row[0]) for row in cursor.fetchall()]
