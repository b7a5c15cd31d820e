"""Work: what a worker may claim, and how two of them never both take effect.

A row says that something waits, not what: the batch or the evaluation it stands for is a tenant's
own row with the same id. Celery carries the row's id as a hint; Redis may lose it. The row is the
truth: a claim is one conditional UPDATE that hands out a higher fencing token, and whatever the
worker does becomes effective only in a transaction that finishes the row under that token.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from django.db import connection, models
from django.db.models.functions import Now

from tenants.errors import LostLease

MAX_ATTEMPTS = 5
"""Attempts before a row is dead. A transient fault passes in minutes; a fifth one is a bug."""

BACKOFF = timedelta(seconds=2)
"""The wait after a first failure; it doubles with each attempt."""


MAX_CLAIMS = 10
"""Claims before a row whose workers keep dying is dead: work that kills its worker must not kill
every worker for ever, and ten restarts in a row do not hit one row by chance."""


class WorkState(models.TextChoices):
    """Where a row of work stands."""

    PENDING = "pending"
    LEASED = "leased"
    DONE = "done"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A claim on one row of work, valid until somebody else gets a higher token."""

    work: UUID
    tenant: UUID
    queue: str
    token: int
    attempt: int


class Work(models.Model):
    """A unit of work of one tenant. Not isolated: workers look across tenants for what waits."""

    id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    queue = models.CharField(max_length=16)
    state = models.CharField(max_length=8, choices=WorkState, default=WorkState.PENDING)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    token = models.BigIntegerField(default=0)
    attempt = models.PositiveSmallIntegerField(default=0)
    events = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    offered_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    UNFINISHED: ClassVar = (WorkState.PENDING, WorkState.LEASED)

    class Meta:
        db_table = "work"
        constraints = [
            models.CheckConstraint(
                name="work_state_known", condition=models.Q(state__in=WorkState.values)
            ),
        ]
        indexes = [
            models.Index(
                fields=("queue", "due_at"),
                name="work_unfinished",
                condition=models.Q(state__in=("pending", "leased")),
            ),
            models.Index(fields=("tenant_id", "queue", "state"), name="work_of_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.queue} {self.id}"


def claim(work_id: UUID, *, lease: timedelta) -> Lease | None:
    """Claim a row that waits and is due, or whose lease ran out; ``None`` when it is neither.

    The database's clock decides, because leases are compared across machines.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE work
               SET state = 'leased', token = token + 1, attempt = attempt + 1,
                   lease_until = clock_timestamp() + make_interval(secs => %s)
             WHERE id = %s AND attempt < %s
               AND ((state = 'pending' AND due_at <= clock_timestamp())
                    OR (state = 'leased' AND lease_until < clock_timestamp()))
            RETURNING tenant_id, queue, token, attempt
            """,
            [lease.total_seconds(), work_id, MAX_CLAIMS],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    return Lease(work=work_id, tenant=row[0], queue=row[1], token=row[2], attempt=row[3])


def bury() -> list[tuple[UUID, UUID, str]]:
    """Mark as dead what was claimed `MAX_CLAIMS` times and never finished; return what it was."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE work SET state = 'dead', lease_until = NULL, error = 'worker_lost'
             WHERE state = 'leased' AND lease_until < clock_timestamp() AND attempt >= %s
            RETURNING id, tenant_id, queue
            """,
            [MAX_CLAIMS],
        )
        buried: list[tuple[UUID, UUID, str]] = cursor.fetchall()
    return buried


def renew(lease: Lease, *, term: timedelta) -> bool:
    """Extend a lease from now; say whether it is still held."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE work SET lease_until = clock_timestamp() + make_interval(secs => %s)
             WHERE id = %s AND token = %s AND state = 'leased'
            """,
            [term.total_seconds(), lease.work, lease.token],
        )
        renewed: bool = cursor.rowcount == 1
    return renewed


def finish(lease: Lease) -> None:
    """Mark the work done, inside the transaction of its effects.

    Raises `LostLease`, which rolls the effects back, when another worker holds a newer token.
    """
    done = Work.objects.filter(id=lease.work, token=lease.token, state=WorkState.LEASED).update(
        state=WorkState.DONE, done_at=Now(), lease_until=None, error=""
    )
    if not done:
        raise LostLease(f"work {lease.work} was claimed by another worker")


def give_back(lease: Lease, *, error: str, now: datetime) -> WorkState | None:
    """Return failed work: pending again after a pause, or dead past `MAX_ATTEMPTS`.

    Returns the new state, or ``None`` when the lease was lost and there is nothing to give back.
    """
    dead = lease.attempt >= MAX_ATTEMPTS
    state = WorkState.DEAD if dead else WorkState.PENDING
    changed = Work.objects.filter(id=lease.work, token=lease.token, state=WorkState.LEASED).update(
        state=state,
        lease_until=None,
        error=error[:64],
        due_at=now + BACKOFF * 2 ** (lease.attempt - 1),
    )
    return state if changed else None


def postpone(lease: Lease, *, due_at: datetime, error: str = "") -> None:
    """Put the work back without counting the attempt: nothing failed, it is only too early.

    `error` says what it waits for.
    """
    Work.objects.filter(id=lease.work, token=lease.token, state=WorkState.LEASED).update(
        state=WorkState.PENDING,
        lease_until=None,
        due_at=due_at,
        error=error[:64],
        attempt=models.F("attempt") - 1,
    )
