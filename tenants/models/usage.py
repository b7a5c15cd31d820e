"""What was used: events of a day, and what strangers tried."""

from django.db import models
from django.db.models import CompositePrimaryKey

from tenants.models.rows import TenantModel


class UsageDay(TenantModel):
    """What a tenant sent on one UTC day: events accepted, requests, octets of bodies received."""

    pk = CompositePrimaryKey("tenant_id", "day")
    day = models.DateField()
    events = models.BigIntegerField()
    requests = models.BigIntegerField()
    octets = models.BigIntegerField()

    class Meta:
        db_table = "usage_day"

    def __str__(self) -> str:
        return f"{self.events} events on {self.day}"


class AttemptWindow(models.Model):
    """How often something open to strangers was tried in one span of time.

    The tag is a keyed hash: the table tells nobody from where, or about whom.
    """

    pk = CompositePrimaryKey("tag", "seconds")
    tag = models.BinaryField(max_length=16)
    seconds = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    attempts = models.PositiveIntegerField()

    class Meta:
        db_table = "attempt_window"
        indexes = [models.Index(fields=("started_at",), name="attempt_window_age")]

    def __str__(self) -> str:
        return f"{self.attempts} in {self.seconds} s"
