"""From the inbox to the series."""

from django.db import models
from django.db.models import CompositePrimaryKey

from tenants.models import TenantModel


class InboxPart(TenantModel):
    """A sealed part of an accepted request, waiting for or just past its effect.

    All parts of a request carry the id of its `Work`. Kept 24 h after effect.
    """

    pk = CompositePrimaryKey("tenant_id", "id")
    id = models.UUIDField()
    work_id = models.UUIDField()
    part = models.PositiveIntegerField()
    kind = models.CharField(max_length=8)
    schema = models.PositiveSmallIntegerField()
    events = models.PositiveIntegerField()
    sealed = models.BinaryField()

    class Meta:
        db_table = "inbox_part"

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class Stream(TenantModel):
    """How far one kind of a tenant's telemetry has come, to the minute of event time."""

    pk = CompositePrimaryKey("tenant_id", "kind")
    kind = models.CharField(max_length=8)
    newest = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        db_table = "stream"

    def __str__(self) -> str:
        return f"{self.kind} to {self.newest:%Y-%m-%d %H:%M}"


class Window(TenantModel):
    """One hour of event time of one kind and shard: the unit that batches take turns on.

    ``generation`` counts the batches that took effect in it. A worker that read the window's
    identities at one generation may add to it only while that is still its generation.
    """

    pk = CompositePrimaryKey("tenant_id", "kind", "shard", "start")
    kind = models.CharField(max_length=8)
    shard = models.PositiveSmallIntegerField()
    start = models.DateTimeField()
    generation = models.BigIntegerField(default=0)
    events = models.BigIntegerField(default=0)

    class Meta:
        db_table = "series_window"

    def __str__(self) -> str:
        return f"{self.kind} {self.shard} {self.start:%Y-%m-%d %H}h"


class IdentityRun(TenantModel):
    """Sealed identities of one window: fingerprints and multiplicities. Kept 72 h of receipt."""

    pk = CompositePrimaryKey("tenant_id", "id")
    id = models.UUIDField()
    kind = models.CharField(max_length=8)
    shard = models.PositiveSmallIntegerField()
    start = models.DateTimeField()
    rows = models.PositiveIntegerField()
    sealed = models.BinaryField()

    class Meta:
        db_table = "identity_run"

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class Segment(TenantModel):
    """Sealed columns of one window that one request added. Kept 90 days of receipt."""

    pk = CompositePrimaryKey("tenant_id", "id")
    id = models.UUIDField()
    kind = models.CharField(max_length=8)
    shard = models.PositiveSmallIntegerField()
    start = models.DateTimeField()
    schema = models.PositiveSmallIntegerField()
    rows = models.PositiveIntegerField()
    sealed = models.BinaryField()

    class Meta:
        db_table = "segment"

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class EvaluationDay(TenantModel):
    """One UTC day of one shard, as the detectors look at it.

    ``generation`` counts what was added to the day, ``evaluated`` is the generation that the
    detectors last saw whole, ``dirty_since`` the oldest hour added to since then. ``owed`` says
    that Wisdom did not answer and is to be asked again.
    """

    pk = CompositePrimaryKey("tenant_id", "shard", "day")
    shard = models.PositiveSmallIntegerField()
    day = models.DateField()
    generation = models.BigIntegerField(default=0)
    evaluated = models.BigIntegerField(default=0)
    dirty_since = models.DateTimeField(null=True)
    work_id = models.UUIDField(null=True)
    owed = models.BooleanField(default=False)

    class Meta:
        db_table = "evaluation_day"

    def __str__(self) -> str:
        return f"{self.day} {self.shard}"


class SourceSketch(TenantModel):
    """A sealed sketch of the distinct sources that one shard received on one day."""

    pk = CompositePrimaryKey("tenant_id", "day", "shard")
    day = models.DateField()
    shard = models.PositiveSmallIntegerField()
    sealed = models.BinaryField()

    class Meta:
        db_table = "source_sketch"

    def __str__(self) -> str:
        return f"{self.day} {self.shard}"


class IgnoredFields(TenantModel):
    """Sealed counts of the fields, by name, that one day's events had and no event has."""

    pk = CompositePrimaryKey("tenant_id", "day", "kind")
    day = models.DateField()
    kind = models.CharField(max_length=8)
    sealed = models.BinaryField()

    class Meta:
        db_table = "ignored_fields"

    def __str__(self) -> str:
        return f"{self.day} {self.kind}"
