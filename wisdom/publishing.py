"""When a snapshot is due, where snapshots lie, and the one that serves in this process."""

from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from django.conf import settings

from feeds.serving import serving, stamp
from wisdom.index import Manifest, Snapshots, build

REBUILT_AFTER = timedelta(hours=6)  # rows of lists without times live on by being seen again


def snapshots() -> Snapshots:
    """Give the reader of this deployment's snapshots, one a process and directory."""
    return _reader(settings.SNAPSHOT_DIR)


def publish(*, now: datetime) -> Manifest:
    """Build what serves now into a snapshot and make it the current one."""
    # The stamp is taken first: a release that arrives meanwhile makes the next build due.
    return build(Path(settings.SNAPSHOT_DIR), serving(now=now), stamp=stamp(), now=now)


def publish_if_due(*, now: datetime) -> Manifest | None:
    """Publish when another set of releases serves, or the current snapshot has grown old."""
    current = Snapshots(Path(settings.SNAPSHOT_DIR)).manifest()
    if current is not None and current.stamp == stamp() and now - current.built_at < REBUILT_AFTER:
        return None
    return publish(now=now)


@cache
def _reader(directory: str) -> Snapshots:
    return Snapshots(Path(directory))
