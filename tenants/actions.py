"""Deeds on tenants and their keys. Each is one transaction with its audit row inside."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.actors import Actor
from audit.events import EventType
from audit.record import record
from crypto.ids import uuid7
from tenants import apikeys, keys
from tenants.apikeys import ALL_SCOPES, TENANT_PREFIX, Scope
from tenants.models import KeyIndex, Tenant, TenantState


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
        tenant.save(force_insert=True)
        record(
            event=EventType.TENANT_CREATED,
            actor=actor,
            now=now,
            tenant=tenant.id,
            resource=f"tenant:{tenant.id}",
            reason=reason,
        )
        api_key = create_key(
            tenant=tenant, label="first", scopes=ALL_SCOPES, actor=actor, reason=reason, now=now
        )
    return NewTenant(tenant=tenant, api_key=api_key)


def create_key(
    *,
    tenant: Tenant,
    label: str,
    scopes: tuple[Scope, ...],
    actor: Actor,
    reason: str,
    now: datetime,
    expires_at: datetime | None = None,
) -> str:
    """Make an API key and return its text, which is stored nowhere."""
    version, secret = keys.primary_pepper()
    minted = apikeys.mint(TENANT_PREFIX, pepper=secret)
    with transaction.atomic():
        KeyIndex.objects.create(
            id=minted.id,
            tenant=tenant,
            label=label,
            pepper=version,
            mac=minted.mac,
            scopes=list(scopes),
            created_at=now,
            expires_at=expires_at,
        )
        record(
            event=EventType.KEY_CREATED,
            actor=actor,
            now=now,
            tenant=tenant.id,
            resource=f"key:{minted.id}",
            reason=reason,
            detail={"scopes": " ".join(scopes)},
        )
    return minted.text


def revoke_key(*, key: str, actor: Actor, reason: str, now: datetime) -> bool:
    """Revoke an API key; says whether there was one to revoke."""
    with transaction.atomic():
        row = KeyIndex.objects.select_for_update().filter(id=key, revoked_at=None).first()
        if row is None:
            return False
        row.revoked_at = now
        row.save(update_fields=["revoked_at"])
        record(
            event=EventType.KEY_REVOKED,
            actor=actor,
            now=now,
            tenant=row.tenant_id,
            resource=f"key:{key}",
            reason=reason,
        )
    return True


def suspend_tenant(*, tenant: UUID, actor: Actor, reason: str, now: datetime) -> bool:
    """Stop serving a tenant; what it sent stays. Says whether it was active."""
    with transaction.atomic():
        changed = Tenant.objects.filter(id=tenant, state=TenantState.ACTIVE).update(
            state=TenantState.SUSPENDED
        )
        if changed:
            record(
                event=EventType.TENANT_SUSPENDED,
                actor=actor,
                now=now,
                tenant=tenant,
                resource=f"tenant:{tenant}",
                reason=reason,
            )
    return bool(changed)
