"""Takes away what is older than the contract keeps: whole epochs of the log, whole days of staging.

An epoch is hashed again and held against every checkpoint in and after it, written to an archive
where one is configured and read back, and dropped as a partition in the transaction that keeps its
tree and records the deed. Only the owning role can: the application owns no table.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connections

from audit.actors import Actor
from audit.bundle.archives import check_archive, digest_of
from audit.bundle.making import write_part
from audit.epochs import Seal, Span, kept_from, last_sequenced, seal, spans
from audit.errors import NotTheOwner
from audit.events import EventType
from audit.holding import refuse_held
from audit.leaves import instant
from audit.record import record
from audit.scope import all_tenants_audit, bulk_cursor
from crypto.merkle import CompactRange
from crypto.signatures import VerifyingKey

RETENTION = timedelta(days=731)
"""How long an entry is kept at the least: 24 months, leap days included, by contract."""

DAILY = ("audit_stage", "audit_taken", "audit_tally")
"""Tables in partitions of a day, named by it; `audit_taken` only beside the log."""

_OWNS = """
SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class
WHERE oid = 'audit_log'::regclass
"""
_SAVE = """
INSERT INTO audit_epoch (start, stop, nodes, root, first_at, last_at, sealed_at, archive,
                         archive_digest)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_EDGES = "INSERT INTO audit_edge (size, hashes) SELECT * FROM unnest(%s::bigint[], %s::bytea[])"
_DAYS = """
SELECT c.relname, to_date(right(c.relname, 8), 'YYYYMMDD') FROM pg_class c
JOIN pg_inherits i ON i.inhrelid = c.oid
WHERE i.inhparent = %s::regclass AND right(c.relname, 8) ~ '^[0-9]{8}$' ORDER BY 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    """An epoch that is gone: its bounds, and its archive's folder, "" without one."""

    start: int
    stop: int
    archive: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What was taken away: epochs of the log, and partitions of a day by name."""

    epochs: tuple[Retired, ...]
    days: tuple[str, ...]


def retire(
    *,
    before: datetime,
    key: VerifyingKey,
    origin: str,
    archive: Path | None,
    actor: Actor,
    now: datetime,
    sources: Sequence[str] = ("default", "wisdom"),
) -> Swept:
    """Take away the epochs whose last leaf was sequenced before `before`, oldest first.

    The caller sees to it that `before` is at least `RETENTION` ago. Raises `NotTheOwner`,
    `UnderHold`, `NotSealed` or `ArchiveRefused`; what was done until then stays done and whole.
    Epochs go oldest first, so that one with entries of a held tenant keeps all after it.
    """
    require_owner()
    gone = []
    while (found := _next(before)) is not None:
        span, tree = found
        gone.append(
            _retire_one(span, tree, key=key, origin=origin, archive=archive, actor=actor, now=now)
        )
    days = _drop_days(before.date(), sources, actor=actor, now=now)
    return Swept(epochs=tuple(gone), days=tuple(days))


def require_owner() -> None:
    """Raise `NotTheOwner` unless this connection's role owns the log."""
    with connections["default"].cursor() as cursor:
        cursor.execute(_OWNS)
        if not cursor.fetchone()[0]:
            raise NotTheOwner("only the owner retires epochs: TAWNY_DB_ROLE=owner")


def _next(before: datetime) -> tuple[Span, CompactRange] | None:
    with (
        all_tenants_audit("reader", using="default"),
        bulk_cursor(using="default") as cursor,
    ):
        tree = kept_from(cursor)
        span = next((each for each in spans(cursor) if each.start == tree.size), None)
        if span is None:
            return None
        last = last_sequenced(cursor, span)
    return (span, tree) if last is not None and last < before else None


