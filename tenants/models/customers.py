"""Customers and the index of their API keys."""

from datetime import datetime

from django.db import models

from tenants.apikeys import Scope


class TenantState(models.TextChoices):
    """Whether a tenant is served."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class Tenant(models.Model):
    """A customer. Not isolated: a key must find its tenant before a scope can be opened."""

    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=200, unique=True)
    state = models.CharField(max_length=16, choices=TenantState, default=TenantState.ACTIVE)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "tenant"
        ordering = ("name",)
        constraints = [
            models.CheckConstraint(
                name="tenant_state_known", condition=models.Q(state__in=TenantState.values)
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        """Whether the tenant's keys are honoured."""
        return self.state == TenantState.ACTIVE


class KeyIndex(models.Model):
    """An API key: its public id, what it may do, and the keyed hash of its secret."""

    id = models.CharField(primary_key=True, max_length=12)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="keys")
    label = models.CharField(max_length=100, blank=True)
    pepper = models.PositiveSmallIntegerField()
    mac = models.BinaryField(max_length=32)
    scopes = models.JSONField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "key_index"
        ordering = ("tenant_id", "created_at")

    def __str__(self) -> str:
        return f"twy_{self.id}"

    def may(self, scope: Scope) -> bool:
        """Whether the key carries `scope`."""
        return scope in self.scopes

    def is_revoked(self, *, now: datetime) -> bool:
        """Whether the key was revoked or has expired."""
        return self.revoked_at is not None or (
            self.expires_at is not None and self.expires_at <= now
        )
