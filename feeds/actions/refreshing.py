"""How a feed's list comes: fetched, read and guarded, and then it serves, is held, or failed.

Fetching and parsing happen before the transaction; whatever goes wrong there leaves the last good
release serving.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

import zstandard
from django.db import transaction

from audit.actors import Actor
from audit.events import EventType, Outcome
from audit.record import record
from crypto.ids import uuid7
from egress import EgressError
from egress.fetch import Resolver, system_addresses
from feeds import guards
from feeds.actions.releases import DATABASE, last, prune, sizes
from feeds.errors import FeedError
from feeds.indicators import Parsed
from feeds.models import Feed, FeedRelease, FeedState, ReleaseState
from feeds.reading import Body, obtain, understand

JUMP = "jump"  # the code of a list whose size jumped, so that it is held


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """How one refresh ended: the feed's state, a code when it failed, rows when a list came.

    ``changed`` tells that another release serves from now on.
    """

    feed: str
    state: FeedState
    code: str = ""
    rows: int = 0
    rejected: int = 0
    changed: bool = False

    @property
    def is_failure(self) -> bool:
        """Whether somebody should look."""
        return self.state in (FeedState.FAILED, FeedState.HELD)


def refresh_feed(
    *,
    feed: Feed,
    actor: Actor,
    reason: str,
    now: datetime,
    resolve: Resolver = system_addresses,
) -> Refreshed:
    """Fetch, read and guard a feed, and let it serve if it passes; never raises for a bad list."""
    try:
        body = obtain(feed, resolve=resolve)
        if body is None:
            return _unchanged(feed, now=now, absent=feed.is_local)
        serving = last(feed, ReleaseState.GOOD)
        if serving is not None and bytes(serving.sha256) == body.digest:
            return _unchanged(feed, now=now, body=body)
        waiting = last(feed, ReleaseState.HELD)
        if waiting is not None and bytes(waiting.sha256) == body.digest:
            return _still_held(feed, rows=waiting.rows, now=now)
        parsed = understand(feed, body.octets)
        earlier = sizes(feed)
        if not feed.is_local:
            guards.check_rows(parsed, earlier)
    except (EgressError, FeedError) as error:
        return _failed(feed, code=error.code, message=str(error), actor=actor, now=now)
    held = not feed.is_local and guards.is_jump(len(parsed.indicators), earlier)
    return _taken(feed, body, parsed, held=held, actor=actor, reason=reason, now=now)


def _unchanged(
    feed: Feed, *, now: datetime, absent: bool = False, body: Body | None = None
) -> Refreshed:
    """Note that the list was looked at; a file that went away takes its rows along."""
    with transaction.atomic(using=DATABASE):
        row = Feed.objects.select_for_update().get(id=feed.id)
        gone = absent and FeedRelease.objects.filter(feed=row).delete()[0] > 0
        row.state = FeedState.ABSENT if absent else FeedState.GOOD
        _looked_at(row, now=now, body=body)
    rows = 0 if absent else next(iter(sizes(feed)), 0)
    return Refreshed(feed=feed.name, state=FeedState(row.state), rows=rows, changed=gone)


def _still_held(feed: Feed, *, rows: int, now: datetime) -> Refreshed:
    """Note that the body that is held came once more; that was audited the first time."""
    Feed.objects.filter(id=feed.id).update(next_at=now + feed.every)
    return Refreshed(feed=feed.name, state=FeedState.HELD, code=JUMP, rows=rows)


def _looked_at(row: Feed, *, now: datetime, body: Body | None) -> None:
    row.last_error, row.failures = "", 0
    row.checked_at, row.next_at = now, now + row.every
    if body is not None:
        row.etag, row.last_modified = body.etag, body.last_modified
    row.save()


def _failed(feed: Feed, *, code: str, message: str, actor: Actor, now: datetime) -> Refreshed:
    with transaction.atomic(using=DATABASE):
        row = Feed.objects.select_for_update().get(id=feed.id)
        row.state, row.last_error = FeedState.FAILED, code
        row.failures += 1
        row.next_at = row.retry_at(now=now)
        row.save()
        record(
            event=EventType.FEED_FAILED,
            actor=actor,
            now=now,
            resource=f"feed:{row.name}",
            outcome=Outcome.FAILURE,
            reason=code,
            detail={"message": message[:256], "failures": row.failures},
            using=DATABASE,
        )
    return Refreshed(feed=row.name, state=FeedState.FAILED, code=code)


def _taken(
    feed: Feed,
    body: Body,
    parsed: Parsed,
    *,
    held: bool,
    actor: Actor,
    reason: str,
    now: datetime,
) -> Refreshed:
    rejected = sum(parsed.rejected.values())
    rows = len(parsed.indicators)
    with transaction.atomic(using=DATABASE):
        row = Feed.objects.select_for_update().get(id=feed.id)
        FeedRelease.objects.create(
            id=uuid7(now),
            feed=row,
            fetched_at=now,
            as_of=parsed.as_of,
            sha256=body.digest,
            body=zstandard.compress(body.octets),
            rows=rows,
            counts=dict(Counter(indicator.kind.value for indicator in parsed.indicators)),
            rejected=dict(parsed.rejected),
            state=ReleaseState.HELD if held else ReleaseState.GOOD,
        )
        prune(row)
        # A held body must come again in full, so its validators are not kept, and what serves
        # was not looked at.
        if held:
            row.state, row.last_error = FeedState.HELD, JUMP
            row.next_at = now + row.every
            row.save()
        else:
            row.state = FeedState.GOOD
            _looked_at(row, now=now, body=body)
        record(
            event=EventType.FEED_FAILED if held else EventType.FEED_REFRESHED,
            actor=actor,
            now=now,
            resource=f"feed:{row.name}",
            outcome=Outcome.FAILURE if held else Outcome.SUCCESS,
            reason=JUMP if held else reason,
            detail={"rows": rows, "rejected": rejected, "sha256": body.digest.hex()},
            using=DATABASE,
        )
    return Refreshed(
        feed=row.name,
        state=FeedState(row.state),
        code=JUMP if held else "",
        rows=rows,
        rejected=rejected,
        changed=not held,
    )
