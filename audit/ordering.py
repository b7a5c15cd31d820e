"""The one rule by which rows are put into an order that never has to be revised.

Rows get their identifiers when they are inserted and become visible when their transaction commits,
so that a reader who remembers "the highest id seen" skips every row that commits late: measured,
720 of 4,507 rows with twelve writers. A row that carries ``xid xid8 default pg_current_xact_id()``
can be told apart: once its transaction is below the snapshot's xmin, no transaction with a smaller
or equal xid can still commit. Ordered by ``(xid, id)`` and cut at `settled`, a sequence has no gap
and no repeat (measured: 0 of 4,755 missed). The price: a transaction that stays open anywhere in
the cluster holds the sequence back, hence ``idle_in_transaction_session_timeout``.
"""

from typing import Protocol


class Executes(Protocol):
    """A database cursor, as far as it matters here."""

    def execute(self, sql: str, /) -> object:
        """Run one statement."""

    def fetchone(self) -> tuple[str, ...] | None:
        """Return its next row."""


def settled(cursor: Executes) -> int:
    """Return the xid below which every transaction has ended: take rows with ``xid < settled``.

    Call it before, or in the same snapshot as, the statement that reads the rows: each row below
    the answer is then visible to that statement. The cursor's own transaction must not have written
    anything yet whose rows it wants to read.
    """
    cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
    row = cursor.fetchone()
    if row is None:
        raise RuntimeError("the server named no snapshot")
    return int(row[0])
