"""Deeds on work: what gave up is put back by a person who says why."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.actors import Actor
from audit.events import EventType
from audit.record import record
from tenants import offers
from tenants.errors import UnfitTerms
from tenants.models import Work, WorkState


def retry_work(*, work: UUID, actor: Actor, reason: str, now: datetime) -> Work:
    """Put dead work back, due now, its attempts counted anew; offered to workers on commit.

    One conditional UPDATE: of two people who retry, one does. Raises `UnfitTerms` where the work is
    not dead (any more).
    """
    with transaction.atomic():
        changed = Work.objects.filter(id=work, state=WorkState.DEAD).update(
            state=WorkState.PENDING, attempt=0, due_at=now, lease_until=None, offered_at=now
        )
        if not changed:
            raise UnfitTerms("the work is not given up any more")
        row = Work.objects.get(id=work)
        record(
            event=EventType.WORK_RETRIED,
            actor=actor,
            now=now,
            tenant=row.tenant_id,
            resource=f"work:{work}",
            reason=reason,
            detail={"queue": row.queue, "error": row.error},
        )
        transaction.on_commit(lambda: offers.send(((row.id, row.tenant_id, row.queue),)))
    return row
