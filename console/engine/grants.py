"""Who may read which tenant's data, why and until when, as the console lists it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from console.models import Staff
from tenants import grants
from tenants.grants import Grant, GrantScope
from tenants.models import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRow:
    """A grant as the list shows it; `state` is live, over or revoked."""

    id: UUID
    tenant: UUID
    name: str
    who: str
    is_own: bool
    scopes: str
    opens_alerts: bool
    reason: str
    ticket: str
    created_at: datetime
    expires_at: datetime
    state: str


def grant_rows(*, staff: Staff, everybodys: bool, now: datetime) -> list[GrantRow]:
    """Return the live grants of `staff`, or the newest of everybody, those that are over too."""
    found = grants.grants() if everybodys else grants.live_grants(staff=staff.id, now=now)
    people = dict(
        Staff.objects.filter(id__in={each.staff for each in found}).values_list("id", "username")
    )
    names = dict(
        Tenant.objects.filter(id__in={each.tenant for each in found}).values_list("id", "name")
    )
    return [
        GrantRow(
            id=each.id,
            tenant=each.tenant,
            name=names.get(each.tenant, str(each.tenant)),
            who=people.get(each.staff, str(each.staff)),
            is_own=each.staff == staff.id,
            scopes=", ".join(sorted(each.scopes)) or "nothing any more",
            opens_alerts=GrantScope.ALERTS in each.scopes,
            reason=each.reason,
            ticket=each.ticket,
            created_at=each.created_at,
            expires_at=each.expires_at,
            state=_state(each, now=now),
        )
        for each in found
    ]


def _state(grant: Grant, *, now: datetime) -> str:
    if grant.revoked_at is not None:
        return "revoked"
    return "live" if grant.is_live(now=now) else "over"
