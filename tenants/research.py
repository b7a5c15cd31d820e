"""Whether a tenant lets its series be used for research: not before it says so.

An export asks before each piece that it reads, so that a withdrawal ends it there.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from audit.actors import Actor
from audit.events import EventType
from audit.record import record
from crypto.ids import uuid7
from tenants.errors import NoConsent, Refused, UnfitTerms
from tenants.models import ResearchConsent, Tenant, TenantState
from tenants.scope import tenant_scope


def consent_of(tenant: UUID) -> ResearchConsent | None:
    """Return the consent that stands, if one does."""
    with tenant_scope(tenant):
        return ResearchConsent.objects.filter(withdrawn_at=None).first()


def require(tenant: UUID) -> UUID:
    """Return the id of the consent that stands; raises `NoConsent`."""
    row = consent_of(tenant)
    if row is None or not Tenant.objects.filter(id=tenant, state=TenantState.ACTIVE).exists():
        raise NoConsent(f"tenant {tenant} does not let its series be used for research")
    return row.id


def read_consent(body: dict[str, Any]) -> bool:
    """Read ``{"allowed": true}`` or false, and nothing else; raises `Refused`."""
    if set(body) != {"allowed"} or type(body["allowed"]) is not bool:
        raise Refused('The body is {"allowed": true} or {"allowed": false}, and nothing else.')
    return body["allowed"]


def change(*, tenant: UUID, allowed: bool, actor: Actor, now: datetime, reason: str = "") -> bool:
    """Give or withdraw a tenant's consent; say whether that changed anything."""
    with tenant_scope(tenant):
        row = Tenant.objects.select_for_update(no_key=True).filter(id=tenant).first()
        if row is None or row.state == TenantState.DELETED:
            raise UnfitTerms(f"there is no tenant {tenant}")
        standing = ResearchConsent.objects.filter(withdrawn_at=None)
        if allowed == standing.exists():
            return False
        if allowed:
            ResearchConsent.objects.create(id=uuid7(now), given_at=now, given_by=str(actor))
        else:
            standing.update(withdrawn_at=now, withdrawn_by=str(actor))
        record(
            event=EventType.RESEARCH_ALLOWED if allowed else EventType.RESEARCH_WITHDRAWN,
            actor=actor, now=now, tenant=tenant, reason=reason, resource=f"tenant:{tenant}",
        )  # fmt: skip
    return True
