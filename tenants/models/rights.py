"""What a tenant, or the law, has said of its rows: how long, for whom, and that they must stay."""

from django.db import models
from django.db.models import CompositePrimaryKey, Q

from tenants.models.rows import TenantModel


class RetentionTerms(TenantModel):
    """Terms shorter than the product's, in days since receipt. No row: the product's own."""

    tenant_id = models.UUIDField(primary_key=True)
    series_days = models.PositiveSmallIntegerField()
    alerts_days = models.PositiveSmallIntegerField()
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "retention_terms"
        constraints = [
            models.CheckConstraint(
                name="retention_terms_bounds",
                condition=Q(series_days__gte=7, series_days__lte=90)
                & Q(alerts_days__gte=30, alerts_days__lte=400)
                & Q(alerts_days__gte=models.F("series_days")),
            ),
        ]

    def __str__(self) -> str:
        return f"series {self.series_days} d, alerts {self.alerts_days} d"


class RetentionRun(TenantModel):
    """When a tenant's rows were last all held against their terms."""

    tenant_id = models.UUIDField(primary_key=True)
    completed_at = models.DateTimeField()

    class Meta:
        db_table = "retention_run"

    def __str__(self) -> str:
        return f"{self.completed_at:%Y-%m-%d %H:%M}"


class ResearchConsent(TenantModel):
    """That a tenant lets its series be used for research, from when until when."""

    pk = CompositePrimaryKey("tenant_id", "id")
    id = models.UUIDField()
    given_at = models.DateTimeField()
    given_by = models.CharField(max_length=200)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "research_consent"
        constraints = [
            models.UniqueConstraint(
                fields=("tenant_id",),
                condition=Q(withdrawn_at__isnull=True),
                name="research_consent_one",
            ),
        ]

    def __str__(self) -> str:
        return f"research from {self.given_at:%Y-%m-%d}"


class LegalHold(TenantModel):
    """That a tenant's rows must stay, whoever asks for their end. A tenant may have several."""

    pk = CompositePrimaryKey("tenant_id", "id")
    id = models.UUIDField()
    reason = models.CharField(max_length=1024)
    ticket = models.CharField(max_length=100, blank=True)
    placed_at = models.DateTimeField()
    placed_by = models.CharField(max_length=200)
    released_at = models.DateTimeField(null=True)
    released_by = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "legal_hold"
        indexes = [
            models.Index(
                fields=("tenant_id",),
                name="legal_hold_standing",
                condition=Q(released_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"held since {self.placed_at:%Y-%m-%d}"
