"""The two ways to a tenant's rows: a tenant's own scope, and a staff grant's.

``tenant_scope`` opens a transaction, tells PostgreSQL which tenant it serves
(``set_config('app.tenant', ..., true)``: local to the transaction, so that nothing stays behind on
a pooled connection), and tells the ORM. Without it the ORM raises and row-level security shows no
row. Nothing in the product takes a tenant's id from a body or a URL: it comes from the key, the
work row or a staff grant.

``staff_scope`` reads as another role, ``tawny_staff``, through the database alias ``staff``: its
policies show the rows of the tenant that a live grant names, to the person that it names, and of
the tables that its scopes fit. Nothing in it asks whether the grant lives but PostgreSQL's clock,
at every statement. Whatever opens a tenant's scope inside it goes on under the grant; a write
raises.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from uuid import UUID

from django.db import connections, transaction
from psycopg.pq import TransactionStatus

from tenants.errors import NoGrant, OutsideScope, ScopeConflict

MAIN = "default"
STAFF = "staff"
"""The alias that is served as ``tawny_staff``, of the same database as `MAIN`."""
STATEMENT_LIMIT = timedelta(seconds=60)
"""How long one statement may go on under a grant: its policies look at the clock once, when it
begins, so that this is what a grant can be outlived by."""

_open: ContextVar[UUID | None] = ContextVar("tenant_scope", default=None)
_granted: ContextVar[bool] = ContextVar("staff_scope", default=False)

_NAMED = """
SELECT tenant_id, revoked_at IS NOT NULL, expires_at <= clock_timestamp()
  FROM access_grant WHERE id = %s AND staff_id = %s
"""


def current_tenant() -> UUID:
    """Return the tenant whose scope is open, or raise `OutsideScope`."""
    tenant = _open.get()
    if tenant is None:
        raise OutsideScope("no tenant's scope is open: wrap the query in tenant_scope(...)")
    return tenant


def is_granted() -> bool:
    """Say whether the scope that is open is a staff grant's: reads alone, and as another role."""
    return _granted.get()


@contextmanager
def tenant_scope(tenant_id: UUID, *, using: str = MAIN) -> Iterator[None]:
    """Open the scope of one tenant in one transaction on the database `using`.

    Nested scopes of the same tenant join the outer transaction as savepoints; a different tenant
    raises `ScopeConflict`, because a process serves one tenant at a time. Inside a staff grant's
    scope the rows of the main database are read under the grant all the same.
    """
    outer = _open.get()
    if outer is not None and outer != tenant_id:
        raise ScopeConflict("another tenant's scope is open")
    if _granted.get() and using == MAIN:
        with transaction.atomic(using=STAFF):
            yield
        return
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


@contextmanager
def staff_scope(grant: UUID, staff: UUID) -> Iterator[UUID]:
    """Read the rows that a live grant opens to the person it names; yield their tenant.

    One transaction on the alias ``staff``, in which each statement sees the grant as it is then: of
    one that ended or was revoked meanwhile nothing more is seen, and the block ends in `NoGrant`,
    so that nothing that was read in it is shown as if it were all.

    Raises
    ------
    NoGrant
        The grant is over, is another person's, or there is none; before anything was read, or at
        the end of the block.
    ScopeConflict
        A scope is open already.

    """
    if _open.get() is not None:
        raise ScopeConflict("a tenant's scope is open")
    with transaction.atomic(using=STAFF, durable=True):
        apply(settings_of(grant, staff))
        tenant = _tenant_of(grant, staff)
        tokens = _open.set(tenant), _granted.set(True)
        try:
            yield tenant
        finally:
            _open.reset(tokens[0])
            _granted.reset(tokens[1])
            if _still_asks():  # a row that was missed because the grant ended is told as that
                _tenant_of(grant, staff)


def settings_of(
    grant: UUID, staff: UUID, *, limit: timedelta = STATEMENT_LIMIT
) -> Mapping[str, str]:
    """Return what PostgreSQL is told for the length of a transaction under a grant."""
    return {
        "app.grant": str(grant),
        "app.staff": str(staff),
        "statement_timeout": str(limit // timedelta(milliseconds=1)),
    }


def apply(values: Mapping[str, str]) -> None:
    """Make settings of the transaction that is open on the alias ``staff``; they end with it."""
    with connections[STAFF].cursor() as cursor:
        for name, value in values.items():
            cursor.execute("SELECT set_config(%s, %s, true)", [name, value])


def _still_asks() -> bool:
    """Say whether the transaction takes another statement; after an error of one it does not."""
    session = connections[STAFF].connection
    return session is not None and session.info.transaction_status is TransactionStatus.INTRANS


def _tenant_of(grant: UUID, staff: UUID) -> UUID:
    """Return whose rows a live grant opens; raise `NoGrant` with the words for one that is over."""
    with connections[STAFF].cursor() as cursor:
        cursor.execute(_NAMED, [grant, staff])
        row = cursor.fetchone()
    if row is None:
        raise NoGrant("You have no such grant.")
    tenant, is_revoked, is_over = row
    if is_revoked:
        raise NoGrant("The grant was revoked.")
    if is_over:
        raise NoGrant("The grant's time is over.")
    return UUID(str(tenant))
