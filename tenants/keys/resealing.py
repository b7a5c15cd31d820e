"""Where things lie that are sealed under the deployment's own secret, and sealing them anew.

Each package registers its columns when the apps are ready. A row is sealed anew in the transaction
that opened it; one that is locked, or that does not open, is left and counted, so that the job may
be given again until nothing is left under an older version.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connections, transaction
from psycopg.sql import SQL, Composed, Identifier

from crypto.errors import CryptoError
from tenants.keys.system import sealing_id, system_seal, system_unseal

BATCH = 200
"""Rows sealed anew in one transaction: some ten milliseconds of locks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A column of envelopes: the purpose, the row's key, and the columns of its context."""

    table: str
    column: str
    purpose: str
    key: tuple[str, ...]
    context: tuple[str, ...]
    database: str = "default"


EXPIRING = frozenset({"mail_link", "wisdom-cache"})
"""Purposes that are not sealed anew: links of seven days at most, and reports that are asked again;
they open under the older version until they end."""

_registered: dict[tuple[str, str], Sealed] = {}


def register(sealed: Sealed) -> None:
    """Have a column sealed anew when the deployment's own secret is rotated."""
    _registered[sealed.table, sealed.column] = sealed


def registered() -> list[Sealed]:
    """Return every registered column."""
    return list(_registered.values())


def left(sealed: Sealed) -> int:
    """Return how many rows are sealed under an older version."""
    statement = SQL("SELECT count(*) FROM {} WHERE {}").format(
        Identifier(sealed.table), _older(sealed)
    )
    with connections[sealed.database].cursor() as cursor:
        cursor.execute(statement, [sealing_id(sealed.purpose).bytes])
        return int(cursor.fetchone()[0])


def reseal(sealed: Sealed) -> tuple[int, int]:
    """Seal a column anew, batch by batch; return how many rows were, and how many did not open."""
    done = seen = 0
    for resealed, rows in _batches(sealed):
        done += resealed
        seen += rows
    return done, seen - done


def _older(sealed: Sealed) -> Composed:
    """Say of a row that its envelope names another key than the one that seals now."""
    return SQL("substring({} from 5 for 16) <> %s").format(Identifier(sealed.column))


def _batches(sealed: Sealed) -> Iterator[tuple[int, int]]:
    last: Sequence[Any] | None = None
    while True:
        with transaction.atomic(using=sealed.database):
            rows = _rows(sealed, after=last)
            done = sum(_sealed_anew(sealed, row) for row in rows)
        yield done, len(rows)
        if len(rows) < BATCH:
            return
        last = rows[-1][: len(sealed.key)]


def _rows(sealed: Sealed, *, after: Sequence[Any] | None) -> list[tuple[Any, ...]]:
    key = SQL(", ").join(map(Identifier, sealed.key))
    columns = SQL(", ").join(map(Identifier, (*sealed.key, *sealed.context, sealed.column)))
    where, values = _older(sealed), [sealing_id(sealed.purpose).bytes]
    if after is not None:
        marks = SQL(", ").join([SQL("%s")] * len(sealed.key))
        where = SQL("{} AND ({}) > ({})").format(where, key, marks)
        values += after
    statement = SQL(
        "SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT {} FOR UPDATE SKIP LOCKED"
    ).format(columns, Identifier(sealed.table), where, key, BATCH)
    with connections[sealed.database].cursor() as cursor:
        cursor.execute(statement, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _sealed_anew(sealed: Sealed, row: tuple[Any, ...]) -> bool:
    width = len(sealed.key)
    context: list[str | bytes | int | UUID] = [
        bytes(each) if isinstance(each, memoryview) else each
        for each in row[width : width + len(sealed.context)]
    ]
    try:
        plain = system_unseal(sealed.purpose, bytes(row[-1]), *context)
    except CryptoError:
        return False  # it is counted as left: nobody can open it
    marks = SQL(" AND ").join(SQL("{} = %s").format(Identifier(each)) for each in sealed.key)
    statement = SQL("UPDATE {} SET {} = %s WHERE {}").format(
        Identifier(sealed.table), Identifier(sealed.column), marks
    )
    with connections[sealed.database].cursor() as cursor:
        cursor.execute(statement, [system_seal(sealed.purpose, plain, *context), *row[:width]])
    return True
