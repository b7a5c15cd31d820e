"""Reading and writing across tenants: the one loud door past the tenant policies, and its cursor.

The log's policies let a tenant's scope see its own rows only. The sequencer and whoever checks or
lists the log need all of them; they say so with ``app.audit``, set locally in a transaction, as
ADR 0101 decides.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import psycopg
from django.db import connections, transaction

Purpose = Literal["reader", "sequencer"]


@contextmanager
def all_tenants_audit(purpose: Purpose, *, using: str) -> Iterator[None]:
    """Open a transaction on `using` in which the audit tables show every tenant's rows.

    ``reader`` may only read; ``sequencer`` may also append. The setting ends with the block, also
    inside a longer transaction. A person's read must be recorded by whoever opens this.
    """
    with transaction.atomic(using=using):
        connection = connections[using]
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('app.audit', true)")
            before = cursor.fetchone()[0] or ""
            cursor.execute("SELECT set_config('app.audit', %s, true)", [purpose])
        yield
        if connection.needs_rollback:  # as after an error, the rollback undoes the setting
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.audit', %s, true)", [before])


@contextmanager
def bulk_cursor(*, using: str) -> Iterator[psycopg.Cursor[tuple[Any, ...]]]:
    """Open the driver's own cursor on Django's connection and transaction.

    Django's cursor writes parameters into the statement and reads rows as text; five thousand
    leaves take a fifth of the time with binary arrays (``%b``), and pages of rows half. Errors are
    raised as Django's.
    """
    connection = connections[using]
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        yield cursor
