"""Carrying out what two people, or one person and a day, stand behind.

A deed is claimed by one UPDATE under a lease, done outside any transaction, and marked done where
the claim still stands. A worker that dies leaves it to the next: every deed may be done again.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from audit.actors import system
from audit.events import EventType, Outcome
from tenants.approvals.kinds import kind_named, kinds
from tenants.approvals.rows import end, hint, note
from tenants.errors import KeyUnavailable, TenantError
from tenants.models import Pending, PendingState

WORKER = system("approvals")
LEASE = timedelta(seconds=310)
"""Longer than a task may take (``CELERY_TASK_TIME_LIMIT``): one worker at a time is at a deed."""
QUICK_LEASE = timedelta(seconds=30)
"""A quick deed is a few statements; whoever has not marked it by then was killed."""
MOST_ATTEMPTS = 100
"""Claims before a deed is given up: a deletion of a billion rows needs some seventy, and a key
service may be away for eight hours."""
GIVEN_UP = "given up after as many attempts as it may have"

# Of one deed a claim waits for whoever holds the row, to be refused an approval, say; a worker that
# takes any goes past it.
_CLAIM = """
UPDATE pending_deed
   SET state = 'approved', attempt = attempt + 1,
       lease_until = %(now)s + CASE WHEN kind = ANY(%(quick)s) THEN %(short)s ELSE %(long)s END
 WHERE id = (SELECT id FROM pending_deed
              WHERE (id = %(only)s OR %(only)s IS NULL)
                AND (state = 'approved'
                     OR (state = 'pending' AND effective_at <= %(now)s AND expires_at > %(now)s))
                AND (lease_until IS NULL OR lease_until <= %(now)s)
              ORDER BY asked_at LIMIT 1 FOR UPDATE{skip})
RETURNING id, attempt
"""
_DUE = """
SELECT EXISTS (SELECT FROM pending_deed
                WHERE (state = 'approved'
                       OR (state = 'pending' AND effective_at <= %(now)s AND expires_at > %(now)s))
                  AND (lease_until IS NULL OR lease_until <= %(now)s))
"""


def carry_out_due(*, now: datetime) -> int:
    """Carry out every deed whose time has come; return how many ended."""
    expire(now=now)
    ended = 0
    while (claimed := _claim(None, now=now)) is not None:
        ended += _do(*claimed, now=now)
    return ended


def carry_out(*, pending: UUID, now: datetime) -> bool:
    """Carry out one deed if its time has come and nobody is at it; say whether it ended."""
    claimed = _claim(pending, now=now)
    return claimed is not None and _do(*claimed, now=now)


def take_turn(*, now: datetime) -> None:
    """Do what is done every few seconds: end what expired, tell a worker of what is due."""
    expire(now=now)
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"now": now})
        due = cursor.fetchone()[0]
    if due:
        hint()


def expire(*, now: datetime) -> int:
    """End what nobody approved in time; return how many there were."""
    with transaction.atomic():
        over = list(
            Pending.objects.select_for_update(skip_locked=True).filter(
                state=PendingState.PENDING, expires_at__lte=now
            )
        )
        for row in over:
            end(row, PendingState.EXPIRED, by=WORKER, why="nobody approved it in time", now=now)
            note(row, EventType.APPROVAL_EXPIRED, actor=WORKER, now=now)
    return len(over)


def _claim(only: UUID | None, *, now: datetime) -> tuple[UUID, int] | None:
    quick = [kind.name for kind in kinds().values() if kind.quick]
    terms: dict[str, Any] = {
        "now": now,
        "quick": quick,
        "short": QUICK_LEASE,
        "long": LEASE,
        "only": only,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM.format(skip="" if only else " SKIP LOCKED"), terms)
        row = cursor.fetchone()
    return None if row is None else (row[0], row[1])


def _do(pending: UUID, attempt: int, *, now: datetime) -> bool:
    """Do a claimed deed; say whether it ended. What may pass is left to the next claim."""
    row = Pending.objects.get(pk=pending)
    if attempt > MOST_ATTEMPTS:
        return _fail(row, attempt, GIVEN_UP, "given_up", now=now)
    try:
        outcome = kind_named(row.kind).carry_out(row, now)
    except KeyUnavailable:
        raise
    except TenantError as refusal:
        return _fail(row, attempt, str(refusal), refusal.code, now=now)
    with transaction.atomic():
        held = _still_mine(pending, attempt)
        if held is None:
            return False
        held.outcome = dict(outcome)
        end(held, PendingState.DONE, by=WORKER, why="", now=now)
        note(held, EventType.APPROVAL_CARRIED_OUT, actor=WORKER, now=now, detail=outcome)
    return True


def _fail(row: Pending, attempt: int, why: str, code: str, *, now: datetime) -> bool:
    with transaction.atomic():
        held = _still_mine(row.id, attempt)
        if held is None:
            return False
        end(held, PendingState.FAILED, by=WORKER, why=why, now=now)
        note(
            held, EventType.APPROVAL_FAILED, actor=WORKER, now=now, outcome=Outcome.FAILURE,
            detail={"error": code},
        )  # fmt: skip
    return True


def _still_mine(pending: UUID, attempt: int) -> Pending | None:
    return (
        Pending.objects.select_for_update()
        .filter(pk=pending, state=PendingState.APPROVED, attempt=attempt)
        .first()
    )
