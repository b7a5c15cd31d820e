"""Deeds on feeds: each is one transaction on ``wisdom`` with its audit row inside.

Fetching and parsing happen before the transaction; whatever goes wrong there leaves the last good
release serving.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec
import zstandard
from django.db import IntegrityError, transaction

from audit.actors import Actor
from audit.events import EventType, Outcome
from audit.record import record
from crypto.ids import uuid7
from egress import EgressError
from egress.fetch import Resolver, system_addresses
from egress.policy import PORTS
from feeds import guards
from feeds.errors import FeedError, OptionsRefused
from feeds.indicators import Parsed
from feeds.models import Feed, FeedRelease, FeedState, Opened, Options, ReleaseState
from feeds.reading import Body, obtain, understand
from feeds.sources import plain_list, source, spamhaus_drop, urlhaus

DATABASE = "wisdom"
REMEMBERED = 7  # good releases whose sizes make the median
LOCAL_EVERY = timedelta(minutes=1)  # a file edited by hand serves within two minutes
LEAST_EVERY = timedelta(minutes=5)  # no publisher likes to be asked more often
JUMP = "jump"  # the code of a list whose size jumped, so that it is held
LOCAL_NAME = "local"
LOCAL_FAMILY = "local"  # so that its entries bear a label where their line says none
LOCAL_PATH = "local.txt"


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


def add_feed(
    *,
    name: str,
    source_name: str,
    url: str = "",
    path: str = "",
    options: Options | None = None,
    every: timedelta | None = None,
    enabled: bool = True,
    actor: Actor,
    reason: str,
    now: datetime,
) -> Feed:
    """Add a feed at an address or in a file; it is due at once.

    Raises
    ------
    UnknownSource, OptionsRefused
        For a source that is not there; for both or neither of ``url`` and ``path``, a name taken
        or not plain, or a cadence too quick.

    """
    module = source(source_name)
    if bool(url) == bool(path):
        raise OptionsRefused("a feed has an address or a file, one of the two")
    if not name.isascii() or not name.replace("_", "").replace("-", "").isalnum():
        raise OptionsRefused("a feed's name is letters, digits, _ and -")
    usual = LOCAL_EVERY if path else module.EVERY
    feed = Feed(
        id=uuid7(now),
        name=name,
        source=source_name,
        url=url,
        path=path,
        options=msgspec.to_builtins(options or Options()),
        enabled=enabled,
        every=_checked_cadence(every or usual, local=bool(path)),
        next_at=now,
        created_at=now,
    )
    try:
        with transaction.atomic(using=DATABASE):
            feed.save(force_insert=True)
            _configured(feed, actor=actor, reason=reason, now=now, detail={"added": source_name})
    except IntegrityError as error:
        raise OptionsRefused(f"there is a feed {name!r} already") from error
    return feed


def set_feed(
    *,
    feed: Feed,
    enabled: bool | None = None,
    every: timedelta | None = None,
    options: Options | None = None,
    actor: Actor,
    reason: str,
    now: datetime,
) -> Feed:
    """Change what is given; a feed switched on is due at once.

    Raises
    ------
    OptionsRefused
        For a cadence too quick.

    """
    detail: dict[str, str | int] = {}
    with transaction.atomic(using=DATABASE):
        row = Feed.objects.select_for_update().get(id=feed.id)
        if enabled is not None and enabled != row.enabled:
            row.enabled = enabled
            row.next_at = now
            detail["enabled"] = int(enabled)
        if every is not None:
            row.every = _checked_cadence(every, local=row.is_local)
            detail["every_seconds"] = int(every.total_seconds())
        if options is not None:
            row.options = msgspec.to_builtins(options)
            row.etag = row.last_modified = ""
            row.next_at = now
            detail["options"] = msgspec.json.encode(options).decode()
        row.save()
        _configured(row, actor=actor, reason=reason, now=now, detail=detail)
    return row


def allow_private(feed: Feed, cidr: str) -> Options:
    """Give the feed's options with a network opened at the scheme and port of its address.

    Raises
    ------
    OptionsRefused
        For a local feed, and for what is no network.

    """
    parts = urlsplit(feed.url)
    if parts.scheme not in PORTS:
        raise OptionsRefused("only a feed with an address is fetched")
    try:
        port = parts.port or PORTS[parts.scheme]
        opened = Opened("http" if parts.scheme == "http" else "https", port, cidr=cidr)
        opened.rule()
    except ValueError as error:
        raise OptionsRefused(str(error)) from error
    options = feed.settings
    kept = tuple(rule for rule in options.allow if rule != opened)
    return msgspec.structs.replace(options, allow=(*kept, opened))


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
        serving = _last(feed, ReleaseState.GOOD)
        if serving is not None and bytes(serving.sha256) == body.digest:
            return _unchanged(feed, now=now, body=body)
        waiting = _last(feed, ReleaseState.HELD)
        if waiting is not None and bytes(waiting.sha256) == body.digest:
            return _still_held(feed, rows=waiting.rows, now=now)
        parsed = understand(feed, body.octets)
        earlier = _sizes(feed)
        if not feed.is_local:
            guards.check_rows(parsed, earlier)
    except (EgressError, FeedError) as error:
        return _failed(feed, code=error.code, message=str(error), actor=actor, now=now)
    held = not feed.is_local and guards.is_jump(len(parsed.indicators), earlier)
    return _taken(feed, body, parsed, held=held, actor=actor, reason=reason, now=now)


def ask_refresh(*, feed: Feed, actor: Actor, reason: str, now: datetime) -> Feed:
    """Make a feed due now: the next tick of the clock, within a minute, has it fetched.

    Raises
    ------
    OptionsRefused
        For a feed that is switched off.

    """
    with transaction.atomic(using=DATABASE):
        row = Feed.objects.select_for_update().get(id=feed.id)
        if not row.enabled:
            raise OptionsRefused("the feed is switched off")
        row.next_at = now
        row.save(update_fields=["next_at"])
        _configured(row, actor=actor, reason=reason, now=now, detail={"asked": "refresh"})
    return row


def accept_held(*, feed: Feed, actor: Actor, reason: str, now: datetime) -> bool:
    """Let the held release serve after all; False when none newer than the good one is held."""
    with transaction.atomic(using=DATABASE):
        row = Feed.objects.select_for_update().get(id=feed.id)
        held = _last(row, ReleaseState.HELD)
        if held is None:
            return False
        FeedRelease.objects.filter(id=held.id).update(state=ReleaseState.GOOD)
        row.state, row.last_error, row.failures = FeedState.GOOD, "", 0
        row.save()
        _prune(row)
        _configured(row, actor=actor, reason=reason, now=now, detail={"accepted_rows": held.rows})
    return True


def seed_feeds(*, actor: Actor, now: datetime) -> tuple[Feed, ...]:
    """Add those feeds that every deployment starts with and that are missing."""
    ours = Options(family=LOCAL_FAMILY)
    wanted = (
        (urlhaus.NAME, urlhaus.NAME, urlhaus.URL, "", None),
        (spamhaus_drop.NAME, spamhaus_drop.NAME, spamhaus_drop.URL, "", None),
        (f"{spamhaus_drop.NAME}_v6", spamhaus_drop.NAME, spamhaus_drop.URL_V6, "", None),
        (LOCAL_NAME, plain_list.NAME, "", LOCAL_PATH, ours),
    )
    there = set(Feed.objects.values_list("name", flat=True))
    return tuple(
        add_feed(
            name=name,
            source_name=source_name,
            url=url,
            path=path,
            options=options,
            actor=actor,
            reason="first start",
            now=now,
        )
        for name, source_name, url, path, options in wanted
        if name not in there
    )


def _checked_cadence(every: timedelta, *, local: bool) -> timedelta:
    least = LOCAL_EVERY if local else LEAST_EVERY
    if not least <= every <= timedelta(days=30):
        raise OptionsRefused(f"every {least} at most, every 30 days at least")
    return every


def _sizes(feed: Feed) -> list[int]:
    good = FeedRelease.objects.filter(feed=feed, state=ReleaseState.GOOD)
    return list(good.values_list("rows", flat=True)[:REMEMBERED])


def _last(feed: Feed, state: ReleaseState) -> FeedRelease | None:
    return FeedRelease.objects.filter(feed=feed, state=state).defer("body").first()


def _unchanged(
    feed: Feed, *, now: datetime, absent: bool = False, body: Body | None = None
) -> Refreshed:
    """Note that the list was looked at; a file that went away takes its rows along."""
    with transaction.atomic(using=DATABASE):
        row = Feed.objects.select_for_update().get(id=feed.id)
        gone = absent and FeedRelease.objects.filter(feed=row).delete()[0] > 0
        row.state = FeedState.ABSENT if absent else FeedState.GOOD
        _looked_at(row, now=now, body=body)
    rows = 0 if absent else next(iter(_sizes(feed)), 0)
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
        _prune(row)
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


def _prune(feed: Feed) -> None:
    """Keep the last good releases, the newest's body only, and what is held since then."""
    releases = list(FeedRelease.objects.filter(feed=feed).defer("body"))
    good = [release for release in releases if release.state == ReleaseState.GOOD]
    held = [release for release in releases if release.state == ReleaseState.HELD]
    since = [release for release in held if not good or release.fetched_at > good[0].fetched_at]
    kept = {release.id for release in good[:REMEMBERED] + since[:1]}
    FeedRelease.objects.filter(feed=feed).exclude(id__in=kept).delete()
    older = [release.id for release in good[1:REMEMBERED]]
    FeedRelease.objects.filter(id__in=older).update(body=None)


def _configured(
    feed: Feed, *, actor: Actor, reason: str, now: datetime, detail: dict[str, Any]
) -> None:
    record(
        event=EventType.FEED_CONFIGURED,
        actor=actor,
        now=now,
        resource=f"feed:{feed.name}",
        reason=reason,
        detail=detail,
        using=DATABASE,
    )
