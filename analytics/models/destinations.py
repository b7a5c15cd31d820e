"""What a tenant's sources contacted, day by day."""

from django.db import models
from django.db.models import CompositePrimaryKey

from tenants.models import TenantModel


class DestinationSummary(TenantModel):
    """The destinations of one UTC day of one shard, sealed. Kept as long as the series.

    ``rows`` counts the destinations that it tells, ``omitted`` those that it is too small for.
    """

    pk = CompositePrimaryKey("tenant_id", "day", "shard")
    day = models.DateField()
    shard = models.PositiveSmallIntegerField()
    schema = models.PositiveSmallIntegerField()
    rows = models.PositiveIntegerField()
    omitted = models.PositiveIntegerField()
    stored_at = models.DateTimeField()
    sealed = models.BinaryField()

    class Meta:
        db_table = "destination_summary"

    def __str__(self) -> str:
        return f"{self.day} {self.shard}"


class DestinationDay(TenantModel):
    """A closed day's place in the order in which days are told. What has a place is final."""

    pk = CompositePrimaryKey("tenant_id", "day")
    day = models.DateField()
    place = models.BigIntegerField()

    class Meta:
        db_table = "destination_day"
        constraints = [
            models.UniqueConstraint(fields=("tenant_id", "place"), name="destination_day_place"),
        ]

    def __str__(self) -> str:
        return f"{self.day} at {self.place}"
