"""Rows that belong to one tenant."""

from typing import Any, TypeVar

from django.db import models

from tenants.scope import current_tenant

Row = TypeVar("Row", bound=models.Model)


class TenantRows(models.Manager[Row]):
    """Show the rows of the open scope's tenant; raise `OutsideScope` where none is open."""

    def get_queryset(self) -> models.QuerySet[Row]:
        """Return the tenant's rows."""
        return super().get_queryset().filter(tenant_id=current_tenant())

    def create(self, **fields: Any) -> Row:
        """Insert a row of the open scope's tenant."""
        return super().create(tenant_id=current_tenant(), **fields)


class TenantModel(models.Model):
    """A row that one tenant owns, under forced row-level security."""

    tenant_id = models.UUIDField()

    objects = TenantRows()

    class Meta:
        abstract = True
