"""The log as the verifier and lists read it, across tenants, under `audit.scope`.

No snapshot is needed: the log only grows, so rows read after the checkpoints cover them.
"""

from collections.abc import Iterator
from typing import Any, cast

from django.db import connections

from audit.scope import bulk_cursor
from audit.verify import Row, StoredCheckpoint

PAGE = 5000
"""Rows read at a time: a few megabytes."""

_ROWS = """
SELECT idx, leaf, leaf_hash, stage::text, event, tenant::text,
       to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
FROM audit_log WHERE idx > %s ORDER BY idx LIMIT %s
"""


def pages(*, using: str) -> Iterator[list[Row]]:
    """Yield the log's rows in the order of their index, a page at a time."""
    last = -1
    with bulk_cursor(using=using) as cursor:
        while True:
            rows = cast("list[Row]", cursor.execute(_ROWS, [last, PAGE], binary=True).fetchall())
            if not rows:
                return
            yield rows
            last = rows[-1][0]


def stored_checkpoints(*, using: str) -> list[StoredCheckpoint]:
    """Return every checkpoint that the database keeps, by size."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT size, root, nodes, note FROM audit_checkpoint ORDER BY size")
        return [_stored(row) for row in cursor.fetchall()]


def _stored(row: tuple[Any, ...]) -> StoredCheckpoint:
    size, root, nodes, note = row
    return StoredCheckpoint(size=size, root=bytes(root), nodes=bytes(nodes), note=note)


def newest_note(*, using: str) -> str:
    """Return the newest signed checkpoint, or "" before the first. It names no tenant."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT note FROM audit_checkpoint ORDER BY size DESC LIMIT 1")
        row = cursor.fetchone()
    return "" if row is None else str(row[0])
