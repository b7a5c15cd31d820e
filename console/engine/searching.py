"""What the command palette finds: pages, tenants, keys by id, people, work, entries of the log.

Only what is in clear is looked through: names and ids. Members, sources and destinations are sealed
and are not searched here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse

from audit.models import Head
from console.engine.tenants import id_begins
from console.models import Staff
from console.pages import navigation
from console.permissions import Permission, permits
from tenants.models import KeyIndex, Tenant, Work

MOST = 6
"""Hits of each kind: a palette is read at a glance."""
LEAST_OF_A_KEY = 3
"""Characters of an API key's public id that are asked for before keys are looked through."""
KEY_PREFIX = "twy_"
KEY_ID = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Something found: what it is called, what else tells it apart, and where it is."""

    title: str
    note: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A kind of things that can be found, and who may see any of them."""

    title: str
    permission: Permission
    find: Callable[[str], Sequence[Hit]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What was found of one kind."""

    title: str
    hits: Sequence[Hit]


def find_tenants(text: str) -> Sequence[Hit]:
    """Find tenants whose name contains `text` or whose id begins with it."""
    rows = Tenant.objects.filter(Q(name__icontains=text) | id_begins(text)).order_by("name")[:MOST]
    return [
        Hit(
            title=row.name,
            note=f"{row.state}, {row.id}",
            path=reverse("console:tenant", args=[row.id]),
        )
        for row in rows
    ]


def find_keys(text: str) -> Sequence[Hit]:
    """Find API keys whose public id begins with `text`; what follows the id is never looked at."""
    start = text.removeprefix(KEY_PREFIX)[:KEY_ID]
    if len(start) < LEAST_OF_A_KEY:
        return []
    rows = KeyIndex.objects.filter(id__startswith=start).select_related("tenant").order_by("id")
    return [
        Hit(
            title=f"{row}",
            note=f"{row.label or 'no label'}, {row.tenant.name}",
            path=reverse("console:tenant", args=[row.tenant_id]) + "#keys",
        )
        for row in rows[:MOST]
    ]


def find_staff(text: str) -> Sequence[Hit]:
    """Find people by a part of their name."""
    rows = Staff.objects.filter(username__icontains=text).order_by("username")[:MOST]
    return [
        Hit(
            title=row.username,
            note=row.role if row.is_active else f"{row.role}, disabled",
            path=reverse("console:staff") + f"#{row.username}",
        )
        for row in rows
    ]


def find_work(text: str) -> Sequence[Hit]:
    """Find units of work by the beginning of their id."""
    rows = Work.objects.filter(id_begins(text)).order_by("-id")[:MOST]
    return [
        Hit(
            title=f"{row.queue}, {row.state}",
            note=str(row.id),
            path=f"{reverse('console:jobs')}?tenant={row.tenant_id}&queue={row.queue}",
        )
        for row in rows
    ]


def find_entries(text: str) -> Sequence[Hit]:
    """Find an entry of the log by its number."""
    number = text.removeprefix("#")
    if not (number.isascii() and number.isdecimal() and len(number) < KEY_ID):
        return []
    head = Head.objects.first()
    if head is None or int(number) >= head.size:
        return []
    path = reverse("console:entry", args=[int(number)])
    return [Hit(title=f"Entry {int(number)}", note="of the audit log", path=path)]


SOURCES = (
    Source(title="Tenants", permission=Permission.TENANTS, find=find_tenants),
    Source(title="API keys", permission=Permission.TENANTS, find=find_keys),
    Source(title="Staff", permission=Permission.STAFF, find=find_staff),
    Source(title="Work", permission=Permission.JOBS, find=find_work),
    Source(title="Audit log", permission=Permission.AUDIT, find=find_entries),
)


def search(text: str, staff: Staff, sources: Sequence[Source]) -> list[Group]:
    """Look for `text` in the pages and in every source that the role of `staff` may see."""
    pages = [
        Hit(title=link.title, note="page", path=link.path)
        for link in navigation(staff)
        if text.lower() in link.title.lower()
    ]
    groups = [Group(title="Pages", hits=pages)]
    if text:
        groups += [
            Group(title=source.title, hits=source.find(text))
            for source in sources
            if permits(staff.role, source.permission)
        ]
    return [group for group in groups if group.hits]
