"""Sealed segments and identities in the database: the only module that writes or reads them.

The associated data of an envelope is the row's own identity, so bytes that are moved to another
window, shard, kind or tenant do not open.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
import psycopg
import pyarrow as pa
from django.db import connection
from django.db.models import BinaryField
from numpy.typing import NDArray
from psycopg.sql import SQL, Identifier

from analytics.ingest import parts
from analytics.ingest.events import Kind
from analytics.ingest.fingerprints import merged
from analytics.ingest.parts import Part
from analytics.models import IdentityRun, InboxPart, Segment
from analytics.series import codec
from analytics.series.shards import nanoseconds
from crypto.ids import uuid7
from tenants import keys
from tenants.models import TenantModel

IDENTITY_SCHEMA = 1
COLUMN_SCHEMA = 1
"""Parts as columns: what the first release wrote, and may still lie in an inbox."""
PART_SCHEMA = 2
"""Parts as the request's own JSON, compressed (`analytics.ingest.parts`)."""
Multiplicities = tuple[NDArray[np.uint64], NDArray[np.uint32]]


@dataclass(frozen=True, slots=True, order=True)
class WindowKey:
    """One hour of one kind and shard; ``start`` in nanoseconds since 1970."""

    kind: str
    shard: int
    start: int


def seal_part(
    tenant: UUID, *, work: UUID, number: int, kind: Kind, part: Part, now: datetime
) -> InboxPart:
    """Seal a part of an accepted request; nothing is written yet."""
    identifier = uuid7(now)
    sealed = keys.seal(
        tenant,
        keys.INBOX,
        part.payload,
        "inbox_part", identifier, work, number, kind.name, PART_SCHEMA,
        now=now,
    )  # fmt: skip
    return InboxPart(
        tenant_id=tenant,
        id=identifier,
        work_id=work,
        part=number,
        kind=kind.name,
        schema=PART_SCHEMA,
        events=part.events,
        sealed=sealed,
    )


def insert(rows: Sequence[TenantModel]) -> None:
    """Insert sealed rows of one model, inside the tenant's scope.

    The bytes go to the server as they are. Django binds parameters on its own side, which writes
    them as text of twice the length: a third of what accepting cost the database.
    """
    if not rows:
        return
    fields = [each for each in type(rows[0])._meta.concrete_fields if each.column]
    columns = SQL(", ").join(Identifier(each.column) for each in fields)
    values = SQL(", ").join(SQL("%b" if isinstance(each, BinaryField) else "%s") for each in fields)
    statement = SQL("INSERT INTO {} ({}) VALUES ({})").format(
        Identifier(type(rows[0])._meta.db_table), columns, values
    )
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.executemany(
            statement, [[getattr(row, each.attname) for each in fields] for row in rows]
        )


def open_part(row: InboxPart) -> bytes:
    """Open a part of a request, as it was packed."""
    return keys.unseal(
        row.tenant_id,
        keys.INBOX,
        bytes(row.sealed),
        "inbox_part", row.id, row.work_id, row.part, row.kind, row.schema,
    )  # fmt: skip


def read_part(row: InboxPart, kind: Kind) -> tuple[pa.Table, Counter[str]]:
    """Open a part of a request: its events as columns, and the fields that no event has.

    What an earlier release wrote is read too.
    """
    payload = open_part(row)
    if row.schema == COLUMN_SCHEMA:
        return codec.decode(payload, kind), Counter()
    return parts.read_part(payload, kind)


def seal_segment(
    tenant: UUID, *, window: WindowKey, start: datetime, kind: Kind, rows: pa.Table, now: datetime
) -> Segment:
    """Seal rows of one window; nothing is written yet."""
    identifier = uuid7(now)
    sealed = keys.seal(
        tenant,
        keys.SERIES,
        codec.encode(rows, kind),
        "segment", identifier, window.kind, window.shard, window.start, kind.schema_version,
        now=now,
    )  # fmt: skip
    return Segment(
        tenant_id=tenant,
        id=identifier,
        kind=window.kind,
        shard=window.shard,
        start=start,
        schema=kind.schema_version,
        rows=rows.num_rows,
        sealed=sealed,
    )


def open_segment(row: Segment, kind: Kind, *, columns: tuple[str, ...] | None = None) -> pa.Table:
    """Open a segment, all or some of its columns."""
    plain = keys.unseal(
        row.tenant_id,
        keys.SERIES,
        bytes(row.sealed),
        "segment", row.id, row.kind, row.shard, nanoseconds(row.start), row.schema,
    )  # fmt: skip
    return codec.decode(plain, kind, columns=columns)


def seal_identities(
    tenant: UUID, *, window: WindowKey, start: datetime, run: Multiplicities, now: datetime
) -> IdentityRun:
    """Seal the identities that a request added to a window; nothing is written yet."""
    identifier = uuid7(now)
    prints, counts = run
    repeated = np.flatnonzero(counts != 1).astype(np.uint32)
    plain = b"".join(
        (
            len(prints).to_bytes(4, "big"),
            prints.astype(">u8").tobytes(),
            repeated.astype(">u4").tobytes(),
            counts[repeated].astype(">u4").tobytes(),
        )
    )
    sealed = keys.seal(
        tenant,
        keys.SERIES,
        plain,
        "identity_run", identifier, window.kind, window.shard, window.start, IDENTITY_SCHEMA,
        now=now,
    )  # fmt: skip
    return IdentityRun(
        tenant_id=tenant,
        id=identifier,
        kind=window.kind,
        shard=window.shard,
        start=start,
        rows=len(prints),
        sealed=sealed,
    )


def open_identities(row: IdentityRun) -> Multiplicities:
    """Open a run of identities: distinct fingerprints, sorted, and their multiplicities."""
    plain = keys.unseal(
        row.tenant_id,
        keys.SERIES,
        bytes(row.sealed),
        "identity_run", row.id, row.kind, row.shard, nanoseconds(row.start), IDENTITY_SCHEMA,
    )  # fmt: skip
    count = int.from_bytes(plain[:4], "big")
    prints = np.frombuffer(plain, dtype=">u8", count=count, offset=4).astype(np.uint64)
    rest = np.frombuffer(plain, dtype=">u4", offset=4 + 8 * count)
    repeated, more = rest[: len(rest) // 2], rest[len(rest) // 2 :]
    counts = np.ones(count, dtype=np.uint32)
    counts[repeated.astype(np.int64)] = more
    return prints, counts


def read_identities(runs: Iterable[IdentityRun]) -> Multiplicities:
    """Open and merge the runs of one window."""
    return merged([open_identities(row) for row in runs])
