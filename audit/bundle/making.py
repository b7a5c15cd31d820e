"""Makes a bundle from the database: which entries, what they cover, and the documents beside them.

Runs inside `audit.scope.all_tenants_audit("reader")`, after the deed was recorded.
"""

import ast
import inspect
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
from django.db import connections

from audit import log
from audit.bundle.writing import Earlier, Writer, make_folder, span_of, write_rest
from audit.epochs import completion, kept_from
from audit.events import EventType
from audit.leaves import instant, read_leaf
from audit.models import Epoch
from audit.nodes import Prover
from audit.reading import stored_checkpoints
from audit.scope import bulk_cursor
from audit.staging import Cursor
from audit.verify import StoredCheckpoint
from crypto.merkle import CompactRange, MalformedTree
from crypto.signatures import VerifyingKey

GAP = timedelta(hours=24)
"""Silence worth naming: every deployment audits something each day."""
GAPS_LIMIT = 1000
PAGE = 5000

_ROWS = """
SELECT idx, leaf, leaf_hash FROM audit_log WHERE idx > %s AND idx < %s ORDER BY idx LIMIT %s
"""
_LAST_OF_DAYS = """
SELECT max(size) FROM audit_checkpoint WHERE size < %s
GROUP BY date_trunc('day', signed_at AT TIME ZONE 'UTC')
"""
_PLACE = "SELECT min(idx) FROM audit_log WHERE occurred_at >= %s"


@dataclass(slots=True, kw_only=True)
class Coverage:
    """What the entries of a bundle are about, counted as they pass."""

    entries: int = 0
    unreadable: int = 0
    events: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    staff_reads: Counter[str] = field(default_factory=Counter)
    gaps: list[dict[str, Any]] = field(default_factory=list)
    first: str = ""
    last: str = ""

    def add(self, idx: int, leaf: bytes) -> None:
        """Count one entry; one that cannot be read is counted as that."""
        self.entries += 1
        try:
            content = read_leaf(leaf)
            at = datetime.fromisoformat(content.sequenced)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
            self.unreadable += 1
            return
        silent = bool(self.last) and at - datetime.fromisoformat(self.last) > GAP
        if silent and len(self.gaps) < GAPS_LIMIT:
            self.gaps.append({"before": idx, "from": self.last, "to": content.sequenced})
        self.first = self.first or content.sequenced
        self.last = content.sequenced
        self.events[content.event] += 1
        self.outcomes[content.outcome] += 1
        if content.event == EventType.STAFF_READ.value:
            self.staff_reads[content.tenant or ""] += 1

    def document(self) -> dict[str, object]:
        """Return the counts as the bundle's ``coverage.json``."""
        known = {each.value for each in EventType}
        return {
            "entries": self.entries,
            "unreadable": self.unreadable,
            "first": self.first,
            "last": self.last,
            "events": dict(sorted(self.events.items())),
            "events_that_do_not_occur": sorted(known - self.events.keys()),
            "outcomes": dict(sorted(self.outcomes.items())),
            "staff_reads_by_tenant": dict(sorted(self.staff_reads.items())),
            "gaps_over_24_h": self.gaps,
        }


def catalogue() -> list[dict[str, str]]:
    """Return every event with its label and the sentence that says when it is recorded."""
    words = _sentences()
    return [
        {
            "event": each.value,
            "label": each.label,
            "kept": "minute" if each.tallied else "deed",
            "when": words[each.name],
        }
        for each in EventType
    ]


def _sentences() -> dict[str, str]:
    """Read the docstring under each member: Python keeps none for them."""
    (body,) = (
        node.body
        for node in ast.parse(inspect.getsource(inspect.getmodule(EventType) or EventType)).body
        if isinstance(node, ast.ClassDef) and node.name == EventType.__name__
    )
    words = {}
    for member, said in pairwise(body):
        if (
            isinstance(member, ast.Assign)
            and isinstance(member.targets[0], ast.Name)
            and isinstance(said, ast.Expr)
            and isinstance(said.value, ast.Constant)
        ):
            words[member.targets[0].id] = inspect.cleandoc(str(said.value.value))
    return words


