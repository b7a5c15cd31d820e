"""The audit log as staff read it: newest first, a page at a time, every tenant's entries."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from audit.events import EventType
from audit.models import Entry
from audit.scope import all_tenants_audit
from console.models import Staff
from tenants.models import Tenant

ENTRIES_PER_PAGE = 50
LABELS: Mapping[str, str] = {event.value: event.label for event in EventType}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """An entry as the list shows it."""

    idx: int
    time: datetime
    event: str
    label: str
    actor: str
    tenant: str
    resource: str
    outcome: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """A page of the log, and the index that the next, older one is before."""

    rows: list[LogRow]
    older: int | None


def log_page(*, event: str, before: int | None) -> LogPage:
    """Return the newest entries with an index below `before`, of one event or, for ``""``, of all.

    Whoever calls this has recorded the read: the gate does, before it lets a page be made.
    """
    with all_tenants_audit("reader", using="default"):
        entries = Entry.objects.filter(event=event) if event else Entry.objects.all()
        found = list(entries.newest(ENTRIES_PER_PAGE + 1, before=before))
    shown = found[:ENTRIES_PER_PAGE]
    names = _names(shown)
    return LogPage(
        rows=[_row(entry, names) for entry in shown],
        older=shown[-1].idx if len(found) > ENTRIES_PER_PAGE else None,
    )


def _row(entry: Entry, names: Mapping[str, str]) -> LogRow:
    leaf = entry.content()
    return LogRow(
        idx=entry.idx,
        time=entry.occurred_at,
        event=leaf.event,
        label=LABELS.get(leaf.event, leaf.event),
        actor=f"{leaf.actor.kind} {names.get(leaf.actor.id, leaf.actor.id)}".strip(),
        tenant=names.get(leaf.tenant, leaf.tenant) if leaf.tenant else "",
        resource=_named(leaf.resource, names),
        outcome=leaf.outcome,
        reason=leaf.reason,
        detail=", ".join(f"{key} {value}" for key, value in leaf.detail.items()),
    )


def _named(resource: str, names: Mapping[str, str]) -> str:
    kind, _, identifier = resource.partition(":")
    return f"{kind}:{names[identifier]}" if identifier in names else resource


def _names(entries: Iterable[Entry]) -> dict[str, str]:
    """Look up the present names of the staff and tenants that entries mention by id."""
    mentioned: set[UUID] = set()
    for entry in entries:
        leaf = entry.content()
        for text in (leaf.actor.id, leaf.tenant or "", leaf.resource.partition(":")[2]):
            try:
                mentioned.add(UUID(text))
            except ValueError:
                continue
    names = {str(id_): name for id_, name in _pairs(Staff, "username", mentioned)}
    names |= {str(id_): name for id_, name in _pairs(Tenant, "name", mentioned)}
    return names


def _pairs(model: type[Staff | Tenant], field: str, ids: set[UUID]) -> list[tuple[UUID, str]]:
    return list(model.objects.filter(id__in=ids).values_list("id", field)) if ids else []
