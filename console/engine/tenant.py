"""One tenant as staff see it without opening anything of theirs: terms, keys, members by number."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import Http404

from console.engine.overview import count_alerts
from tenants.limits import of_plan, used_today
from tenants.models import KeyIndex, Member, Tenant
from tenants.plans import Limits, Plan
from tenants.scope import tenant_scope

MOST_KEYS = 200
"""Keys on the page, the newest first; a tenant has a handful, and its ended ones stay."""


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
class TenantSight:
    """A tenant's own page."""

    tenant: Tenant
    limits: Limits
    events_today: int
    members: int
    alerts: int
    open_alerts: int
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
    with tenant_scope(tenant):
        members, used = Member.objects.count(), used_today(now=now)
    alerts, open_alerts = count_alerts(tenant)
    keys = KeyIndex.objects.filter(tenant=row).order_by("-created_at", "id")[:MOST_KEYS]
    return TenantSight(
        tenant=row,
        limits=of_plan(Plan(row.plan)),
        events_today=used,
        members=members,
        alerts=alerts,
        open_alerts=open_alerts,
        keys=[_key(key, now=now) for key in keys],
    )


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
