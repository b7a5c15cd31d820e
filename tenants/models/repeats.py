"""What was answered to requests that may come again."""

from django.db import models
from django.db.models import CompositePrimaryKey

from tenants.models.rows import TenantModel


class AnsweredRequest(TenantModel):
    """The answer to a request that named itself by an Idempotency-Key.

    Tag and digest are keyed hashes, of the door with the key and of the body: the table shows
    neither. The answer holds counts and nothing that was sent.
    """

    pk = CompositePrimaryKey("tenant_id", "tag")
    tag = models.BinaryField(max_length=16)
    digest = models.BinaryField(max_length=32)
    answer = models.BinaryField()
    answered_at = models.DateTimeField()

    class Meta:
        db_table = "answered_request"
        indexes = [models.Index(fields=("tenant_id", "answered_at"), name="answered_request_age")]

    def __str__(self) -> str:
        return f"answered {self.answered_at}"
