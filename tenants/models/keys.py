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
    provider = models.CharField(max_length=16, default="file", db_default="file")
    key_id = models.CharField(max_length=100, default="root", db_default="root")
    root_version = models.PositiveIntegerField(default=1, db_default=1)
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
        indexes = [
            models.Index(
                fields=("tenant_id", "provider", "key_id", "root_version"), name="tenant_key_root"
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
    number = models.PositiveSmallIntegerField(default=0, db_default=0)
    """Which key of its epoch: a next one is made when the messages of the last are given out."""
    leased = models.BigIntegerField(default=0, db_default=0)
    """Messages that processes have leased from it; never fewer than were sealed."""
    under = models.UUIDField()
    wrapped = models.BinaryField()
    check_value = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "data_key"
        constraints = [
            models.UniqueConstraint(
                fields=("tenant_id", "series_class", "epoch", "number"), name="data_key_number"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.series_class} {self.epoch} {self.number}"


class RootState(models.TextChoices):
    """What a version of a root key is used for."""

    DECRYPT = "decrypt"  # unwraps; not yet, or no longer, wraps
    PRIMARY = "primary"  # wraps; there is one
    RETIRED = "retired"  # destroyed: nothing is wrapped by it


class RootVersion(models.Model):
    """A version of a root key. Belongs to no tenant; the key itself lies with its provider."""

    pk = CompositePrimaryKey("provider", "key_id", "version")
    provider = models.CharField(max_length=16)
    key_id = models.CharField(max_length=100)
    version = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=RootState)
    check_value = models.BinaryField()
    added_at = models.DateTimeField()
    primary_at = models.DateTimeField(null=True)
    rewrapped_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "root_version"
        constraints = [
            models.UniqueConstraint(
                fields=("state",),
                condition=models.Q(state="primary"),
                name="root_version_one_primary",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=RootState.values), name="root_version_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider}:{self.key_id}:{self.version}"


class SystemState(models.TextChoices):
    """What a version of the deployment's own secret is used for."""

    DECRYPT = "decrypt"  # opens; not yet, or no longer, seals
    PRIMARY = "primary"  # seals; there is one


class SystemKey(models.Model):
    """A version of the deployment's own secret, wrapped by the root key. Belongs to no tenant."""

    name = models.CharField(primary_key=True, max_length=16)
    version = models.PositiveIntegerField(default=1, db_default=1)
    state = models.CharField(
        max_length=8, choices=SystemState, default=SystemState.PRIMARY, db_default="primary"
    )
    primary_at = models.DateTimeField(null=True)
    resealed_at = models.DateTimeField(null=True)
    id = models.UUIDField()
    provider = models.CharField(max_length=16)
    key_id = models.CharField(max_length=100)
    root_version = models.PositiveIntegerField()
    wrapped = models.BinaryField()
    check_value = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "system_key"
        constraints = [
            models.UniqueConstraint(fields=("version",), name="system_key_version"),
            models.UniqueConstraint(
                fields=("state",),
                condition=models.Q(state="primary"),
                name="system_key_one_primary",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=SystemState.values), name="system_key_state_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class NamedSecret(models.Model):
    """A version of a secret of the deployment's, sealed under its own key. No tenant's."""

    pk = CompositePrimaryKey("name", "version")
    name = models.CharField(max_length=100)
    version = models.PositiveIntegerField()
    sealed = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "named_secret"

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class KeyringReader(models.Model):
    """A process that uses keys, and which versions of the root it can unwrap with."""

    process = models.CharField(primary_key=True, max_length=200)
    versions = models.JSONField()
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "keyring_reader"

    def __str__(self) -> str:
        return self.process


class KeyCertificate(TenantModel):
    """That a tenant's key was destroyed: what, when, by whom; nothing that opens anything."""

    pk = CompositePrimaryKey("tenant_id", "id")
    id = models.UUIDField()
    purpose = models.CharField(max_length=8, choices=KeyPurpose)
    digest = models.BinaryField()
    destroyed_at = models.DateTimeField()
    actor = models.CharField(max_length=200)
    reason = models.CharField(max_length=1024)

    class Meta:
        db_table = "key_certificate"

    def __str__(self) -> str:
        return f"{self.purpose} destroyed {self.destroyed_at}"
