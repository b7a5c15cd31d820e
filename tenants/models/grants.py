"""What lets a member of staff read one tenant's rows for a time."""

from datetime import timedelta

from django.db import models
from django.db.models import CompositePrimaryKey, F, Q

from tenants.models.rows import TenantModel

LONGEST = timedelta(minutes=60)
"""The longest life of a grant: a shift's one task, and what a stolen session is worth at most."""


class AccessGrant(TenantModel):
    """A reasoned, timed permission of one person for one tenant. Its terms are never changed.

    ``scopes`` is an array of `tenants.grants.GrantScope`; ``end_noted_at`` is when the audit log
    was told that its time was over.
    """

    pk = CompositePrimaryKey("tenant_id", "id")
    id = models.UUIDField()
    staff_id = models.UUIDField()
    scopes = models.JSONField()
    reason = models.CharField(max_length=500)
    ticket = models.CharField(max_length=100)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=140, default="", db_default="")
    end_noted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "access_grant"
        indexes = [
            models.Index(fields=("id",), name="access_grant_id"),
            models.Index(fields=("expires_at",), name="access_grant_expiry"),
        ]
        constraints = [
            models.CheckConstraint(
                name="access_grant_ends",
                condition=Q(expires_at__gt=F("created_at"))
                & Q(expires_at__lte=F("created_at") + LONGEST),
            ),
            models.CheckConstraint(
                name="access_grant_reasoned", condition=~Q(reason="") & ~Q(ticket="")
            ),
            models.CheckConstraint(
                name="access_grant_revoked_by",
                condition=Q(revoked_at__isnull=True, revoked_by="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.staff_id} to {self.tenant_id} until {self.expires_at:%Y-%m-%dT%H:%MZ}"
