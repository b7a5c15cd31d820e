"""What a feed is: where it lies, how often it is asked, which of its lists serves."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec
from django.db import IntegrityError, transaction

from audit.actors import Actor
from audit.events import EventType
from audit.record import record
from crypto.ids import uuid7
from egress.policy import PORTS
from feeds.actions.releases import DATABASE, last, prune
from feeds.errors import OptionsRefused
from feeds.models import Feed, FeedRelease, FeedState, Opened, Options, ReleaseState
from feeds.sources import plain_list, source, spamhaus_drop, urlhaus

LOCAL_EVERY = timedelta(minutes=1)  # a file edited by hand serves within two minutes
LEAST_EVERY = timedelta(minutes=5)  # no publisher likes to be asked more often
LOCAL_NAME = "local"
LOCAL_FAMILY = "local"  # so that its entries bear a label where their line says none
LOCAL_PATH = "local.txt"


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
        held = last(row, ReleaseState.HELD)
        if held is None:
            return False
        FeedRelease.objects.filter(id=held.id).update(state=ReleaseState.GOOD)
        row.state, row.last_error, row.failures = FeedState.GOOD, "", 0
        row.save()
        prune(row)
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
