"""Feeds through their actions: fetched from a server of our own, kept, guarded, audited."""

import http.server
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connections

from audit.actors import system
from feeds import tasks
from feeds.actions import (
    JUMP,
    accept_held,
    add_feed,
    allow_private,
    refresh_feed,
    seed_feeds,
    set_feed,
)
from feeds.errors import OptionsRefused, UnknownSource
from feeds.models import Feed, FeedRelease, FeedState, Options, ReleaseState
from feeds.serving import serving, stamp

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "wisdom"])

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ACTOR = system("test")
MINUTE = timedelta(minutes=1)


class Publisher(http.server.ThreadingHTTPServer):
    """Serves one body with an entity tag, or an error status."""

    body = b""
    status = 200
    asked = 0

    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/list.txt"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Publisher

    def do_GET(self) -> None:
        self.server.asked += 1
        tag = f'"{hash(self.server.body)}"'
        if self.server.status == 200 and self.headers.get("If-None-Match") == tag:
            self.send_response(304)
            self.end_headers()
            return
        self.send_response(self.server.status)
        self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the library's name
        """Say nothing."""


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(3)


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.FEEDS_DIR = str(tmp_path)
    return tmp_path


def fetched(publisher: Publisher, **options: Any) -> Feed:
    feed = Feed(url=publisher.url(), options={})
    opened = allow_private(feed, "127.0.0.0/8").allow
    return add_feed(
        name="list",
        source_name="plain_list",
        url=publisher.url(),
        options=Options(allow=opened, **options),
        actor=ACTOR,
        reason="test",
        now=NOW,
    )


def refresh(feed: Feed, now: datetime = NOW) -> Any:
    feed.refresh_from_db()
    return refresh_feed(feed=feed, actor=ACTOR, reason="test", now=now)


def audited() -> list[tuple[str, str]]:
    with connections["wisdom"].cursor() as cursor:
        cursor.execute("SELECT set_config('app.audit', 'reader', false)")
        cursor.execute("SELECT event, outcome FROM audit_stage ORDER BY id")
        found = [(event, outcome) for event, outcome in cursor.fetchall()]
        cursor.execute("SELECT set_config('app.audit', '', false)")
    return found


def served(now: datetime = NOW) -> list[str]:
    return [indicator.value for each in serving(now=now) for indicator, _ in each.indicators]


def lines(count: int) -> bytes:
    return b"".join(b"192.0.2.%d\n" % number for number in range(count))


def test_a_fetched_list_serves_and_is_audited(publisher: Publisher) -> None:
    publisher.body = b"# Last updated: 2026-11-24 01:00:00\nevil.example\n10.0.0.1\n"
    feed = fetched(publisher, flag="c2", family="Test")
    done = refresh(feed, NOW + MINUTE)
    assert (done.state, done.rows, done.rejected, done.changed) == ("good", 1, 1, True)
    (source,) = serving(now=NOW)
    ((indicator, until),) = source.indicators
    assert (indicator.value, indicator.flag, indicator.family) == ("evil.example", "c2", "Test")
    assert until == NOW + MINUTE + timedelta(days=30)
    assert source.as_of == datetime(2026, 11, 24, 1, tzinfo=UTC)
    assert audited()[-2:] == [("feed.configured", "success"), ("feed.refreshed", "success")]


def test_an_unchanged_list_is_asked_for_cheaply_and_lives_on(publisher: Publisher) -> None:
    publisher.body = b"evil.example\n"
    feed = fetched(publisher)
    refresh(feed)
    before = len(audited())
    later = NOW + timedelta(days=20)
    done = refresh(feed, later)
    assert (done.state, done.rows, done.changed) == ("good", 1, False)
    assert FeedRelease.objects.count() == 1
    assert len(audited()) == before
    assert served(later + timedelta(days=29)) == ["evil.example"]
    assert served(later + timedelta(days=31)) == []


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (500, b"", "status_500"),
        (404, b"gone", "status_404"),
        (200, b"<!DOCTYPE html><html></html>", "html_page"),
        (200, b"# nothing today\n", "emptied"),
        (200, b"10.0.0.1\n127.0.0.1\n192.0.2.1\n", "mostly_refused"),
        (302, b"", "redirect_refused"),
    ],
)
def test_a_bad_answer_leaves_the_last_good_release_serving(
    publisher: Publisher, status: int, body: bytes, code: str
) -> None:
    publisher.body = b"evil.example\n"
    feed = fetched(publisher)
    refresh(feed)
    good = stamp()
    publisher.status, publisher.body = status, body
    done = refresh(feed, NOW + MINUTE)
    assert (done.state, done.code, done.is_failure) == ("failed", code, True)
    assert served() == ["evil.example"]
    assert stamp() == good
    assert audited()[-1] == ("feed.failed", "failure")
    feed.refresh_from_db()
    assert (feed.state, feed.last_error, feed.failures) == ("failed", code, 1)


