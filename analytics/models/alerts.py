"""Alerts, and the order in which a tenant reads what changed of them."""

from django.db import models
from django.db.models import CompositePrimaryKey

from tenants.models import TenantModel


class AlertState(models.TextChoices):
    """Where an alert stands."""

    OPEN = "open"
    WITHDRAWN = "withdrawn"  # late data took its ground away


class ChangeKind(models.TextChoices):
    """What changed of an alert. The vendor's feed shows ``opened`` and ``raised``."""

    OPENED = "opened"
    RAISED = "raised"
    UPDATED = "updated"
    WITHDRAWN = "withdrawn"

    @classmethod
    def announced(cls) -> tuple["ChangeKind", ...]:
        """Return the changes that ``GET /v1/alerts`` tells."""
        return (cls.OPENED, cls.RAISED)


class Alert(TenantModel):
    """A finding about one source on one day. What was found is sealed. Kept 400 days."""

    pk = CompositePrimaryKey("tenant_id", "id")
    id = models.UUIDField()
    detection = models.CharField(max_length=64)
    severity = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=16, choices=AlertState, default=AlertState.OPEN)
    day = models.DateField()
    shard = models.PositiveSmallIntegerField()
    source_index = models.BinaryField(max_length=16)
    destination_index = models.BinaryField(max_length=16)
    content_digest = models.BinaryField(max_length=32)
    opened_at = models.DateTimeField()
    sealed = models.BinaryField()

    class Meta:
        db_table = "alert"
        indexes = [
            models.Index(fields=("tenant_id", "day", "shard"), name="alert_day"),
            models.Index(fields=("tenant_id", "source_index"), name="alert_source"),
            models.Index(fields=("tenant_id", "destination_index"), name="alert_destination"),
        ]
        constraints = [
            models.CheckConstraint(
                name="alert_state_known", condition=models.Q(state__in=AlertState.values)
            ),
            models.CheckConstraint(
                name="alert_severity_range",
                condition=models.Q(severity__gte=1, severity__lte=5),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.detection} {self.id}"


class AlertChange(TenantModel):
    """One change of one alert. ``seq`` is its place in the tenant's order, given by the sequencer.

    The table has a column ``xid`` besides, the transaction that wrote the row: the sequencer orders
    by it, and takes rows only of transactions that nothing older can still precede.
    """

    pk = CompositePrimaryKey("tenant_id", "id")
    id = models.UUIDField()
    alert_id = models.UUIDField()
    kind = models.CharField(max_length=16, choices=ChangeKind)
    severity = models.PositiveSmallIntegerField()
    seq = models.BigIntegerField(null=True)

    class Meta:
        db_table = "alert_change"
        constraints = [
            models.UniqueConstraint(fields=("tenant_id", "seq"), name="alert_change_seq"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.alert_id}"


class AlertSequence(TenantModel):
    """The last place given out in a tenant's order of changes."""

    pk = CompositePrimaryKey("tenant_id", "epoch")
    epoch = models.PositiveIntegerField(default=1)
    last = models.BigIntegerField(default=0)

    class Meta:
        db_table = "alert_sequence"

    def __str__(self) -> str:
        return f"{self.epoch}-{self.last}"
