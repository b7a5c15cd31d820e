"""The deployment at a glance: what comes in, what waits, what nobody hears from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import Count, Q
from django.urls import reverse

from audit.models import Checkpoint, Head
from console.engine import counts
from console.engine.traffic import Traffic, traffic
from console.engine.work import QueueRow, queues
from tenants.models import KeyIndex, KeyringReader, RootState, RootVersion, Tenant, TenantState

ALERT_DAYS = 7
"""Days of alerts that the overview counts: a week of work, and not a scan of 400 days."""
HEARD_DAYS = 7
"""Days within which a tenant must have sent something for its silence to be news."""
SILENT_AFTER = timedelta(hours=1)
"""Without an accepted event for longer, a tenant that used to send is silent: a sensor sends each
minute, a nightly batch is told apart by its page."""
LATE_AFTER = timedelta(minutes=5)
"""Work that is due for longer is late: a window is evaluated 60 seconds after its last event."""
UNSIGNED_AFTER = timedelta(minutes=3)
"""Entries without a checkpoint for longer: one is signed each 60 seconds, two may be missed."""
ROOT_AGE = timedelta(days=365)
"""A root key that wraps for longer should be rotated (docs/key-management.md)."""
ENDS_SOON = timedelta(days=7)
SHOWN_SILENT = 8
"""Names of silent tenants on the page; the list has them all."""
SHOWN_PROCESSES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """Something that wants a person; `level` is bad or warn, `path` where to look."""

    level: str
    title: str
    words: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """A tenant that used to send and does not; `heard` is the start of its last minute or day."""

    id: UUID
    name: str
    heard: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The deployment at a glance."""

    active: int
    suspended: int
    queues: Sequence[QueueRow]
    traffic: Traffic
    severities: Sequence[tuple[int, str, int]]
    open_alerts: int
    silent: Sequence[Silent]
    never_heard: int
    keys_ending: int
    root: RootVersion | None
    checkpoint: Checkpoint | None
    unsigned: int
    processes: Sequence[KeyringReader]
    concerns: Sequence[Concern]

    @property
    def pending(self) -> int:
        """Units of work that wait."""
        return sum(queue.pending for queue in self.queues)

    @property
    def leased(self) -> int:
        """Units of work in progress."""
        return sum(queue.leased for queue in self.queues)

    @property
    def dead(self) -> int:
        """Units of work that gave up."""
        return sum(queue.dead for queue in self.queues)

    @property
    def oldest(self) -> datetime | None:
        """When the oldest unfinished work fell due, ``None`` where nothing is late or due."""
        return min((q.oldest for q in self.queues if q.oldest is not None), default=None)


def totals(*, now: datetime, more: Sequence[Concern] = ()) -> Totals:
    """Gather the page; `more` are concerns of parts that the engine does not know."""
    tenants = list(Tenant.objects.exclude(state=TenantState.DELETED).only("id", "name", "state"))
    active = {tenant.id: tenant for tenant in tenants if tenant.is_active}
    seen = traffic(now=now)
    silent, never = _silence(active, seen.heard, now=now)
    severities = _severities(active, now=now)
    head, signed = Head.objects.first(), Checkpoint.objects.order_by("-size").first()
    unsigned = (head.size if head else 0) - (signed.size if signed else 0)
    ending = KeyIndex.objects.filter(
        revoked_at=None, expires_at__gt=now, expires_at__lte=now + ENDS_SOON
    ).aggregate(n=Count("id", filter=Q(tenant__state=TenantState.ACTIVE)))["n"]
    root = RootVersion.objects.filter(state=RootState.PRIMARY).first()
    work = queues(now=now)
    return Totals(
        active=len(active),
        suspended=len(tenants) - len(active),
        queues=work,
        traffic=seen,
        severities=severities,
        open_alerts=sum(count for _, _, count in severities),
        silent=silent,
        never_heard=never,
        keys_ending=ending,
        root=root,
        checkpoint=signed,
        unsigned=unsigned,
        processes=list(KeyringReader.objects.order_by("-seen_at")[:SHOWN_PROCESSES]),
        concerns=[
            *_about_work(work, now=now),
            *_about_silence(silent),
            *more,
            *_about_signing(signed, unsigned, now=now),
            *_about_keys(root, ending, now=now),
        ],
    )


