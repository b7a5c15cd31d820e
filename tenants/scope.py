"""The one way to a tenant's rows.

``tenant_scope`` opens a transaction, tells PostgreSQL which tenant it serves
(``set_config('app.tenant', ..., true)``: local to the transaction, so that nothing stays behind on
a pooled connection), and tells the ORM. Without it the ORM raises and row-level security shows no
row. Nothing in the product takes a tenant's id from a body or a URL: it comes from the key, the
work row or a staff grant.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from django.db import connections, transaction

from tenants.errors import OutsideScope, ScopeConflict

_open: ContextVar[UUID | None] = ContextVar("tenant_scope", default=None)


def current_tenant() -> UUID:
    """Return the tenant whose scope is open, or raise `OutsideScope`."""
    tenant = _open.get()
    if tenant is None:
        raise OutsideScope("no tenant's scope is open: wrap the query in tenant_scope(...)")
    return tenant


@contextmanager
def tenant_scope(tenant_id: UUID, *, using: str = "default") -> Iterator[None]:
    """Open the scope of one tenant in one transaction on the database `using`.

    Nested scopes of the same tenant join the outer transaction as savepoints; a different tenant
    raises `ScopeConflict`, because a process serves one tenant at a time.
    """
    outer = _open.get()
    if outer is not None and outer != tenant_id:
        raise ScopeConflict("another tenant's scope is open")
    connection = connections[using]
    with transaction.atomic(using=using):
        nested = connection.in_atomic_block and len(connection.savepoint_ids) > 0
        _set(using, str(tenant_id))
        token = _open.set(tenant_id)
        try:
            yield
        finally:
            _open.reset(token)
        if nested and outer is None:
            _set(using, "")  # the surrounding transaction goes on; an error undoes the setting


def _set(using: str, value: str) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant', %s, true)", [value])