def _retire_one(
    span: Span,
    tree: CompactRange,
    *,
    key: VerifyingKey,
    origin: str,
    archive: Path | None,
    actor: Actor,
    now: datetime,
) -> Retired:
    folder = None if archive is None else archive / f"epoch-{span.start:012}-{span.stop:012}"
    with (
        all_tenants_audit("reader", using="default"),
        bulk_cursor(using="default") as cursor,
    ):
        refuse_held(cursor, start=span.start, stop=span.stop)  # before the work of an archive
    with (
        all_tenants_audit("reader", using="default"),
        bulk_cursor(using="default") as cursor,
    ):
        sealed = seal(cursor, span, before=tree, key=key, origin=origin)
        if folder is not None:
            if not folder.exists():  # else of a run that broke off: as good as what it holds
                write_part(folder, key=key, origin=origin, first=span.start, stop=span.stop)
            check_archive(folder, start=tree, stop=sealed.tree)
    digest = b"" if folder is None else digest_of(folder)
    where = "" if folder is None else str(folder)
    with (
        all_tenants_audit("sequencer", using="default"),
        bulk_cursor(using="default") as rows,
        connections["default"].cursor() as cursor,
    ):
        refuse_held(rows, start=span.start, stop=span.stop)  # nobody is held until this commits
        root = sealed.tree.root()
        values: list[Any] = [
            span.start, span.stop, sealed.tree.encode(), root, sealed.first_at, sealed.last_at,
            now, where, digest,
        ]  # fmt: skip
        cursor.execute(_SAVE, values)
        cursor.execute(_EDGES, [list(sealed.edges), list(sealed.edges.values())])
        _record(sealed, archive=where, digest=digest, actor=actor, now=now)
        cursor.execute(f"DROP TABLE {span.partition}")  # our own catalogue's name
    return Retired(start=span.start, stop=span.stop, archive=where)


def _record(sealed: Seal, *, archive: str, digest: bytes, actor: Actor, now: datetime) -> None:
    resource = f"audit_log/{sealed.span.start}-{sealed.span.stop}"
    record(
        event=EventType.EPOCH_SEALED,
        actor=actor,
        now=now,
        resource=resource,
        detail={
            "start": sealed.span.start,
            "stop": sealed.span.stop,
            "root": sealed.tree.root().hex(),
            "first": instant(sealed.first_at),
            "last": instant(sealed.last_at),
            "archive_sha256sums": digest.hex(),
        },
    )
    record(
        event=EventType.EPOCH_RETIRED,
        actor=actor,
        now=now,
        resource=resource,
        detail={"archived": int(bool(archive))},
    )


def _drop_days(
    before: date, sources: Sequence[str], *, actor: Actor, now: datetime
) -> Iterator[str]:
    """Drop day partitions that are over, each once everything in it is in the log."""
    for table in DAILY:
        for source in sources:
            with connections[source].cursor() as cursor:
                cursor.execute(_DAYS, [table])
                days = [(name, day) for name, day in cursor.fetchall() if day < before]
            for name, day in days:
                with (
                    all_tenants_audit("sequencer", using=source),
                    connections[source].cursor() as cursor,
                ):
                    if not _is_done_with(table=table, source=source, day=day, sources=sources):
                        continue
                    where = f"{source}:{name}"
                    event = EventType.STAGING_DROPPED
                    record(event=event, actor=actor, now=now, resource=where, using=source)
                    cursor.execute(f"DROP TABLE {name}")
                yield where


def _is_done_with(*, table: str, source: str, day: date, sources: Sequence[str]) -> bool:
    if table == "audit_taken":  # what was taken is asked about as long as a staged row exists
        return not any(_exists(each, f"audit_stage_{day:%Y%m%d}") for each in sources)
    with connections[source].cursor() as cursor:
        if table == "audit_tally":
            cursor.execute(
                "SELECT NOT EXISTS (SELECT FROM audit_tally WHERE minute >= %s AND minute < %s"
                " AND (calls > emitted_calls OR items > emitted_items))",
                [_midnight(day), _midnight(day) + timedelta(days=1)],
            )
            return bool(cursor.fetchone()[0])
        cursor.execute(
            "SELECT id FROM audit_stage WHERE id >= audit_first_id(%s) AND id < audit_first_id(%s)",
            [day, day + timedelta(days=1)],
        )
        staged = [row[0] for row in cursor.fetchall()]
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_taken WHERE stage = ANY(%s)", [staged])
        return bool(cursor.fetchone()[0] == len(staged))


def _exists(source: str, table: str) -> bool:
    with connections[source].cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [table])
        return bool(cursor.fetchone()[0])


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
