"""Deeds that wait for a second person, and emergency access while it is looked at.

Neither is a tenant's row: whoever decides about a tenant's end is staff, and works across tenants.
No telemetry is in either.
"""

from datetime import timedelta

from django.db import models
from django.db.models import F, Q

from audit.actors import KINDS, Actor

ACTOR_LIMIT = 140
"""Characters of ``kind:id``."""
REASON_LIMIT = 500
LONGEST_EMERGENCY = timedelta(minutes=30)
"""An emergency that is not over by then is asked for again, and again takes two people."""


class PendingState(models.TextChoices):
    """Where a deed stands. The first two are open, the others are the end."""

    PENDING = "pending"  # waits for a second person, or for its time
    APPROVED = "approved"  # will be carried out, whatever happens in between
    DONE = "done"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"


OPEN = (PendingState.PENDING, PendingState.APPROVED)


class Pending(models.Model):
    """A deed that one person asked for. What is asked is never changed: the role may not.

    ``asked_by``, ``approved_by`` and ``ended_by`` are ``kind:id`` of an `Actor`, ``""`` for nobody.
    With ``effective_at`` it takes effect then, without a second person, unless it is cancelled.
    """

    id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=32)
    subject = models.CharField(max_length=200)
    parameters = models.JSONField(default=dict)
    asked_by = models.CharField(max_length=ACTOR_LIMIT)
    reason = models.CharField(max_length=REASON_LIMIT)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    effective_at = models.DateTimeField(null=True)
    state = models.CharField(
        max_length=16, choices=PendingState, default=PendingState.PENDING.value
    )
    approved_by = models.CharField(max_length=ACTOR_LIMIT, blank=True, default="")
    approved_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=ACTOR_LIMIT, blank=True, default="")
    ended_at = models.DateTimeField(null=True)
    ended_why = models.CharField(max_length=REASON_LIMIT, blank=True, default="")
    attempt = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    outcome = models.JSONField(default=dict)

    class Meta:
        db_table = "pending_deed"
        ordering = ("-asked_at", "-id")
        constraints = [
            models.CheckConstraint(
                name="pending_deed_state_known", condition=Q(state__in=PendingState.values)
            ),
            models.CheckConstraint(
                name="pending_deed_two_people", condition=~Q(approved_by=F("asked_by"))
            ),
            models.CheckConstraint(
                name="pending_deed_two_people_or_time",
                condition=~Q(state__in=("approved", "done"))
                | ~Q(approved_by="")
                | Q(effective_at__isnull=False),
            ),
            models.UniqueConstraint(
                fields=("kind", "subject", "parameters"),
                name="pending_deed_asked_once",
                condition=Q(state__in=("pending", "approved")),
            ),
        ]
        indexes = [
            models.Index(
                fields=("expires_at",),
                name="pending_deed_open",
                condition=Q(state__in=("pending", "approved")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.subject}"

    @property
    def is_open(self) -> bool:
        """Whether it may still be carried out."""
        return self.state in OPEN

    @property
    def asker(self) -> Actor:
        """Who asked."""
        return actor_named(self.asked_by)

    @property
    def why(self) -> str:
        """What the audit log of the deed itself gives as its reason."""
        return f"{self.reason} (approval {self.id})"


class BreakGlass(models.Model):
    """An emergency access, from its opening until somebody else has looked at what was done.

    The id is that of the deed that two people stand behind. The access itself is ``grant``.
    """

    id = models.UUIDField(primary_key=True)
    grant = models.UUIDField(unique=True)
    staff = models.UUIDField()
    asked_by = models.CharField(max_length=ACTOR_LIMIT)
    approved_by = models.CharField(max_length=ACTOR_LIMIT)
    opened_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=ACTOR_LIMIT, blank=True, default="")
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.CharField(max_length=ACTOR_LIMIT, blank=True, default="")
    review = models.CharField(max_length=REASON_LIMIT, blank=True, default="")

    class Meta:
        db_table = "break_glass"
        ordering = ("-opened_at", "-id")
        constraints = [
            models.CheckConstraint(
                name="break_glass_short",
                condition=Q(expires_at__lte=F("opened_at") + LONGEST_EMERGENCY),
            ),
            models.CheckConstraint(
                name="break_glass_two_people",
                condition=~Q(approved_by="") & ~Q(approved_by=F("asked_by")),
            ),
        ]

    def __str__(self) -> str:
        return f"emergency access of {self.staff}"


def actor_named(text: str) -> Actor:
    """Return the actor whose text this is."""
    kind, _, identifier = text.partition(":")
    assert kind in KINDS
    return Actor(kind=kind, id=identifier)  # type: ignore[arg-type] # one of KINDS