def heard_at(
    heard: Mapping[UUID, datetime], days: Mapping[UUID, Sequence[counts.DayUse]], tenant: UUID
) -> datetime | None:
    """Return when a tenant was last heard: its last minute, else the begin of its last day."""
    if tenant in heard:
        return heard[tenant]
    used = [use.day for use in days.get(tenant, ()) if use.events]
    return datetime.combine(used[-1], datetime.min.time(), tzinfo=UTC) if used else None


def _silence(
    active: Mapping[UUID, Tenant], heard: Mapping[UUID, datetime], *, now: datetime
) -> tuple[list[Silent], int]:
    days = counts.usage(active, since=(now - timedelta(days=HEARD_DAYS)).date())
    silent, never = [], 0
    for tenant in active.values():
        at = heard_at(heard, days, tenant.id)
        if at is None:
            never += 1
        elif now - at > SILENT_AFTER:
            silent.append(Silent(id=tenant.id, name=tenant.name, heard=at))
    return sorted(silent, key=lambda each: each.heard, reverse=True), never


def _severities(active: Mapping[UUID, Tenant], *, now: datetime) -> list[tuple[int, str, int]]:
    since = (now - timedelta(days=ALERT_DAYS - 1)).date()
    found = counts.alerts(active, since=since).values()
    return [
        (number, word, sum(each.still_open.get(number, 0) for each in found))
        for number, word in counts.SEVERITIES
    ]


def _about_work(work: Sequence[QueueRow], *, now: datetime) -> list[Concern]:
    found = []
    dead = sum(queue.dead for queue in work)
    if dead:
        found.append(
            Concern(
                level="bad",
                title=f"{dead} {'unit' if dead == 1 else 'units'} of work gave up",
                words="Tried as often as it may be, and kept. Read the error, then retry.",
                path=reverse("console:jobs") + "?state=dead",
            )
        )
    late = [q.queue for q in work if q.oldest is not None and now - q.oldest > LATE_AFTER]
    if late:
        found.append(
            Concern(
                level="warn",
                title=f"Work is late: {', '.join(late)}",
                words="Due for more than five minutes. Do workers run, and of these queues?",
                path=reverse("console:jobs") + "?state=pending",
            )
        )
    return found


def _about_silence(silent: Sequence[Silent]) -> list[Concern]:
    if not silent:
        return []
    names = ", ".join(each.name for each in silent[:3])
    more = f" and {len(silent) - 3} more" if len(silent) > 3 else ""
    return [
        Concern(
            level="warn",
            title=f"{len(silent)} {'tenant is' if len(silent) == 1 else 'tenants are'} silent",
            words=f"{names}{more}: nothing accepted for over an hour.",
            path=reverse("console:tenants") + "?heard=silent",
        )
    ]


def _about_signing(signed: Checkpoint | None, unsigned: int, *, now: datetime) -> list[Concern]:
    if signed is not None and (unsigned <= 0 or now - signed.signed_at <= UNSIGNED_AFTER):
        return []
    if signed is None and not unsigned:
        return []
    return [
        Concern(
            level="bad",
            title="The audit log waits for a signature",
            words=f"{unsigned} entries are in no checkpoint yet. Does the sequencer run?",
            path=reverse("console:system"),
        )
    ]


def _about_keys(root: RootVersion | None, ending: int, *, now: datetime) -> list[Concern]:
    found = []
    since = root.primary_at or root.added_at if root is not None else None
    if since is not None and now - since > ROOT_AGE:
        found.append(
            Concern(
                level="warn",
                title="The root key is over a year old",
                words="manage.py keys rotate puts every key under a newer one, without downtime.",
                path=reverse("console:keys"),
            )
        )
    if ending:
        found.append(
            Concern(
                level="warn",
                title=f"{ending} API {'key ends' if ending == 1 else 'keys end'} within a week",
                words="A sensor whose key ends stops being heard. Rotate it in time.",
                path=reverse("console:tenants") + "?keys=ending",
            )
        )
    return found
