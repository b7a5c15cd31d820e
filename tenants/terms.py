"""How long a tenant's rows are kept: the product's terms, or shorter ones of the tenant's own.

Terms count from receipt (contract). They can only be shortened, and not below what the product
needs to keep its word. The bounds stand in the table's constraint too.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from audit.actors import Actor
from audit.events import EventType
from audit.record import record
from tenants.errors import Refused, UnfitTerms
from tenants.models import RetentionTerms, Tenant, TenantState
from tenants.scope import tenant_scope

SERIES_DAYS = 90
"""Days of the series and daily destinations (contract)."""
ALERTS_DAYS = 400
"""Days of alerts with their evidence: thirteen months, a year's review and a month's delay."""
LEAST_SERIES_DAYS = 7
"""A day is evaluated again for late data, and a beacon of a week must be seen to come back."""
LEAST_ALERTS_DAYS = 30
"""A reader that was away for a month still gets every alert: `follow` promises no gap."""
MEMBERS = ("seriesDays", "alertsDays")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Days from receipt that series and alerts are kept."""

    series_days: int = SERIES_DAYS
    alerts_days: int = ALERTS_DAYS

    @property
    def series(self) -> timedelta:
        """How long series are kept."""
        return timedelta(days=self.series_days)

    @property
    def alerts(self) -> timedelta:
        """How long alerts are kept."""
        return timedelta(days=self.alerts_days)

    def fault(self) -> str | None:
        """Say what is wrong with the terms, ``None`` where nothing is."""
        if not LEAST_SERIES_DAYS <= self.series_days <= SERIES_DAYS:
            return f"seriesDays is a whole number from {LEAST_SERIES_DAYS} to {SERIES_DAYS}."
        if not LEAST_ALERTS_DAYS <= self.alerts_days <= ALERTS_DAYS:
            return f"alertsDays is a whole number from {LEAST_ALERTS_DAYS} to {ALERTS_DAYS}."
        if self.alerts_days < self.series_days:
            return (
                f"alertsDays ({self.alerts_days}) is at least seriesDays ({self.series_days}):"
                " an alert would be made again from the series that outlive it."
            )
        return None


def of_tenant(tenant: UUID) -> Terms:
    """Return the terms that hold for a tenant."""
    with tenant_scope(tenant):
        row = RetentionTerms.objects.first()
    if row is None:
        return Terms()
    return Terms(series_days=row.series_days, alerts_days=row.alerts_days)


def read_terms(body: dict[str, Any]) -> Terms:
    """Read terms from a body that has both members and no other; raises `Refused`."""
    if set(body) != set(MEMBERS):
        raise Refused(f"The body has the members {' and '.join(MEMBERS)}, and no other.")
    for name in MEMBERS:
        if type(body[name]) is not int:
            raise Refused(f"{name} is a whole number of days.")
    terms = Terms(series_days=body["seriesDays"], alerts_days=body["alertsDays"])
    if (fault := terms.fault()) is not None:
        raise Refused(fault)
    return terms


def change(*, tenant: UUID, terms: Terms, actor: Actor, now: datetime, reason: str = "") -> bool:
    """Put a tenant on terms; say whether they changed. Rows past them go with the next run."""
    if (fault := terms.fault()) is not None:
        raise UnfitTerms(fault)
    with tenant_scope(tenant):
        row = Tenant.objects.select_for_update(no_key=True).filter(id=tenant).first()
        if row is None or row.state == TenantState.DELETED:
            raise UnfitTerms(f"there is no tenant {tenant}")
        before = of_tenant(tenant)
        if before == terms:
            return False
        RetentionTerms.objects.bulk_create(
            [
                RetentionTerms(
                    tenant_id=tenant,
                    series_days=terms.series_days,
                    alerts_days=terms.alerts_days,
                    changed_at=now,
                )
            ],
            update_conflicts=True,
            unique_fields=["tenant_id"],
            update_fields=["series_days", "alerts_days", "changed_at"],
        )
        record(
            event=EventType.RETENTION_CHANGED, actor=actor, now=now, tenant=tenant, reason=reason,
            resource=f"tenant:{tenant}",
            detail={
                "series_days": terms.series_days,
                "alerts_days": terms.alerts_days,
                "series_days_before": before.series_days,
                "alerts_days_before": before.alerts_days,
            },
        )  # fmt: skip
    return True
