"""A feed as an operator configured it, and the releases of it that were taken."""

from datetime import datetime, timedelta

import msgspec
import zstandard
from django.db import models

from destinations.flags import BY_NAME
from egress import Allow, Policy
from egress.policy import Scheme
from feeds.errors import OptionsRefused
from feeds.sources import Source, source

REDIRECTS = 2  # publishers move lists between hosts of theirs; each hop is checked anew
FIRST_RETRY = timedelta(minutes=5)
LAST_RETRY = timedelta(hours=24)  # a closed network costs one attempt a day


class Opened(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One target an operator opened for a feed: a host, or the addresses of a network."""

    scheme: Scheme
    port: int
    host: str = ""
    cidr: str = ""

    def rule(self) -> Allow:
        """Give the egress rule; ``ValueError`` when it names neither or both."""
        if bool(self.host) == bool(self.cidr):
            raise ValueError("a host or a network, one of the two")
        if self.cidr:
            return Allow.of_network(self.cidr, scheme=self.scheme, port=self.port)
        return Allow.of_host(self.host, scheme=self.scheme, port=self.port)


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an operator says of a feed: its rows' flag and family, its title, targets opened."""

    flag: str = ""
    family: str = ""
    title: str = ""
    allow: tuple[Opened, ...] = ()

    def __post_init__(self) -> None:
        if self.flag and self.flag not in BY_NAME:
            raise ValueError(f"no flag {self.flag!r}")
        if not self.family.isprintable() or len(self.family) > 64 or ":" in self.family:
            raise ValueError("a family is up to 64 printable characters without a colon")
        for opened in self.allow:
            opened.rule()


class FeedState(models.TextChoices):
    """How the last attempt ended."""

    NEW = "new"
    GOOD = "good"
    ABSENT = "absent"  # a local list without its file: nothing is wrong
    FAILED = "failed"
    HELD = "held"


class ReleaseState(models.TextChoices):
    """Whether a release may serve."""

    GOOD = "good"
    HELD = "held"


class FeedSet(models.QuerySet["Feed"]):
    """Sets of feeds."""

    def due(self, *, now: datetime) -> "FeedSet":
        """Select what is to be looked at."""
        return self.filter(enabled=True, next_at__lte=now)

    def claim(self, feed: "Feed", *, now: datetime, lease: timedelta) -> bool:
        """Take a due feed before another worker does; a lease that ends makes it due again."""
        untouched = self.filter(id=feed.id, enabled=True, next_at=feed.next_at)
        return bool(untouched.update(next_at=now + lease))


class Feed(models.Model):
    """One list of somebody's, at an address or in a file."""

    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=64, unique=True)
    source = models.CharField(max_length=64)
    url = models.TextField(blank=True)
    path = models.TextField(blank=True)
    options = models.JSONField(default=dict)
    enabled = models.BooleanField()
    every = models.DurationField()
    next_at = models.DateTimeField(db_index=True)
    state = models.CharField(max_length=16, choices=FeedState, default=FeedState.NEW)
    last_error = models.CharField(max_length=64, blank=True)
    failures = models.PositiveIntegerField(default=0)
    checked_at = models.DateTimeField(null=True)
    etag = models.CharField(max_length=256, blank=True)
    last_modified = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()

    objects = FeedSet.as_manager()

    class Meta:
        db_table = "feed"
        ordering = ("name",)
        constraints = [
            models.CheckConstraint(
                name="feed_state_known", condition=models.Q(state__in=FeedState.values)
            ),
            models.CheckConstraint(
                name="feed_at_one_place",
                condition=models.Q(url="") ^ models.Q(path=""),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def module(self) -> Source:
        """The source that reads this feed; ``UnknownSource`` when this build has none."""
        return source(self.source)

    @property
    def settings(self) -> Options:
        """The options as a value; ``OptionsRefused`` for what no action would have written."""
        try:
            return msgspec.convert(self.options, Options)
        except msgspec.ValidationError as error:
            raise OptionsRefused(str(error)) from error

    @property
    def policy(self) -> Policy:
        """Where the fetch of this feed may lead."""
        rules = tuple(opened.rule() for opened in self.settings.allow)
        return Policy(allow=rules, redirects=REDIRECTS)

    @property
    def is_local(self) -> bool:
        """Whether an operator edits this list by hand, so that it may change at will."""
        return bool(self.path)

    @property
    def origin(self) -> str:
        """Who stands behind the list: two lists of one origin do not corroborate each other."""
        return self.module.ORIGIN or self.name

    @property
    def title(self) -> str:
        """The list's name for people."""
        return self.settings.title or (self.module.TITLE if self.module.ORIGIN else self.name)

    def retry_at(self, *, now: datetime) -> datetime:
        """When to try again after this many failures: doubling from five minutes to a day."""
        doublings = max(0, min(self.failures - 1, 10))  # beyond ten it is a day anyway
        wait: timedelta = min(LAST_RETRY, FIRST_RETRY * 2**doublings)
        return now + wait


class FeedRelease(models.Model):
    """One body of a feed that was taken, compressed as it came, with what it counted.

    Only the serving release and a held one keep their body; the counts of older ones stay for the
    median that the next one is held against.
    """

    id = models.UUIDField(primary_key=True)
    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="releases")
    fetched_at = models.DateTimeField()
    as_of = models.DateTimeField(null=True)
    sha256 = models.BinaryField(max_length=32)
    body = models.BinaryField(null=True)
    rows = models.PositiveIntegerField()
    counts = models.JSONField()
    rejected = models.JSONField()
    state = models.CharField(max_length=16, choices=ReleaseState)

    class Meta:
        db_table = "feed_release"
        ordering = ("-fetched_at", "-id")
        constraints = [
            models.CheckConstraint(
                name="feed_release_state_known",
                condition=models.Q(state__in=ReleaseState.values),
            ),
        ]
        indexes = [models.Index(fields=("feed", "state", "-fetched_at"), name="feed_release_last")]

    def __str__(self) -> str:
        return f"{self.feed_id}@{self.fetched_at:%Y-%m-%dT%H:%M:%SZ}"

    @property
    def raw(self) -> bytes:
        """The body as it came; ``ValueError`` when this release no longer keeps it."""
        if self.body is None:
            raise ValueError("an older release keeps no body")
        return zstandard.decompress(bytes(self.body))
