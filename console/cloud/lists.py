"""The feeds as staff see them: what serves, how old it is, what went wrong last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse

from console.engine.overview import Concern
from feeds.errors import UnknownSource
from feeds.models import Feed, FeedRelease, FeedState, ReleaseState
from feeds.sources import Source, source

STALE_AFTER = 3
"""Cadences without new or confirmed data after which a feed is stale: two misses are weather."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRow:
    """A feed as the list shows it.

    `as_of` is the time of the serving data, by its publisher's word or else when it was fetched;
    it and `entries` are ``None`` while nothing serves.
    """

    name: str
    source: str
    enabled: bool
    state: str
    every: timedelta
    next_at: datetime
    as_of: datetime | None
    entries: int | None
    before: int | None
    checked_at: datetime | None
    failures: int
    last_error: str
    held: int | None

    @property
    def title(self) -> str:
        """The list's name for people, by the source that reads it."""
        module = _module(self.source)
        return module.TITLE if module is not None else self.source

    @property
    def licence(self) -> str:
        """On which terms the list may be used, by the source that reads it."""
        module = _module(self.source)
        return module.LICENCE if module is not None else ""

    @property
    def change(self) -> int | None:
        """Entries more (or fewer) than in the release before."""
        if self.entries is None or self.before is None:
            return None
        return self.entries - self.before

    def is_stale(self, now: datetime) -> bool:
        """Whether nobody has looked at the list for `STALE_AFTER` cadences."""
        if not self.enabled or self.state == FeedState.ABSENT:
            return False
        return self.checked_at is None or now - self.checked_at > STALE_AFTER * self.every


def _module(name: str) -> Source | None:
    try:
        return source(name)
    except UnknownSource:
        return None


def feed_rows() -> list[FeedRow]:
    """Return every feed by name, in one query that reads no list's body."""
    serving = FeedRelease.objects.filter(feed=OuterRef("pk"), state=ReleaseState.GOOD).order_by(
        "-fetched_at", "-id"
    )
    held = FeedRelease.objects.filter(feed=OuterRef("pk"), state=ReleaseState.HELD).order_by(
        "-fetched_at", "-id"
    )
    return [
        FeedRow(**row)
        for row in Feed.objects.order_by("name").values(
            "name",
            "source",
            "enabled",
            "state",
            "every",
            "next_at",
            "checked_at",
            "failures",
            "last_error",
            entries=Subquery(serving.values("rows")[:1]),
            before=Subquery(serving.values("rows")[1:2]),
            held=Subquery(held.values("rows")[:1]),
            as_of=Coalesce(
                Subquery(serving.values("as_of")[:1]), Subquery(serving.values("fetched_at")[:1])
            ),
        )
    ]


def feed_concerns(now: datetime) -> Sequence[Concern]:
    """Say which feeds want a person."""
    rows = [row for row in feed_rows() if row.enabled]
    failed = [row.name for row in rows if row.state == FeedState.FAILED]
    held = [row.name for row in rows if row.state == FeedState.HELD]
    stale = [row.name for row in rows if row.is_stale(now) and row.name not in failed]
    said = []
    if stale:
        said.append(
            Concern(
                level="warn",
                title=f"{len(stale)} {'feed is' if len(stale) == 1 else 'feeds are'} stale",
                words=f"{', '.join(stale)}: nobody looked at it for {STALE_AFTER} cadences.",
                path=reverse("console:feeds"),
            )
        )
    if failed:
        said.append(
            Concern(
                level="warn",
                title=f"{len(failed)} {'feed fails' if len(failed) == 1 else 'feeds fail'}",
                words=f"{', '.join(failed)}. The last good data goes on serving.",
                path=reverse("console:feeds"),
            )
        )
    if held:
        said.append(
            Concern(
                level="warn",
                title=f"{len(held)} {'list is' if len(held) == 1 else 'lists are'} held back",
                words=f"{', '.join(held)}: the size jumped. Look, then let it serve or wait.",
                path=reverse("console:feeds"),
            )
        )
    return said
