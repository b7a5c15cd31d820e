"""Ending a tenant for good: the keys first, so that no older copy of its rows opens again.

The order is the point. The wrapped keys are destroyed in the keys database, whose own backups are
kept seven days at most; then the tenant stops; then its rows go in batches. Whoever restores the
main database as it was before gets sealed rows and no key. Each step looks for what is left, so
that a deletion that was interrupted is given again and goes on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.apps import apps
from django.db import connection, router, transaction
from django.db.models import Model

from audit.actors import Actor
from audit.events import EventType
from audit.record import record
from crypto import envelope
from crypto.digests import sha256
from crypto.ids import uuid7
from tenants import certificates, holds, keys
from tenants.errors import UnfitTerms
from tenants.models import (
    KeyCertificate,
    KeyIndex,
    Tenant,
    TenantKey,
    TenantModel,
    TenantState,
    Work,
)
from tenants.scope import tenant_scope

BATCH = 5_000
"""Rows deleted in one transaction: some hundred milliseconds of locks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """That one key was destroyed: ``digest`` is SHA-256 over the key's id and check value."""

    purpose: str
    digest: bytes
    destroyed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """What a deletion did: the certificates, and rows deleted by table."""

    certificates: tuple[Certificate, ...]
    rows: dict[str, int]


def delete_tenant(*, tenant: UUID, actor: Actor, reason: str, now: datetime) -> Deleted:
    """Destroy a tenant's keys, end it, and delete its rows; again does what is left.

    Raises `UnfitTerms` for a tenant that is not known. The audit log keeps what was done to it.
    """
    if not Tenant.objects.filter(id=tenant).exists():
        raise UnfitTerms(f"there is no tenant {tenant}")
    destroyed = destroy_keys(tenant=tenant, actor=actor, reason=reason, now=now)
    _end(tenant, actor=actor, reason=reason, now=now)
    rows = purge(tenant=tenant)
    if any(rows.values()):
        with transaction.atomic():
            record(
                event=EventType.TENANT_PURGED, actor=actor, now=now, tenant=tenant, reason=reason,
                resource=f"tenant:{tenant}", detail={"rows": sum(rows.values())},
            )  # fmt: skip
    return Deleted(certificates=destroyed, rows=rows)


def destroy_keys(
    *, tenant: UUID, actor: Actor, reason: str, now: datetime
) -> tuple[Certificate, ...]:
    """Destroy a tenant's wrapped keys, with a certificate each; return every certificate.

    The audit row commits after the keys are gone: where that fails, the certificates stand and the
    deletion is given again. Other processes hold a key for five minutes at most. Raises `Held`.
    """
    with transaction.atomic():
        holds.refuse_held(tenant)
        with tenant_scope(tenant, using="keys"):
            rows = list(TenantKey.objects.select_for_update().filter(destroyed_at=None))
            KeyCertificate.objects.bulk_create(
                [
                    KeyCertificate(
                        tenant_id=tenant, id=uuid7(now), purpose=row.purpose, digest=_digest(row),
                        destroyed_at=now, actor=str(actor), reason=reason,
                    )
                    for row in rows
                ]
            )  # fmt: skip
            TenantKey.objects.filter(destroyed_at=None).update(destroyed_at=now, wrapped=b"")
            made = list(KeyCertificate.objects.order_by("purpose", "id"))
        if rows or not _is_deleted(tenant):
            record(
                event=EventType.TENANT_KEYS_DESTROYED, actor=actor, now=now, tenant=tenant,
                reason=reason, resource=f"tenant:{tenant}",
                detail=certificates.said([certificates.destroyed(each) for each in made]),
            )  # fmt: skip
    keys.forget()
    return tuple(
        Certificate(purpose=each.purpose, digest=bytes(each.digest), destroyed_at=each.destroyed_at)
        for each in made
    )


def _digest(row: TenantKey) -> bytes:
    return sha256(envelope.context(row.tenant_id, row.id, bytes(row.check_value)))


def _is_deleted(tenant: UUID) -> bool:
    return Tenant.objects.filter(id=tenant, state=TenantState.DELETED).exists()


def _end(tenant: UUID, *, actor: Actor, reason: str, now: datetime) -> None:
    """Stop the tenant for good, take its name away and revoke its API keys."""
    with transaction.atomic():
        ended = (
            Tenant.objects.filter(id=tenant)
            .exclude(state=TenantState.DELETED)
            .update(state=TenantState.DELETED, name=f"deleted {tenant}")
        )
        KeyIndex.objects.filter(tenant=tenant, revoked_at=None).update(revoked_at=now, label="")
        if ended:
            record(
                event=EventType.TENANT_DELETED, actor=actor, now=now, tenant=tenant, reason=reason,
                resource=f"tenant:{tenant}",
            )  # fmt: skip


def purge(*, tenant: UUID) -> dict[str, int]:
    """Delete every row of an ended tenant in the main database; return how many by table."""
    if not _is_deleted(tenant):
        raise UnfitTerms(f"tenant {tenant} is not deleted: its rows stay")
    holds.refuse_held(tenant)
    gone = {model._meta.db_table: _empty(model, tenant) for model in _tables()}
    gone["work"] = Work.objects.filter(tenant_id=tenant).delete()[0]
    return gone


def _tables() -> Iterator[type[Model]]:
    """Return the models of tenants' rows in the main database, data keys last."""
    found = [
        model
        for model in apps.get_models()
        if issubclass(model, TenantModel) and router.db_for_write(model) == "default"
    ]
    yield from sorted(found, key=lambda model: (model._meta.db_table == "data_key", model.__name__))


def _empty(model: type[Model], tenant: UUID) -> int:
    """Delete a tenant's rows of a table, a batch a transaction."""
    table = connection.ops.quote_name(model._meta.db_table)
    total = 0
    while True:
        with tenant_scope(tenant), connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {table} WHERE tenant_id = %s AND (tableoid, ctid) IN"  # noqa: S608 -- our own model's table
                f" (SELECT tableoid, ctid FROM {table} WHERE tenant_id = %s LIMIT %s)",
                [tenant, tenant, BATCH],
            )
            deleted: int = cursor.rowcount
        total += deleted
        if deleted < BATCH:
            return total