def test_a_body_nested_without_end_fails_like_any_other(folder: Path) -> None:
    (folder / "deep.json").write_bytes(b'{"1":[' + b"[" * 100_000)
    feed = add_feed(
        name="deep", source_name="urlhaus", path="deep.json", actor=ACTOR, reason="test", now=NOW
    )
    assert refresh(feed).code == "not_the_format"


def test_attempts_after_failures_get_rarer_and_a_success_ends_that(publisher: Publisher) -> None:
    publisher.status = 503
    feed = fetched(publisher)
    waits = []
    for _ in range(12):
        refresh(feed)
        feed.refresh_from_db()
        waits.append(feed.next_at - NOW)
    assert waits[0] == timedelta(minutes=5)
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(hours=24)
    publisher.status, publisher.body = 200, b"evil.example\n"
    refresh(feed)
    feed.refresh_from_db()
    assert (feed.failures, feed.last_error, feed.next_at) == (0, "", NOW + feed.every)


def test_a_private_address_is_not_fetched_from_unless_opened(publisher: Publisher) -> None:
    feed = add_feed(
        name="closed",
        source_name="plain_list",
        url=publisher.url(),
        actor=ACTOR,
        reason="test",
        now=NOW,
    )
    assert refresh(feed).code == "url_refused"
    assert publisher.asked == 0
    set_feed(
        feed=feed,
        options=allow_private(feed, "127.0.0.0/8"),
        actor=ACTOR,
        reason="test",
        now=NOW,
    )
    assert refresh(feed).state == "good"


def test_a_jump_in_size_is_held_until_somebody_accepts_it(publisher: Publisher) -> None:
    publisher.body = lines(30)
    feed = fetched(publisher)
    refresh(feed)
    publisher.body = lines(90)
    done = refresh(feed, NOW + MINUTE)
    assert (done.state, done.code, done.rows) == ("held", JUMP, 90)
    assert len(served()) == 30
    before = len(audited())
    assert refresh(feed, NOW + 2 * MINUTE).state == "held"
    assert len(audited()) == before
    assert accept_held(feed=feed, actor=ACTOR, reason="they grew", now=NOW + 3 * MINUTE)
    assert len(served()) == 90
    assert not accept_held(feed=feed, actor=ACTOR, reason="again", now=NOW + 4 * MINUTE)
    assert refresh(feed, NOW + 5 * MINUTE).state == "good"


def test_a_list_that_returns_to_its_size_makes_the_held_one_moot(publisher: Publisher) -> None:
    publisher.body = lines(30)
    feed = fetched(publisher)
    refresh(feed)
    publisher.body = lines(90)
    refresh(feed, NOW + MINUTE)
    publisher.body = lines(31)
    assert refresh(feed, NOW + 2 * MINUTE).state == "good"
    assert not FeedRelease.objects.filter(state=ReleaseState.HELD).exists()


def test_old_releases_keep_their_counts_and_lose_their_bodies(publisher: Publisher) -> None:
    feed = fetched(publisher)
    for number in range(10):
        publisher.body = lines(30 + number)
        refresh(feed, NOW + number * MINUTE)
    kept = list(FeedRelease.objects.values_list("rows", "body"))
    assert [count for count, _ in kept] == [39, 38, 37, 36, 35, 34, 33]
    assert [body is not None for _, body in kept] == [True] + [False] * 6
    with pytest.raises(ValueError, match="no body"):
        FeedRelease.objects.all()[3].raw  # noqa: B018 -- reading it is the deed


