"""What a tenant says of its own network: which sources are watched, and what they may trust."""

from django.db import models

from tenants.models import TenantModel


class MonitoringGroups(TenantModel):
    """A tenant's groups, all of them in one sealed document, so that they change together."""

    tenant_id = models.UUIDField(primary_key=True)
    schema = models.PositiveSmallIntegerField()
    groups = models.PositiveIntegerField()
    entries = models.PositiveIntegerField()
    changed_at = models.DateTimeField()
    sealed = models.BinaryField()

    class Meta:
        db_table = "monitoring_groups"

    def __str__(self) -> str:
        return f"{self.groups} groups of {self.tenant_id}"
