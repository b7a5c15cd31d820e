"""Makes a bundle from the database: which entries, what they cover, and the documents beside them.

Runs inside `audit.scope.all_tenants_audit("reader")`, after the deed was recorded.
"""

import ast
import inspect
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
from django.db import connections

from audit.bundle.writing import Range, Writer, make_folder, span_of, write_rest
from audit.events import EventType
from audit.leaves import read_leaf
from audit.reading import stored_checkpoints
from audit.scope import bulk_cursor
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
) -> dict[str, object]:
    """Write a bundle into a new or empty folder and say what it holds.

    It begins after the last checkpoint before `since` and ends with the first after `until`, so
    that both ends are signed. Raises `FileExistsError`.
    """
    make_folder(folder)
    stored = stored_checkpoints(using="default")
    span = span_of(
        [tree for each in stored if (tree := _tree(each)) is not None],
        first=_place(since),
        stop=_place(until),
        size=_size(),
    )
    coverage = Coverage()
    with Writer(folder) as writer:
        for idx, leaf, leaf_hash in _rows(span):
            writer.add(idx, leaf, leaf_hash)
            coverage.add(idx, leaf)
    notes = [each.note for each in stored if span.before.size <= each.size <= span.stop]
    write_rest(
        folder,
        span=span,
        origin=origin,
        key=key,
        notes=notes,
        documents={"catalogue.json": catalogue(), "coverage.json": coverage.document()},
    )
    return {
        "start": span.before.size,
        "size": span.stop,
        "entries": coverage.entries,
        "checkpoints": len(notes),
    }


def _tree(stored: StoredCheckpoint) -> CompactRange | None:
    try:
        return CompactRange.decode(size=stored.size, encoded=stored.nodes)
    except MalformedTree:  # no place to begin or to end: what it was is in its note
        return None


def _place(time: datetime | None) -> int | None:
    if time is None:
        return None
    with connections["default"].cursor() as cursor:
        cursor.execute(_PLACE, [time])
        found: int | None = cursor.fetchone()[0]
    return found


def _size() -> int:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT coalesce(max(idx) + 1, 0) FROM audit_log")
        size: int = cursor.fetchone()[0]
    return size


def _rows(span: Range) -> Iterator[tuple[int, bytes, bytes]]:
    last = span.before.size - 1
    with bulk_cursor(using="default") as cursor:
        while True:
            rows = cursor.execute(_ROWS, [last, span.stop, PAGE], binary=True).fetchall()
            if not rows:
                return
            yield from ((idx, bytes(leaf), bytes(leaf_hash)) for idx, leaf, leaf_hash in rows)
            last = rows[-1][0]
