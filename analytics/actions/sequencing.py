"""Giving out places in a tenant's order of alert changes.

Only the sequencer calls this. A change is placed once its transaction is below the snapshot's xmin,
so no change with an earlier place can still appear: a reader that follows the order sees no gap and
no repeat, whatever commits at the same time.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Q

from analytics.actions.evaluation import SEQUENCE_QUEUE
from analytics.models import AlertSequence
from audit.ordering import settled
from tenants.models import Work, WorkState
from tenants.models.work import claim, finish, postpone
from tenants.scope import tenant_scope

LEASE = timedelta(seconds=30)
AT_ONCE = 200
"""Rows of work that one step looks at."""
EPOCH = 1
"""The order's epoch: it would rise if an order had ever to be given out anew."""


def sequence_alerts(*, now: datetime) -> int:
    """Place every change that has settled; return how many were placed."""
    waiting = (
        Work.objects.filter(queue=SEQUENCE_QUEUE)
        .filter(Q(state=WorkState.PENDING, due_at__lte=now) | Q(state=WorkState.LEASED))
        .order_by("due_at")
        .values_list("id", flat=True)[:AT_ONCE]
    )
    placed = 0
    for work in list(waiting):
        lease = claim(work, lease=LEASE)
        if lease is None:
            continue
        with tenant_scope(lease.tenant):
            count, left = _place(lease.tenant)
            placed += count
            if left:
                postpone(lease, due_at=now)
            else:
                finish(lease)
    return placed


def _place(tenant: UUID) -> tuple[int, bool]:
    with connection.cursor() as cursor:
        limit = settled(cursor)
        AlertSequence.objects.bulk_create(
            [AlertSequence(tenant_id=tenant, epoch=EPOCH)], ignore_conflicts=True
        )
        row = AlertSequence.objects.select_for_update().get(epoch=EPOCH)
        cursor.execute(
            """
            UPDATE alert_change SET seq = %s + placed.place
              FROM (SELECT id, row_number() OVER (ORDER BY xid, id) AS place
                      FROM alert_change
                     WHERE tenant_id = %s AND seq IS NULL AND xid < %s::text::xid8) AS placed
             WHERE alert_change.tenant_id = %s AND alert_change.id = placed.id
            """,
            [row.last, tenant, str(limit), tenant],
        )
        count = cursor.rowcount
        if count:
            row.last += count
            row.save(update_fields=["last"])
        cursor.execute(
            "SELECT EXISTS (SELECT FROM alert_change WHERE tenant_id = %s AND seq IS NULL)",
            [tenant],
        )
        left = bool(cursor.fetchone()[0])
    return count, left
