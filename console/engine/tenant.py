"""One tenant as staff see it without opening anything of theirs: terms, keys, members by number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import Count, Min, Q
from django.http import Http404

from console.charts import Bars, bars
from console.engine import counts
from console.engine.overview import heard_at
from console.engine.tenants import events_on, hearing
from console.engine.traffic import traffic
from tenants.limits import of_plan
from tenants.models import DataKey, KeyIndex, Member, Tenant, TenantKey, Work, WorkState
from tenants.plans import Limits, Plan
from tenants.scope import tenant_scope

MOST_KEYS = 200
"""Keys on the page, the newest first; a tenant has a handful, and its ended ones stay."""
USE_DAYS = 30
ALERT_DAYS = 400
"""Alerts are kept for so long (contract)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """An API key as the page shows it; `state` is live, ended or revoked."""

    id: str
    label: str
    scopes: str
    networks: str
    state: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealing:
    """Keys that seal a tenant's rows: of which kind, how many, since when, whether any is left."""

    name: str
    count: int
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantSight:
    """A tenant's own page."""

    tenant: Tenant
    limits: Limits
    heard: datetime | None
    hearing: str
    events_today: int
    share: int | None
    days: Bars
    use: Sequence[counts.DayUse]
    members: int
    verified: int
    alerts: int
    open_alerts: int
    severities: Sequence[tuple[int, str, int]]
    waiting: int
    dead: int
    sealing: Sequence[Sealing]
    keys: list[KeyRow]


def found(tenant: UUID) -> Tenant:
    """Return a tenant, or answer 404."""
    row = Tenant.objects.filter(id=tenant).first()
    if row is None:
        raise Http404
    return row


def live_key(tenant: UUID, key: str, *, now: datetime) -> KeyIndex:
    """Return a live key of a tenant, or answer 404."""
    row = KeyIndex.objects.select_related("tenant").filter(id=key, tenant_id=tenant).first()
    if row is None or row.is_revoked(now=now):
        raise Http404
    return row


def sight(tenant: UUID, *, now: datetime) -> TenantSight:
    """Gather a tenant's page; members, use and alerts are counted in the tenant's own scope."""
    row = found(tenant)
    today = now.astimezone(UTC).date()
    first = today - timedelta(days=USE_DAYS - 1)
    use = counts.usage([tenant], since=first).get(tenant, [])
    seen = counts.alerts([tenant], since=today - timedelta(days=ALERT_DAYS)).get(
        tenant, counts.Alerts()
    )
    heard = heard_at(traffic(now=now).heard, {tenant: use}, tenant)
    with tenant_scope(tenant):
        members = Member.objects.aggregate(
            every=Count("role"), verified=Count("role", filter=Q(verified_at__isnull=False))
        )
        sealing = _data_keys()
    work = Work.objects.filter(tenant_id=tenant).aggregate(
        waiting=Count("id", filter=Q(state__in=Work.UNFINISHED)),
        dead=Count("id", filter=Q(state=WorkState.DEAD)),
    )
    limits = of_plan(Plan(row.plan))
    events = events_on(today, use)
    by_day = [first + timedelta(days=ahead) for ahead in range(USE_DAYS)]
    return TenantSight(
        tenant=row,
        limits=limits,
        heard=heard,
        hearing=hearing(row, heard, now=now),
        events_today=events,
        share=None if limits.events_a_day is None else 100 * events // limits.events_a_day,
        days=bars([(day.isoformat(), events_on(day, use)) for day in by_day]),
        use=use[::-1],
        members=members["every"],
        verified=members["verified"],
        alerts=seen.every,
        open_alerts=seen.open,
        severities=[
            (number, word, seen.still_open.get(number, 0)) for number, word in counts.SEVERITIES
        ],
        waiting=work["waiting"],
        dead=work["dead"],
        sealing=[*_tenant_keys(tenant), *sealing],
        keys=[
            _key(key, now=now)
            for key in KeyIndex.objects.filter(tenant=row).order_by("-created_at", "id")[:MOST_KEYS]
        ],
    )


def _tenant_keys(tenant: UUID) -> list[Sealing]:
    with tenant_scope(tenant, using="keys"):
        rows = TenantKey.objects.filter(destroyed_at=None).values_list("purpose")
        asked = list(rows.annotate(n=Count("version"), since=Min("created_at")).order_by("purpose"))
    return [Sealing(name=f"tenant key, {name}", count=n, since=at) for name, n, at in asked]


def _data_keys() -> list[Sealing]:
    rows = DataKey.objects.values_list("series_class")
    asked = rows.annotate(n=Count("epoch"), since=Min("created_at")).order_by("series_class")
    return [Sealing(name=f"data keys, {name}", count=n, since=at) for name, n, at in asked]


def _key(key: KeyIndex, *, now: datetime) -> KeyRow:
    ended = "ended" if key.is_expired(now=now) else "live"
    return KeyRow(
        id=key.id,
        label=key.label,
        scopes=", ".join(key.scopes),
        networks=", ".join(key.networks),
        state="revoked" if key.revoked_at is not None else ended,
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
    )
