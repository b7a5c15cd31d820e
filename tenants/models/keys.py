"""Wrapped keys: tenants' in a database of their own, data keys beside what they seal."""

from django.db import models
from django.db.models import CompositePrimaryKey

from tenants.models.rows import TenantModel


class KeyPurpose(models.TextChoices):
    """What a tenant key is for; a key never has two purposes."""

    WRAP = "wrap"  # wraps the tenant's data keys
    INDEX = "index"  # fingerprints of events and blind indexes


class TenantKey(TenantModel):
    """A tenant's key, wrapped by the root key.

    It lies in the database ``keys``, outside the main database's backups: destroying it makes
    every older backup unreadable.
    """

    pk = CompositePrimaryKey("tenant_id", "id")
    id = models.UUIDField()
    purpose = models.CharField(max_length=8, choices=KeyPurpose)
    version = models.PositiveIntegerField()
    wrapped = models.BinaryField()
    check_value = models.BinaryField()
    created_at = models.DateTimeField()
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "tenant_key"
        constraints = [
            models.UniqueConstraint(
                fields=("tenant_id", "purpose", "version"), name="tenant_key_version"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.version}"


class DataKey(TenantModel):
    """A key for one class of series in one thirty-day epoch, wrapped by the tenant's key."""

    pk = CompositePrimaryKey("tenant_id", "id")
    id = models.UUIDField()
    series_class = models.CharField(max_length=16)
    epoch = models.IntegerField()
    under = models.UUIDField()
    wrapped = models.BinaryField()
    check_value = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "data_key"
        constraints = [
            models.UniqueConstraint(
                fields=("tenant_id", "series_class", "epoch"), name="data_key_epoch"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.series_class} {self.epoch}"
