"""What is in clear about tenants and their work, counted."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Min, Q

from tenants.models import Tenant, TenantState, Work, WorkState
from tenants.scope import tenant_scope

TENANTS_PER_PAGE = 25
"""Each tenant on a page costs a transaction of its own scope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkCounts:
    """Rows of work by state."""

    pending: int
    leased: int
    done: int
    dead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The deployment at a glance; `oldest` is the receipt of the oldest unfinished work."""

    active: int
    suspended: int
    work: WorkCounts
    oldest: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantRow:
    """A tenant as the list shows it; `keys` are API keys neither revoked nor expired."""

    id: UUID
    name: str
    state: str
    created_at: datetime
    keys: int
    work: WorkCounts
    alerts: int
    open_alerts: int


def totals() -> Totals:
    """Count tenants and work over the whole deployment."""
    by_state = dict(Tenant.objects.order_by().values_list("state").annotate(n=Count("id")))
    work = dict(Work.objects.values_list("state").annotate(n=Count("id")))
    oldest = Work.objects.filter(state__in=Work.UNFINISHED).aggregate(at=Min("created_at"))["at"]
    return Totals(
        active=by_state.get(TenantState.ACTIVE, 0),
        suspended=by_state.get(TenantState.SUSPENDED, 0),
        work=_work_counts(work),
        oldest=oldest,
    )


def tenant_rows(*, after: str, now: datetime) -> tuple[list[TenantRow], str | None]:
    """Return a page of tenants by name behind `after`, and the name that the next page is behind.

    Each tenant's alerts are counted in that tenant's own scope; no column of them is read.
    """
    live = Q(keys__revoked_at=None) & (Q(keys__expires_at=None) | Q(keys__expires_at__gt=now))
    tenants = list(
        Tenant.objects.filter(name__gt=after)
        .annotate(live_keys=Count("keys", filter=live))
        .order_by("name")[: TENANTS_PER_PAGE + 1]
    )
    more = len(tenants) > TENANTS_PER_PAGE
    tenants = tenants[:TENANTS_PER_PAGE]
    work: dict[UUID, dict[str, int]] = {tenant.id: {} for tenant in tenants}
    counted = Work.objects.filter(tenant_id__in=work).values_list("tenant_id", "state")
    for tenant_id, state, count in counted.annotate(n=Count("id")):
        work[tenant_id][state] = count
    rows = []
    for tenant in tenants:
        alerts, open_alerts = count_alerts(tenant.id)
        rows.append(
            TenantRow(
                id=tenant.id,
                name=tenant.name,
                state=tenant.state,
                created_at=tenant.created_at,
                keys=tenant.live_keys,
                work=_work_counts(work[tenant.id]),
                alerts=alerts,
                open_alerts=open_alerts,
            )
        )
    return rows, (rows[-1].name if more else None)


def count_alerts(tenant: UUID) -> tuple[int, int]:
    """Return how many alerts a tenant has, and how many of them are open."""
    from analytics.models import Alert, AlertState  # noqa: PLC0415 -- models exist once apps are ready

    with tenant_scope(tenant):
        counts = Alert.objects.aggregate(
            every=Count("state"), still_open=Count("state", filter=Q(state=AlertState.OPEN))
        )
    return counts["every"], counts["still_open"]


def _work_counts(counts: dict[str, int]) -> WorkCounts:
    return WorkCounts(
        pending=counts.get(WorkState.PENDING, 0),
        leased=counts.get(WorkState.LEASED, 0),
        done=counts.get(WorkState.DONE, 0),
        dead=counts.get(WorkState.DEAD, 0),
    )
