"""A feed's releases: the newest of a state, the sizes of good ones, and which are kept."""

from feeds.models import Feed, FeedRelease, ReleaseState

DATABASE = "wisdom"
REMEMBERED = 7  # good releases whose sizes make the median


def sizes(feed: Feed) -> list[int]:
    """Return how many rows the last good releases had, the newest first."""
    good = FeedRelease.objects.filter(feed=feed, state=ReleaseState.GOOD)
    return list(good.values_list("rows", flat=True)[:REMEMBERED])


def last(feed: Feed, state: ReleaseState) -> FeedRelease | None:
    """Return the newest release of a state, without its body."""
    return FeedRelease.objects.filter(feed=feed, state=state).defer("body").first()


def prune(feed: Feed) -> None:
    """Keep the last good releases, the newest's body only, and what is held since then."""
    releases = list(FeedRelease.objects.filter(feed=feed).defer("body"))
    good = [release for release in releases if release.state == ReleaseState.GOOD]
    held = [release for release in releases if release.state == ReleaseState.HELD]
    since = [release for release in held if not good or release.fetched_at > good[0].fetched_at]
    kept = {release.id for release in good[:REMEMBERED] + since[:1]}
    FeedRelease.objects.filter(feed=feed).exclude(id__in=kept).delete()
    older = [release.id for release in good[1:REMEMBERED]]
    FeedRelease.objects.filter(id__in=older).update(body=None)
