"""Customers and the index of their API keys."""

from datetime import datetime
from ipaddress import ip_address, ip_network

from django.db import models

from tenants.apikeys import Scope
from tenants.plans import Plan


class TenantState(models.TextChoices):
    """Whether a tenant is served."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    DELETED = "deleted"  # for good: its keys are destroyed, its rows go


FULL, PROVISIONAL = Plan.FULL.value, Plan.PROVISIONAL.value
PLANS = [(plan.value, plan.value) for plan in Plan]


class Tenant(models.Model):
    """A customer. Not isolated: a key must find its tenant before a scope can be opened."""

    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=200, unique=True)
    state = models.CharField(max_length=16, choices=TenantState, default=TenantState.ACTIVE)
    plan = models.CharField(max_length=16, choices=PLANS, default=FULL, db_default=FULL)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    registered_at = models.DateTimeField(null=True)
    expiry_noted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "tenant"
        ordering = ("name",)
        constraints = [
            models.CheckConstraint(
                name="tenant_state_known", condition=models.Q(state__in=TenantState.values)
            ),
            models.CheckConstraint(
                name="tenant_plan_known", condition=models.Q(plan__in=[plan.value for plan in Plan])
            ),
            models.CheckConstraint(
                name="tenant_provisional_ends",
                condition=~models.Q(plan=PROVISIONAL) | models.Q(expires_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        """Whether the tenant's keys are honoured, as far as its operator is concerned."""
        return self.state == TenantState.ACTIVE

    @property
    def is_provisional(self) -> bool:
        """Whether nobody but the tenant itself vouches for it: no third-party look-ups then."""
        return self.plan == PROVISIONAL

    @property
    def is_registered(self) -> bool:
        """Whether it is known whose tenant this is: an operator made it, or a member verified."""
        return not self.is_provisional or self.registered_at is not None

    def is_expired(self, *, now: datetime) -> bool:
        """Whether the tenant's time is over."""
        return self.expires_at is not None and self.expires_at <= now


class KeyIndex(models.Model):
    """An API key: its public id, what it may do, and the keyed hash of its secret."""

    id = models.CharField(primary_key=True, max_length=12)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="keys")
    label = models.CharField(max_length=100, blank=True)
    pepper = models.PositiveSmallIntegerField()
    mac = models.BinaryField(max_length=32)
    scopes = models.JSONField()
    networks = models.JSONField(default=list, db_default=[])
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "key_index"
        ordering = ("tenant_id", "created_at")

    def __str__(self) -> str:
        return f"twy_{self.id}"

    def may(self, scope: Scope) -> bool:
        """Whether the key carries `scope`."""
        return scope in self.scopes

    def admits(self, address: str) -> bool:
        """Whether the key may be used from `address`; one bound to networks never from unknown."""
        if not self.networks:
            return True
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in ip_network(network) for network in self.networks)

    def is_expired(self, *, now: datetime) -> bool:
        """Whether the key's time is over."""
        return self.expires_at is not None and self.expires_at <= now

    def is_revoked(self, *, now: datetime) -> bool:
        """Whether the key was revoked or has expired."""
        return self.revoked_at is not None or self.is_expired(now=now)
