"""Deeds on feeds and on work that gave up: step-up, reason, one audit row, and only what fits."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client

from audit.models import Staged
from audit.scope import all_tenants_audit
from crypto.ids import uuid7
from feeds.models import Feed, FeedRelease
from tenants import actions
from tenants.errors import UnfitTerms
from tenants.models import Tenant, Work
from tests.console.people import SHELL, START, Clock, Person, deeds

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


@pytest.fixture
def feed(clock: Clock) -> Feed:
    return Feed.objects.create(
        id=uuid7(clock.now), name="a-list", source="plain_list", state="held",
        url="https://feeds.example.org/list", enabled=True, every=timedelta(hours=1),
        next_at=clock.now + timedelta(hours=1), created_at=clock.now,
    )  # fmt: skip


@pytest.fixture
def dead(clock: Clock) -> Work:
    tenant = Tenant.objects.create(id=uuid7(clock.now), name="Acme", created_at=clock.now)
    return Work.objects.create(
        id=uuid7(clock.now), tenant_id=tenant.id, queue="ingest", state="dead", attempt=5,
        error="KeyUnavailable", due_at=clock.now, created_at=clock.now - timedelta(hours=1),
    )  # fmt: skip


def configured() -> list[dict[str, object]]:
    with all_tenants_audit("reader", using="wisdom"):
        return [row.detail for row in Staged.objects.using("wisdom").order_by("xid", "id")]


def post(browser: Client, where: str, **form: str) -> int:
    return int(browser.post(where, {"reason": "a test", **form}).status_code)


@pytest.mark.usefixtures("feed")
def test_a_feed_is_switched_off_by_its_name_and_on_again(jo: Person) -> None:
    browser = jo.sign_in().browser
    where = "/console/feeds/a-list/switch/"
    assert post(browser, where) == 400
    assert Feed.objects.get().enabled
    assert post(browser, where, phrase="a-list") == 302
    assert not Feed.objects.get().enabled
    assert post(browser, "/console/feeds/a-list/refresh/") == 409
    assert post(browser, where) == 302
    assert Feed.objects.get().enabled
    assert configured() == [{"enabled": 0}, {"enabled": 1}]


@pytest.mark.usefixtures("feed")
def test_a_feed_that_is_asked_for_is_due_at_once(jo: Person, clock: Clock) -> None:
    browser = jo.sign_in().browser
    assert not Feed.objects.due(now=clock.now).exists()
    assert post(browser, "/console/feeds/a-list/refresh/") == 302
    assert [each.name for each in Feed.objects.due(now=clock.now)] == ["a-list"]
    assert configured() == [{"asked": "refresh"}]


def test_a_held_list_serves_once_somebody_says_so(jo: Person, feed: Feed, clock: Clock) -> None:
    browser = jo.sign_in().browser
    where = "/console/feeds/a-list/accept/"
    assert post(browser, where, phrase="a-list") == 409
    FeedRelease.objects.create(
        id=uuid7(clock.now), feed=feed, fetched_at=clock.now, sha256=bytes(32), rows=9, counts={},
        rejected={}, state="held",
    )  # fmt: skip
    assert post(browser, where, phrase="a-list") == 302
    assert FeedRelease.objects.get().state == "good"


@pytest.mark.usefixtures("feed")
def test_a_deed_on_a_feed_asks_for_a_fresh_second_factor(jo: Person, clock: Clock) -> None:
    browser = jo.sign_in().browser
    clock.advance(minutes=6)
    for deed in ("switch", "refresh", "accept"):
        answer = browser.post(f"/console/feeds/a-list/{deed}/", {"reason": "a test"})
        assert answer["Location"].startswith("/console/verify/")
    assert configured() == []


def test_dead_work_waits_again_and_the_log_says_who_and_why(jo: Person, dead: Work) -> None:
    browser = jo.sign_in().browser
    assert post(browser, f"/console/jobs/{dead.id}/retry/", reason="") == 400
    assert post(browser, f"/console/jobs/{dead.id}/retry/") == 302
    row = Work.objects.get()
    assert (row.state, row.attempt, row.due_at) == ("pending", 0, jo.clock.now)
    (entry,) = deeds("work.retried")
    assert (entry.tenant, entry.actor_id, entry.reason) == (
        dead.tenant_id,
        str(jo.staff.id),
        "a test",
    )
    assert entry.detail == {"queue": "ingest", "error": "KeyUnavailable"}
    assert post(browser, f"/console/jobs/{dead.id}/retry/") == 404


@pytest.mark.parametrize("state", ["pending", "leased", "done"])
def test_only_dead_work_is_retried(dead: Work, state: str) -> None:
    Work.objects.update(state=state)
    with pytest.raises(UnfitTerms):
        actions.retry_work(work=dead.id, actor=SHELL, reason="a test", now=START)
    with pytest.raises(UnfitTerms):
        actions.retry_work(work=UUID(int=0), actor=SHELL, reason="a test", now=START)
    assert Work.objects.get().state == state
    assert deeds("work.retried") == []
