"""The audit tables as Django sees them.

Their truth (partitions, policies, triggers, grants) is in the migrations, and they are written by
`audit.record` and `audit.sequencer` alone.
"""

from typing import Any, Self

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from audit.leaves import Leaf, read_leaf


class XidField(models.BigIntegerField):  # type: ignore[type-arg]  # Django's classes take none
    """PostgreSQL's ``xid8``: a 64-bit transaction id that never wraps."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:  # noqa: ARG002 -- Django's signature
        """Name the column type."""
        return "xid8"

    def from_db_value(self, value: Any, *_context: Any) -> int | None:
        """Read the text form that the driver gives for a type it does not know."""
        return None if value is None else int(value)


class Staged(models.Model):
    """A deed, written in the deed's own transaction and waiting for the sequencer.

    Partitioned by day on ``id``: a UUIDv7 begins with its time of making, so that the key of the
    table is also the key of its partitions and stays unique over all of them.
    """

    id = models.UUIDField(primary_key=True)
    xid = XidField(editable=False)
    tenant = models.UUIDField(null=True)
    event = models.TextField()
    actor_kind = models.TextField()
    actor_id = models.TextField()
    resource = models.TextField()
    outcome = models.TextField()
    reason = models.TextField()
    request_id = models.TextField()
    detail = models.JSONField()
    occurred_at = models.DateTimeField()
    schema = models.SmallIntegerField()

    class Meta:
        db_table = "audit_stage"

    def __str__(self) -> str:
        return f"{self.event} {self.id}"


class Tally(models.Model):
    """How often an actor did one thing in one minute, and how much of that is in the log already.

    ``tenant`` is the nil UUID where there is none: a primary key holds no null.
    """

    pk = models.CompositePrimaryKey("tenant", "actor_kind", "actor_id", "event", "minute")
    tenant = models.UUIDField()
    actor_kind = models.TextField()
    actor_id = models.TextField()
    event = models.TextField()
    minute = models.DateTimeField()
    calls = models.BigIntegerField()
    items = models.BigIntegerField()
    emitted_calls = models.BigIntegerField(default=0)
    emitted_items = models.BigIntegerField(default=0)

    class Meta:
        db_table = "audit_tally"

    def __str__(self) -> str:
        return f"{self.event} {self.actor_kind}:{self.actor_id} {self.minute:%Y-%m-%dT%H:%MZ}"


class Taken(models.Model):
    """A staged deed that is in the log: the constraint that none enters twice."""

    stage = models.UUIDField(primary_key=True)

    class Meta:
        db_table = "audit_taken"

    def __str__(self) -> str:
        return str(self.stage)


class EntryQuerySet(models.QuerySet["Entry"]):
    """Sets of entries. Row-level security decides which exist for the reader."""

    def newest(self, limit: int, *, before: int | None = None) -> Self:
        """Return at most `limit` entries, newest first, with an index below `before`."""
        entries = self if before is None else self.filter(idx__lt=before)
        return entries.order_by("-idx")[:limit]


class Entry(models.Model):
    """A leaf of the log. ``leaf`` is the evidence; the other columns repeat it for searching."""

    idx = models.BigIntegerField(primary_key=True)
    leaf = models.BinaryField()
    leaf_hash = models.BinaryField()
    stage = models.UUIDField()
    tenant = models.UUIDField(null=True)
    event = models.TextField()
    occurred_at = models.DateTimeField()

    objects = EntryQuerySet.as_manager()

    class Meta:
        db_table = "audit_log"

    def __str__(self) -> str:
        return f"{self.idx} {self.event}"

    def content(self) -> Leaf:
        """Return what the leaf says."""
        return read_leaf(bytes(self.leaf))


class Head(models.Model):
    """The tree as it stands, so that a step costs what it adds. One row; a cache, no evidence."""

    id = models.SmallIntegerField(primary_key=True)
    size = models.BigIntegerField()
    nodes = models.BinaryField()

    class Meta:
        db_table = "audit_head"

    def __str__(self) -> str:
        return str(self.size)


class Cursor(models.Model):
    """How far each database's staging table is in the log, in ``(xid, stage)`` order.

    ``cluster`` names the server that gave the xids out; another one counts anew.
    """

    source = models.TextField(primary_key=True)
    cluster = models.TextField()
    xid = XidField()
    stage = models.UUIDField()

    class Meta:
        db_table = "audit_cursor"

    def __str__(self) -> str:
        return f"{self.source} {self.xid}"


class Checkpoint(models.Model):
    """A signed head: how many leaves there were, their root, and the note that says so."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    nodes = models.BinaryField()
    note = models.TextField()
    signed_at = models.DateTimeField()

    class Meta:
        db_table = "audit_checkpoint"

    def __str__(self) -> str:
        return str(self.size)


class Node(models.Model):
    """The root over a perfect subtree of ``2 ** level`` leaves; a cache for proofs, no evidence."""

    pk = models.CompositePrimaryKey("level", "idx")
    level = models.SmallIntegerField()
    idx = models.BigIntegerField()
    hash = models.BinaryField()

    class Meta:
        db_table = "audit_node"

    def __str__(self) -> str:
        return f"{self.level}/{self.idx}"


class Epoch(models.Model):
    """Leaves that retention took away: their bounds, and the tree of all leaves up to ``stop``.

    ``archive`` names where they lie, "" where none was made; ``archive_digest`` is of its
    ``SHA256SUMS``.
    """

    start = models.BigIntegerField(primary_key=True)
    stop = models.BigIntegerField(unique=True)
    nodes = models.BinaryField()
    root = models.BinaryField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    sealed_at = models.DateTimeField()
    archive = models.TextField()
    archive_digest = models.BinaryField()

    class Meta:
        db_table = "audit_epoch"

    def __str__(self) -> str:
        return f"{self.start}-{self.stop}"


class Edge(models.Model):
    """What completes a retired checkpoint's tree to the next multiple of 256 leaves."""

    size = models.BigIntegerField(primary_key=True)
    hashes = models.BinaryField()

    class Meta:
        db_table = "audit_edge"

    def __str__(self) -> str:
        return str(self.size)
