"""What serves now: the newest good release of each enabled feed, read and believed as of a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from feeds.indicators import Indicator
from feeds.models import Feed, FeedRelease, ReleaseState
from feeds.reading import understand


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """One feed's rows, and what a report must say of where they come from."""

    name: str
    title: str
    origin: str
    licence: str
    redistribute: bool
    release: str
    as_of: datetime
    fetched_at: datetime
    indicators: tuple[tuple[Indicator, datetime], ...]
    """Each with the time until which it is believed."""


def stamp() -> tuple[str, ...]:
    """Name what serves, cheaply, so that a reader can tell whether it changed."""
    return tuple(
        f"{release.feed.name}:{release.id}:{release.feed.options}"
        for release in _releases(with_body=False)
    )


def serving(*, now: datetime) -> Iterator[Serving]:
    """Read each serving release; rows that are no longer believed are left out.

    A row is believed for its source's ``EXPIRES`` after it was last seen, or, where the list says
    no time, after the list was last looked at and still had it.
    """
    for release in _releases(with_body=True):
        feed = release.feed
        parsed = understand(feed, release.raw)
        looked_at = feed.checked_at or release.fetched_at
        lasts = feed.module.EXPIRES
        believed = (
            (indicator, (indicator.last_seen or looked_at) + lasts)
            for indicator in parsed.indicators
        )
        yield Serving(
            name=feed.name,
            title=feed.title,
            origin=feed.origin,
            licence=feed.module.LICENCE,
            redistribute=feed.module.REDISTRIBUTE,
            release=str(release.id),
            as_of=release.as_of or release.fetched_at,
            fetched_at=release.fetched_at,
            indicators=tuple((indicator, until) for indicator, until in believed if until > now),
        )


def _releases(*, with_body: bool) -> list[FeedRelease]:
    newest: list[FeedRelease] = []
    for feed in Feed.objects.filter(enabled=True):
        good = FeedRelease.objects.filter(feed=feed, state=ReleaseState.GOOD)
        release = (good if with_body else good.defer("body")).first()
        if release is not None:
            release.feed = feed
            newest.append(release)
    return newest
