"""The audit log as staff read it: newest first, a page at a time, every tenant's entries."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Func, JSONField, TextField, Value
from django.db.models.functions import Cast

from audit.events import EventType
from audit.models import Entry, EntryQuerySet
from audit.scope import all_tenants_audit
from console.models import Staff
from tenants.models import Tenant

ENTRIES_PER_PAGE = 50
SCANNED = 200_000
"""Entries that one page looks through: half a second where each leaf must be read."""
EXPORTED_AT_ONCE = 2_000
MOST_EXPORTED = 100_000
"""Lines of one export, some 50 MB; the whole log leaves by ``manage.py audit``."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """What is looked for; what is empty does not narrow.

    `actor` is an id as the log has it; `text` is looked for in the leaf as it stands in the log.
    """

    event: str = ""
    actor: str = ""
    tenant: UUID | None = None
    outcome: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None


def log_page(facets: Facets, *, before: int | None) -> LogPage:
    """Return the newest fitting entries with an index below `before`.

    One page looks through `SCANNED` entries at most: a rare one is some pages away, and no question
    occupies the database for long. Whoever calls this has recorded the read: the gate does.
    """
    with all_tenants_audit("reader", using="default"):
        top = Entry.objects.newest(1, before=before).first()
        low = -1 if top is None else max(top.idx - SCANNED, -1)
        entries = fitting(facets).filter(idx__gt=low)
        found = list(entries.newest(ENTRIES_PER_PAGE + 1, before=before))
    shown = found[:ENTRIES_PER_PAGE]
    older = shown[-1].idx if len(found) > ENTRIES_PER_PAGE else low + 1 if low >= 0 else None
    names = _names(shown)
    return LogPage(rows=[_row(entry, names) for entry in shown], older=older)


def exported(facets: Facets) -> Iterator[bytes]:
    """Yield the newest fitting entries as lines of JSON: index and leaf, the oldest last.

    At most `MOST_EXPORTED` lines; each batch is read in a transaction of its own.
    """
    before, left = None, MOST_EXPORTED
    while left > 0:
        with all_tenants_audit("reader", using="default"):
            batch = list(fitting(facets).newest(min(left, EXPORTED_AT_ONCE), before=before))
        yield b"".join(
            b'{"idx":%d,"leaf":%s}\n' % (entry.idx, bytes(entry.leaf)) for entry in batch
        )
        if len(batch) < EXPORTED_AT_ONCE:
            return
        before, left = batch[-1].idx, left - len(batch)


def fitting(facets: Facets) -> EntryQuerySet:
    """Return the entries that fit; inside the scope that shows them."""
    entries: EntryQuerySet = Entry.objects.all()
    if facets.event:
        entries = entries.filter(event=facets.event)
    if facets.tenant is not None:
        entries = entries.filter(tenant=facets.tenant)
    if facets.since is not None:
        entries = entries.filter(occurred_at__gte=facets.since)
    if facets.until is not None:
        entries = entries.filter(occurred_at__lt=facets.until)
    if facets.actor:
        entries = entries.annotate(acted=_said("actor", "id")).filter(acted=facets.actor)
    if facets.outcome:
        entries = entries.annotate(ended=_said("outcome")).filter(ended=facets.outcome)
    if facets.text:
        entries = entries.annotate(text=_text()).filter(text__icontains=facets.text)
    return entries


def _text() -> Func:
    """Return the leaf as text: the column is JSON, as UTF-8."""
    return Func("leaf", Value("UTF8"), function="convert_from", output_field=TextField())


def _said(*path: str) -> Func:
    """Return what the leaf says at a path of its JSON."""
    names = [Value(name) for name in path]
    leaf = Cast(_text(), JSONField())
    return Func(leaf, *names, function="jsonb_extract_path_text", output_field=TextField())


def described(entry: Entry) -> LogRow:
    """Return one entry as the list shows it."""
    return _row(entry, _names([entry]))


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