def test_a_local_list_follows_its_file_by_hand_without_guards_on_size(folder: Path) -> None:
    seed_feeds(actor=ACTOR, now=NOW)
    feed = Feed.objects.get(name="local")
    assert refresh(feed).state == "absent"
    (folder / "local.txt").write_bytes(lines(100))
    assert refresh(feed).rows == 100
    (folder / "local.txt").write_bytes(lines(1))
    assert refresh(feed, NOW + MINUTE).rows == 1
    (folder / "local.txt").write_bytes(b"# all gone\n")
    assert refresh(feed, NOW + 2 * MINUTE).rows == 0
    assert served() == []
    (folder / "local.txt").write_bytes(b"evil.example\n")
    refresh(feed, NOW + 3 * MINUTE)
    (folder / "local.txt").unlink()
    done = refresh(feed, NOW + 4 * MINUTE)
    assert (done.state, done.changed) == ("absent", True)
    assert served() == []
    (folder / "local.txt").mkdir()
    assert refresh(feed, NOW + 5 * MINUTE).code == "unreadable"


def test_seeding_twice_adds_nothing_and_keeps_what_an_operator_changed() -> None:
    first = seed_feeds(actor=ACTOR, now=NOW)
    assert [feed.name for feed in first] == [
        "urlhaus",
        "spamhaus_drop",
        "spamhaus_drop_v6",
        "local",
    ]
    assert all(feed.url.startswith("https://") for feed in first if not feed.is_local)
    set_feed(feed=first[0], enabled=False, actor=ACTOR, reason="test", now=NOW)
    assert seed_feeds(actor=ACTOR, now=NOW) == ()
    assert not Feed.objects.get(name="urlhaus").enabled


def test_a_feed_switched_off_serves_no_more(folder: Path) -> None:
    (folder / "local.txt").write_bytes(b"evil.example\n")
    seed_feeds(actor=ACTOR, now=NOW)
    feed = Feed.objects.get(name="local")
    refresh(feed)
    assert served() == ["evil.example"]
    before = stamp()
    set_feed(feed=feed, enabled=False, actor=ACTOR, reason="test", now=NOW)
    assert served() == []
    assert stamp() != before


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "", "path": ""},
        {"url": "https://list.example/", "path": "x.txt"},
        {"name": "has blank"},
        {"name": ""},
        {"every": timedelta(seconds=1)},
        {"every": timedelta(days=31)},
    ],
)
def test_a_feed_that_makes_no_sense_is_not_added(wrong: dict[str, Any]) -> None:
    given: dict[str, Any] = {"name": "x", "url": "https://list.example/", "path": ""} | wrong
    with pytest.raises(OptionsRefused):
        add_feed(source_name="plain_list", actor=ACTOR, reason="test", now=NOW, **given)
    assert not Feed.objects.exists()
    assert audited() == []


def test_names_are_unique_and_sources_are_known() -> None:
    def add(source: str) -> Feed:
        return add_feed(
            name="x", source_name=source, path="x.txt", actor=ACTOR, reason="test", now=NOW
        )

    add("plain_list")
    with pytest.raises(OptionsRefused, match="already"):
        add("plain_list")
    with pytest.raises(UnknownSource):
        add("no_such_source")


@pytest.mark.parametrize(
    "options", [{"flag": "no_such_flag"}, {"family": "a:b"}, {"family": "x" * 65}]
)
def test_options_name_known_flags_and_plain_families(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"flag|family"):
        Options(**options)


def test_a_due_feed_is_claimed_by_one_of_two_workers() -> None:
    seed_feeds(actor=ACTOR, now=NOW)
    due = list(Feed.objects.due(now=NOW))
    assert len(due) == 4
    again = Feed.objects.get(id=due[0].id)
    assert Feed.objects.claim(due[0], now=NOW, lease=tasks.LEASE)
    assert not Feed.objects.claim(again, now=NOW, lease=tasks.LEASE)
    assert len(Feed.objects.due(now=NOW)) == 3
    assert len(Feed.objects.due(now=NOW + tasks.LEASE)) == 4


def test_the_tick_sends_each_due_feed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seed_feeds(actor=ACTOR, now=NOW - timedelta(days=1))
    sent: list[UUID] = []
    monkeypatch.setattr(
        tasks.refresh, "apply_async", lambda kwargs, **_to: sent.append(UUID(kwargs["feed"]))
    )
    assert tasks.refresh_due() == 4
    assert tasks.refresh_due() == 0
    assert set(sent) == set(Feed.objects.values_list("id", flat=True))


def test_the_task_refreshes_by_id_and_tolerates_what_it_does_not_know(folder: Path) -> None:
    (folder / "local.txt").write_bytes(b"evil.example\n")
    seed_feeds(actor=ACTOR, now=NOW)
    feed = Feed.objects.get(name="local")
    assert tasks.refresh(feed=str(feed.id), later="field") == FeedState.GOOD
    assert tasks.refresh(feed=str(UUID(int=0))) == "gone"
