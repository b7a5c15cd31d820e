"""Who may ask: an Analytics Engine, by one credential for all its tenants."""

from django.db import models


class Engine(models.Model):
    """An engine's credential: its public id and the keyed hash of its key."""

    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=200, unique=True)
    key_id = models.CharField(max_length=12, unique=True)
    pepper = models.PositiveSmallIntegerField()
    mac = models.BinaryField(max_length=32)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "engine"
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def is_revoked(self) -> bool:
        """Whether the credential stopped working for good."""
        return self.revoked_at is not None
