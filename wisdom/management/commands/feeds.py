"""``manage.py feeds``: threat feeds, and the snapshot made of them.

It lies here and not in ``feeds``, because publishing is Wisdom's.
"""

import json
import sys
from datetime import timedelta
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from audit.actors import shell
from destinations.flags import BY_NAME
from feeds.actions import (
    Refreshed,
    accept_held,
    add_feed,
    allow_private,
    refresh_feed,
    seed_feeds,
    set_feed,
)
from feeds.errors import FeedError
from feeds.models import Feed, Options
from feeds.sources import SOURCES
from wisdom.publishing import publish

REASON = "from the shell"
_UNITS = {"m": 60, "h": 3_600, "d": 86_400}


def duration(text: str) -> timedelta:
    """Read ``30m``, ``12h`` or ``2d``; ``ValueError`` for anything else."""
    if text[-1:] not in _UNITS or not text[:-1].isdecimal():
        raise ValueError(f"{text!r} is not like 30m, 12h or 2d")
    return timedelta(seconds=int(text[:-1]) * _UNITS[text[-1]])


class Command(BaseCommand):
    """List, refresh, add and set feeds."""

    help = (
        "List, refresh, add and set threat feeds. With --json the last line of stdout is JSON. "
        "`refresh` exits 1 when a feed failed or is held, and 0 otherwise."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands."""
        deeds = parser.add_subparsers(dest="deed", required=True)
        listing = deeds.add_parser("list", help="list feeds with their state and dates")
        seed = deeds.add_parser("seed", help="add the feeds every deployment starts with")
        refresh = deeds.add_parser("refresh", help="refresh feeds now and publish a snapshot")
        refresh.add_argument("names", nargs="*", metavar="NAME", help="all enabled ones if none")
        add = deeds.add_parser("add", help="add a feed")
        add.add_argument("name", metavar="NAME", help="letters, digits, _ and -")
        add.add_argument("--source", required=True, choices=sorted(SOURCES), help="its format")
        place = add.add_mutually_exclusive_group(required=True)
        place.add_argument("--url", default="", help="where it is fetched")
        place.add_argument("--path", default="", help="a file, relative to the feeds' folder")
        change = deeds.add_parser("set", help="change a feed")
        change.add_argument("name", metavar="NAME")
        switch = change.add_mutually_exclusive_group()
        switch.add_argument("--enable", dest="enabled", action="store_true", default=None)
        switch.add_argument("--disable", dest="enabled", action="store_false")
        change.add_argument("--accept-held", action="store_true", help="let a held list serve")
        for deed in (add, change):
            deed.add_argument("--flag", choices=sorted(BY_NAME), help="what its rows mean")
            deed.add_argument("--family", help="malware family of its rows")
            deed.add_argument("--title", help="the list's name for people")
            deed.add_argument("--every", type=duration, help="how often, such as 30m, 12h or 2d")
            deed.add_argument(
                "--allow-private", metavar="CIDR", help="open a network for this feed's address"
            )
        for deed in (listing, seed, refresh, add, change):
            deed.add_argument("--json", action="store_true", help="answer in JSON")
            deed.add_argument("--reason", default=REASON, help="for the audit log")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the subcommand."""
        try:
            getattr(self, f"_{options['deed']}")(options)
        except FeedError as error:
            raise CommandError(str(error)) from None
        except ValueError as error:  # options that no value of the type could have
            raise CommandError(str(error)) from None

    def _list(self, options: dict[str, Any]) -> None:
        rows = [_row(feed) for feed in Feed.objects.all()]
        if options["json"]:
            self.stdout.write(json.dumps(rows))
            return
        for row in rows:
            switched = "on " if row["enabled"] else "off"
            self.stdout.write(
                f"{row['name']:24} {switched} {row['state']:7} {row['rows']:>9} rows  "
                f"{row['checked_at'] or 'never':32} {row['last_error']}"
            )

    def _seed(self, options: dict[str, Any]) -> None:
        added = [feed.name for feed in seed_feeds(actor=shell(), now=timezone.now())]
        self.stdout.write(
            json.dumps({"added": added}) if options["json"] else f"added {len(added)} feeds"
        )

    def _refresh(self, options: dict[str, Any]) -> None:
        named = [_feed(name) for name in options["names"]]
        feeds = named or list(Feed.objects.filter(enabled=True))
        done: list[Refreshed] = []
        for feed in feeds:
            one = refresh_feed(
                feed=feed, actor=shell(), reason=options["reason"], now=timezone.now()
            )
            done.append(one)
            if not options["json"]:
                self.stdout.write(
                    f"{one.feed:24} {one.state:7} {one.rows:>9} rows, {one.rejected} refused"
                    f"{'  ' + one.code if one.code else ''}"
                )
        manifest = publish(now=timezone.now())
        failed = [one.feed for one in done if one.is_failure]
        answer = {
            "feeds": [msgspec.to_builtins(one) for one in done],
            "snapshot": manifest.version,
            "counts": dict(manifest.counts),
            "failed": failed,
        }
        total = sum(manifest.counts.values())
        self.stdout.write(
            json.dumps(answer)
            if options["json"]
            else f"snapshot {manifest.version}: {total} indicators; {len(failed)} feeds failed"
        )
        if failed:
            sys.exit(1)

    def _add(self, options: dict[str, Any]) -> None:
        chosen = _options(Options(), options)
        if options["allow_private"]:
            unsaved = Feed(url=options["url"], options=msgspec.to_builtins(chosen))
            chosen = allow_private(unsaved, options["allow_private"])
        feed = add_feed(
            name=options["name"],
            source_name=options["source"],
            url=options["url"],
            path=options["path"],
            options=chosen,
            every=options["every"],
            actor=shell(),
            reason=options["reason"],
            now=timezone.now(),
        )
        self._say(feed, options)

    def _set(self, options: dict[str, Any]) -> None:
        feed = _feed(options["name"])
        before = feed.settings
        chosen = _options(before, options)
        if options["allow_private"]:
            feed.options = msgspec.to_builtins(chosen)
            chosen = allow_private(feed, options["allow_private"])
        feed = set_feed(
            feed=feed,
            enabled=options["enabled"],
            every=options["every"],
            options=None if chosen == before else chosen,
            actor=shell(),
            reason=options["reason"],
            now=timezone.now(),
        )
        if options["accept_held"]:
            accepted = accept_held(
                feed=feed, actor=shell(), reason=options["reason"], now=timezone.now()
            )
            if not accepted:
                raise CommandError(f"no list of {feed.name} is held")
            feed.refresh_from_db()
        self._say(feed, options)

    def _say(self, feed: Feed, options: dict[str, Any]) -> None:
        row = _row(feed)
        switched = "on" if feed.enabled else "off"
        self.stdout.write(
            json.dumps(row)
            if options["json"]
            else f"{feed.name} is {switched}, every {feed.every}, state {feed.state}"
        )


def _feed(name: str) -> Feed:
    feed = Feed.objects.filter(name=name).first()
    if feed is None:
        raise CommandError(f"no feed named {name!r}")
    return feed


def _options(before: Options, given: dict[str, Any]) -> Options:
    changes = {
        field: given[field] for field in ("flag", "family", "title") if given[field] is not None
    }
    return msgspec.structs.replace(before, **changes) if changes else before


def _row(feed: Feed) -> dict[str, Any]:
    release = feed.releases.filter(state="good").defer("body").first()
    return {
        "name": feed.name,
        "source": feed.source,
        "place": feed.url or feed.path,
        "enabled": feed.enabled,
        "every_seconds": int(feed.every.total_seconds()),
        "state": feed.state,
        "last_error": feed.last_error,
        "failures": feed.failures,
        "checked_at": feed.checked_at.isoformat() if feed.checked_at else None,
        "as_of": release.as_of.isoformat() if release and release.as_of else None,
        "rows": release.rows if release else 0,
        "rejected": dict(release.rejected) if release else {},
        "licence": feed.module.LICENCE,
        "commercial_use": feed.module.COMMERCIAL_USE,
    }
