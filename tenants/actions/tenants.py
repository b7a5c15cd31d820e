"""Making tenants, stopping them, changing their plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from audit.actors import ANONYMOUS, Actor, system
from audit.events import EventType
from audit.record import record
from crypto.ids import uuid7
from tenants import keys
from tenants.actions.api_keys import create_key
from tenants.apikeys import ALL_SCOPES, Scope
from tenants.limits import of_plan
from tenants.models import Tenant, TenantState
from tenants.plans import Plan

PROVISIONAL_SCOPES = (Scope.INGEST, Scope.ALERTS, Scope.ACCOUNT)
"""What a key that anybody may have opens: sending, and reading what comes of it."""
NOTED_AT_ONCE = 500
"""Tenants whose end is recorded in one go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTenant:
    """A tenant and its first API key, which is shown this once."""

    tenant: Tenant
    api_key: str

    def __repr__(self) -> str:
        return f"NewTenant({self.tenant.id})"


def create_tenant(*, name: str, actor: Actor, reason: str, now: datetime) -> NewTenant:
    """Make a tenant with its keys and a first API key of every scope.

    Its wrapped keys are committed to the keys database first: a tenant without them could take
    nothing, while keys without a tenant open nothing. Raises ``IntegrityError`` for a name taken.
    """
    tenant = Tenant(id=uuid7(now), name=name, created_at=now)
    keys.make_tenant_keys(tenant.id, now=now)
    with transaction.atomic():
        api_key = _save(tenant, scopes=ALL_SCOPES, actor=actor, reason=reason, now=now)
    return NewTenant(tenant=tenant, api_key=api_key)


def create_provisional(*, now: datetime) -> NewTenant:
    """Make a tenant for whoever asked for a key: few events, some days, and three scopes."""
    days = of_plan(Plan.PROVISIONAL).days or 0
    tenant = Tenant(
        id=uuid7(now),
        plan=Plan.PROVISIONAL.value,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    tenant.name = f"provisional {tenant.id}"
    keys.make_tenant_keys(tenant.id, now=now)
    with transaction.atomic():
        api_key = _save(
            tenant, scopes=PROVISIONAL_SCOPES, actor=ANONYMOUS, reason="asked for a key", now=now
        )
        record(
            event=EventType.KEY_REQUESTED,
            actor=ANONYMOUS,
            now=now,
            tenant=tenant.id,
            resource=f"tenant:{tenant.id}",
            detail={"days": days},
        )
    return NewTenant(tenant=tenant, api_key=api_key)


def suspend_tenant(*, tenant: UUID, actor: Actor, reason: str, now: datetime) -> bool:
    """Stop serving a tenant; what it sent stays. Says whether it was active."""
    return _move(
        tenant, TenantState.ACTIVE, TenantState.SUSPENDED, EventType.TENANT_SUSPENDED,
        actor=actor, reason=reason, now=now,
    )  # fmt: skip


def resume_tenant(*, tenant: UUID, actor: Actor, reason: str, now: datetime) -> bool:
    """Serve a suspended tenant again. Says whether it was suspended."""
    return _move(
        tenant, TenantState.SUSPENDED, TenantState.ACTIVE, EventType.TENANT_RESUMED,
        actor=actor, reason=reason, now=now,
    )  # fmt: skip


def change_plan(*, tenant: UUID, plan: Plan, actor: Actor, reason: str, now: datetime) -> bool:
    """Put a tenant on another plan, with that plan's length of life. Says whether it changed.

    Its keys keep their scopes: what a full plan may besides takes a new key.
    """
    days = of_plan(plan).days
    with transaction.atomic():
        changed = (
            Tenant.objects.filter(id=tenant)
            .exclude(plan=plan.value)
            .update(
                plan=plan.value,
                expires_at=None if days is None else now + timedelta(days=days),
                expiry_noted_at=None,
            )
        )
        if changed:
            record(
                event=EventType.TENANT_PLAN_CHANGED,
                actor=actor,
                now=now,
                tenant=tenant,
                resource=f"tenant:{tenant}",
                reason=reason,
                detail={"plan": plan.value},
            )
    return bool(changed)


def note_expiries(*, now: datetime) -> int:
    """Record of each tenant whose time is over that it is; return how many there were.

    The keys stopped at that moment already: whoever asks is judged by the tenant's own time.
    """
    with transaction.atomic():
        over = list(
            Tenant.objects.select_for_update(skip_locked=True)
            .filter(expires_at__lte=now, expiry_noted_at=None)
            .order_by("id")[:NOTED_AT_ONCE]
        )
        Tenant.objects.filter(id__in=[tenant.id for tenant in over]).update(expiry_noted_at=now)
        for tenant in over:
            record(
                event=EventType.TENANT_EXPIRED,
                actor=system("tidy"),
                now=now,
                tenant=tenant.id,
                resource=f"tenant:{tenant.id}",
            )
    return len(over)


def _save(
    tenant: Tenant, *, scopes: Sequence[Scope], actor: Actor, reason: str, now: datetime
) -> str:
    tenant.save(force_insert=True)
    record(
        event=EventType.TENANT_KEY_CREATED,
        actor=actor,
        now=now,
        tenant=tenant.id,
        resource=f"tenant:{tenant.id}",
    )
    record(
        event=EventType.TENANT_CREATED,
        actor=actor,
        now=now,
        tenant=tenant.id,
        resource=f"tenant:{tenant.id}",
        reason=reason,
        detail={"plan": tenant.plan},
    )
    return create_key(
        tenant=tenant, label="first", scopes=scopes, actor=actor, reason=reason, now=now
    )


def _move(
    tenant: UUID,
    before: TenantState,
    after: TenantState,
    event: EventType,
    *,
    actor: Actor,
    reason: str,
    now: datetime,
) -> bool:
    with transaction.atomic():
        changed = Tenant.objects.filter(id=tenant, state=before).update(state=after)
        if changed:
            record(
                event=event,
                actor=actor,
                now=now,
                tenant=tenant,
                resource=f"tenant:{tenant}",
                reason=reason,
            )
    return bool(changed)
