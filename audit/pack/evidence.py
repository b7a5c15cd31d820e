"""What the entries of a pack show: counted as they pass, by event, with indices to look them up."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from audit.events import EventType
from audit.leaves import Leaf, read_leaf
from audit.pack.controls import CONTROLS, Control

EXAMPLES = 3
"""Indices of an event's entries that a control names, beside the first and the last."""
ACCESSES_LIMIT = 100_000
"""Accesses of staff that are listed one by one; the counts go on."""
ACCESSES = frozenset({EventType.STAFF_READ.value, EventType.AUDIT_READ.value})


@dataclass(slots=True, kw_only=True)
class Seen:
    """Of one event: entries, what minutes' counts in them add up to, outcomes, and where."""

    entries: int = 0
    calls: int = 0
    items: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    first: int = -1
    last: int = -1
    first_at: str = ""
    last_at: str = ""
    examples: list[int] = field(default_factory=list)

    def add(self, idx: int, leaf: Leaf) -> None:
        """Count one entry."""
        if not self.entries:
            self.first, self.first_at = idx, leaf.time
        self.last, self.last_at = idx, leaf.time
        self.entries += 1
        self.outcomes[leaf.outcome] += 1
        self.calls += _number(leaf, "calls")
        self.items += _number(leaf, "items")
        if len(self.examples) < EXAMPLES:
            self.examples.append(idx)


@dataclass(slots=True, kw_only=True)
class Evidence:
    """Everything that was counted of a pack's entries."""

    events: dict[str, Seen] = field(default_factory=dict)
    accesses: list[dict[str, object]] = field(default_factory=list)
    by_tenant: Counter[str] = field(default_factory=Counter)
    tenants: set[str] = field(default_factory=set)
    clock_back: list[int] = field(default_factory=list)
    unreadable: list[int] = field(default_factory=list)
    sequenced: str = ""

    def take(self, rows: Iterable[tuple[int, bytes, bytes]]) -> None:
        """Count entries in the order of the log; one that cannot be read is named by its index."""
        for idx, content, _hash in rows:
            try:
                leaf = read_leaf(content)
                datetime.fromisoformat(leaf.sequenced)
            except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
                self.unreadable.append(idx)
                continue
            self.events.setdefault(leaf.event, Seen()).add(idx, leaf)
            if leaf.sequenced < self.sequenced:
                self.clock_back.append(idx)
            self.sequenced = leaf.sequenced
            if leaf.tenant:
                self.tenants.add(leaf.tenant)
            if leaf.event in ACCESSES or (leaf.actor.kind == "staff" and leaf.tenant):
                self._access(idx, leaf)

    def _access(self, idx: int, leaf: Leaf) -> None:
        self.by_tenant[leaf.tenant or ""] += 1
        if len(self.accesses) < ACCESSES_LIMIT:
            self.accesses.append(
                {
                    "index": idx,
                    "time": leaf.time,
                    "event": leaf.event,
                    "tenant": leaf.tenant or "",
                    "actor": f"{leaf.actor.kind}:{leaf.actor.id}",
                    "resource": leaf.resource,
                    "outcome": leaf.outcome,
                    "reason": leaf.reason,
                    "grant": str(leaf.detail.get("grant", "")),
                    "ticket": str(leaf.detail.get("ticket", "")),
                }
            )

    def controls(self) -> list[dict[str, object]]:
        """Return each control with what these entries show of it."""
        return [self._control(each) for each in CONTROLS]

    def _control(self, control: Control) -> dict[str, object]:
        return {
            "framework": control.framework,
            "control": control.id,
            "about": control.about,
            "shown": control.shown,
            "beside": list(control.beside),
            "entries": sum(self._seen(each).entries for each in control.events),
            "events": [
                {"event": each.value, "label": each.label, **msgspec.to_builtins(self._seen(each))}
                for each in control.events
            ],
        }

    def _seen(self, event: EventType) -> Seen:
        return self.events.get(event.value, Seen())


def _number(leaf: Leaf, name: str) -> int:
    value = leaf.detail.get(name, 0)
    return value if isinstance(value, int) else 0