def write_bundle(
    folder: Path,
    *,
    key: VerifyingKey,
    origin: str,
    since: datetime | None = None,
    until: datetime | None = None,
    kept: Collection[int] = (),
) -> dict[str, object]:
    """Write a bundle into a new or empty folder and say what it holds.

    It begins after the last checkpoint before `since` and ends with the first after `until` (the
    newest, where there is none), so that both ends are signed; where retention took leaves away, at
    the earliest where they begin. ``unsigned`` of the answer: how many newer entries the log has.
    `kept` are sizes of checkpoints that somebody has, to be proved beside one a day. Raises
    `FileExistsError`.
    """
    return write_part(
        folder, key=key, origin=origin, first=_place(since), stop=_place(until), kept=kept
    )


def write_part(
    folder: Path,
    *,
    key: VerifyingKey,
    origin: str,
    first: int | None,
    stop: int | None,
    kept: Collection[int] = (),
) -> dict[str, object]:
    """Write the leaves from `first` to before `stop` as `write_bundle` does."""
    make_folder(folder)
    stored = stored_checkpoints(using="default")
    with bulk_cursor(using="default") as cursor:
        begins = kept_from(cursor)
        trees = [tree for each in stored if (tree := _tree(each)) is not None]
        span = span_of(
            [begins, *(tree for tree in trees if tree.size >= begins.size)],
            first=begins.size if first is None else max(first, begins.size),
            stop=stop,
        )
        signed = max((tree.size for tree in trees), default=begins.size)
        unsigned = max(log.load_head(cursor).size - signed, 0)
        earlier = list(_earlier(cursor, stored, before=span.before, kept=kept))
    coverage = Coverage()
    with Writer(folder) as writer:
        for idx, leaf, leaf_hash in rows_between(span.before.size, span.stop):
            writer.add(idx, leaf, leaf_hash)
            coverage.add(idx, leaf)
    notes = [each.note for each in stored if span.before.size <= each.size <= span.stop]
    write_rest(
        folder,
        span=span,
        origin=origin,
        key=key,
        notes=notes,
        earlier=earlier,
        documents={
            "catalogue.json": catalogue(),
            "coverage.json": coverage.document(),
            "epochs.json": epochs(),
        },
    )
    return {
        "begins": begins.size,
        "start": span.before.size,
        "size": span.stop,
        "entries": coverage.entries,
        "checkpoints": len(notes),
        "unsigned": unsigned,
    }


def _tree(stored: StoredCheckpoint) -> CompactRange | None:
    try:
        return CompactRange.decode(size=stored.size, encoded=stored.nodes)
    except MalformedTree:  # no place to begin or to end: what it was is in its note
        return None


def _earlier(
    cursor: Cursor,
    stored: Sequence[StoredCheckpoint],
    *,
    before: CompactRange,
    kept: Collection[int],
) -> Iterator[Earlier]:
    """Prove that the last checkpoint of each day, and those in `kept`, begin `before`."""
    days = cursor.execute(_LAST_OF_DAYS, [before.size]).fetchall()
    wanted = {row[0] for row in days} | set(kept)
    prover = Prover(cursor, CompactRange())
    for each in stored:
        tree = _tree(each) if each.size in wanted and each.size < before.size else None
        if tree is not None:
            then = completion(cursor, prover, old=tree.size, new=before.size)
            yield Earlier(tree=tree, then=tuple(then))


def epochs() -> list[dict[str, object]]:
    """Return what retention took away: bounds, root, times and where the archive lies."""
    return [
        {
            "start": each.start,
            "stop": each.stop,
            "root": bytes(each.root).hex(),
            "first": instant(each.first_at),
            "last": instant(each.last_at),
            "retired": instant(each.sealed_at),
            "archive": each.archive,
            "archive_sha256sums": bytes(each.archive_digest).hex(),
        }
        for each in Epoch.objects.order_by("start")
    ]


def _place(time: datetime | None) -> int | None:
    if time is None:
        return None
    with connections["default"].cursor() as cursor:
        cursor.execute(_PLACE, [time])
        found: int | None = cursor.fetchone()[0]
    return found


def rows_between(first: int, stop: int) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield index, leaf and stored hash of the rows from `first` to before `stop`, as they are."""
    last = first - 1
    with bulk_cursor(using="default") as cursor:
        while True:
            rows = cursor.execute(_ROWS, [last, stop, PAGE], binary=True).fetchall()
            if not rows:
                return
            yield from ((idx, bytes(leaf), bytes(leaf_hash)) for idx, leaf, leaf_hash in rows)
            last = rows[-1][0]
