"""What the pages show, and what it costs to show it."""

import json
from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from uuid import UUID

import pytest
from django.test import Client, override_settings
from django.urls import include, path

from analytics.models import Alert
from audit.events import EventType
from audit.record import record
from console.engine import log, tenants as listing
from console.templatetags.console_text import age, clock as clock_text, day, grouped
from crypto.ids import uuid7
from feeds.models import Feed, FeedRelease
from tenants.models import KeyIndex, Tenant, Work
from tenants.scope import tenant_scope
from tests.console.people import SHELL, START, Person, deeds

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


@pytest.fixture
def owner(jo: Person) -> Client:
    return jo.sign_in().browser


def make_tenant(name: str, *, state: str = "active") -> Tenant:
    return Tenant.objects.create(id=uuid7(START), name=name, state=state, created_at=START)


def make_work(tenant: Tenant, state: str, *, minutes_ago: int = 0) -> None:
    at = START - timedelta(minutes=minutes_ago)
    Work.objects.create(
        id=uuid7(START), tenant_id=tenant.id, queue="ingest", state=state, due_at=at, created_at=at
    )


def make_alert(tenant: Tenant, state: str) -> None:
    with tenant_scope(tenant.id):
        Alert.objects.create(
            id=uuid7(START),
            detection="beacon",
            severity=3,
            state=state,
            day=START.date(),
            shard=0,
            source_index=bytes(16),
            destination_index=bytes(16),
            content_digest=bytes(32),
            opened_at=START,
            sealed=b"nothing that a console opens",
        )


def make_key(tenant: Tenant, key_id: str, **times: object) -> None:
    KeyIndex.objects.create(
        id=key_id, tenant=tenant, pepper=1, mac=bytes(32), scopes=[], created_at=START, **times
    )


def test_the_overview_counts_tenants_and_work(owner: Client) -> None:
    acme = make_tenant("Acme")
    make_tenant("Gone", state="suspended")
    make_work(acme, "pending", minutes_ago=7)
    make_work(acme, "dead")
    totals = owner.get("/console/").context["totals"]
    assert (totals.active, totals.suspended) == (1, 1)
    assert (totals.pending, totals.leased, totals.dead) == (1, 0, 1)
    assert totals.oldest == START - timedelta(minutes=7)
    assert [concern.title for concern in totals.concerns][:2] == [
        "1 unit of work gave up",
        "Work is late: ingest",
    ]


def test_the_list_of_tenants_shows_counts_of_each_and_of_nobody_else(owner: Client) -> None:
    acme, burrow = make_tenant("Acme"), make_tenant("Burrow")
    for state in ("open", "open", "withdrawn"):
        make_alert(acme, state)
    make_work(burrow, "dead")
    make_key(acme, "live00000000")
    make_key(acme, "late00000000", expires_at=START + timedelta(days=1))
    make_key(acme, "over00000000", expires_at=START)
    make_key(acme, "gone00000000", revoked_at=START)
    page = owner.get("/console/tenants/")
    first, second = page.context["rows"]
    assert (first.name, first.keys, first.open_alerts, first.alerts) == ("Acme", 2, 2, 3)
    assert (first.keys_ending, first.worst, first.dead) == (1, 3, 0)
    assert (second.name, second.keys, second.alerts, second.dead) == ("Burrow", 0, 0, 1)
    assert b"nothing that a console opens" not in page.content


def test_tenants_are_paged_by_name(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "TENANTS_PER_PAGE", 2)
    for name in ("a & b", "b", "c"):
        make_tenant(name)
    page = owner.get("/console/tenants/")
    assert [row.name for row in page.context["rows"]] == ["a & b", "b"]
    assert b"?after=b" in page.content
    last = owner.get("/console/tenants/", {"after": "b"})
    assert [row.name for row in last.context["rows"]] == ["c"]
    assert last.context["following"] is None
    assert owner.get("/console/tenants/", {"after": "\x00"}).status_code == 404


def test_a_tenants_name_is_text_and_no_markup(owner: Client) -> None:
    make_tenant("<script>alert(1)</script>")
    assert b"<script>alert" not in owner.get("/console/tenants/").content


def test_feeds_show_the_age_of_what_serves_and_the_last_error(owner: Client) -> None:
    feed = Feed.objects.create(
        id=uuid7(START),
        name="example-list",
        source="plain_list",
        url="https://feeds.example.org/list",
        enabled=True,
        every=timedelta(hours=1),
        next_at=START,
        state="failed",
        last_error="html_page",
        failures=3,
        checked_at=START,
        created_at=START,
    )
    for hours, rows, state in ((5, 1200, "good"), (30, 7, "good"), (1, 99, "held")):
        FeedRelease.objects.create(
            id=uuid7(START),
            feed=feed,
            fetched_at=START - timedelta(hours=hours),
            sha256=bytes(32),
            rows=rows,
            counts={},
            rejected={},
            state=state,
        )
    page = owner.get("/console/feeds/")
    ((row, is_stale),) = page.context["feeds"]
    assert is_stale is False
    assert (row.entries, row.as_of) == (1200, START - timedelta(hours=5))
    assert (row.state, row.last_error, row.failures) == ("failed", "html_page", 3)
    assert "1\N{NARROW NO-BREAK SPACE}200" in page.content.decode()


def note(number: int, tenant: UUID | None = None) -> None:
    record(
        event=EventType.TENANT_SUSPENDED if number % 2 else EventType.TENANT_CREATED,
        actor=SHELL,
        now=START,
        tenant=tenant,
        resource=f"number:{number}",
        reason="a test & more",
    )


def test_the_log_is_listed_newest_first_a_page_at_a_time(
    owner: Client, sequenced: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "ENTRIES_PER_PAGE", 4)
    for number in range(6):
        note(number)
    sequenced()
    page = owner.get("/console/audit/").context["entries"]
    indices = [row.idx for row in page.rows]
    assert indices == sorted(indices, reverse=True)
    assert page.older == indices[-1]
    older = owner.get("/console/audit/", {"before": page.older}).context["entries"]
    assert [row.idx for row in older.rows] == list(range(indices[-1] - 1, -1, -1))
    assert older.older is None


def test_the_log_can_be_asked_for_one_event(owner: Client, sequenced: Callable[[], None]) -> None:
    for number in range(4):
        note(number)
    sequenced()
    page = owner.get("/console/audit/", {"event": "tenant.suspended"})
    assert {row.resource for row in page.context["entries"].rows} == {"number:1", "number:3"}
    assert {row.label for row in page.context["entries"].rows} == {"Tenant suspended"}
    assert b'<option value="tenant.suspended" selected>Tenant suspended</option>' in page.content
    assert b"a test &amp; more" in page.content


def test_the_log_names_people_and_tenants_as_they_are_called_now(
    jo: Person, sequenced: Callable[[], None]
) -> None:
    acme = make_tenant("Acme")
    jo.sign_in()
    note(1, acme.id)
    sequenced()
    rows = jo.browser.get("/console/audit/").context["entries"].rows
    assert {row.tenant for row in rows} == {"", "Acme"}
    assert {row.actor for row in rows} == {"staff jo", "shell tests"}
    assert "staff:jo" in {row.resource for row in rows}


@pytest.mark.parametrize(
    "query",
    [
        {"tenant": "x"},
        {"since": "yesterday"},
        {"until": "9999-12-31"},
        {"event": "no.such"},
        {"before": "x"},
        {"before": "-1"},
        {"before": "9" * 30},
    ],
)
def test_a_question_that_makes_no_sense_is_not_found(owner: Client, query: dict[str, str]) -> None:
    assert owner.get("/console/audit/", query).status_code == 404


def test_numbers_and_times_are_written_for_people() -> None:
    assert grouped(1234567) == "1\N{NARROW NO-BREAK SPACE}234\N{NARROW NO-BREAK SPACE}567"
    passed = {
        timedelta(seconds=-4): "0 s",
        timedelta(seconds=59): "59 s",
        timedelta(minutes=61): "1 h",
        timedelta(hours=50): "2 d",
    }
    for ago, text in passed.items():
        assert age(START - ago, START) == text.replace(" ", "\N{NO-BREAK SPACE}")
    assert age(None, START) == "\N{EN DASH}"
    assert clock_text(None) == "\N{EN DASH}"
    assert day(START) == '<time datetime="2026-03-02">2026-03-02</time>'
    assert ">2026-03-02 09:00:05</time>" in clock_text(START)


def test_the_engines_console_has_no_feeds_and_shows_no_link_to_them(owner: Client) -> None:
    engine = ModuleType("urlconf_of_an_engine")
    vars(engine)["urlpatterns"] = [path("console/", include("console.urls_engine"))]
    assert b"/console/feeds/" in owner.get("/console/").content
    with override_settings(ROOT_URLCONF=engine):
        assert b"/console/feeds/" not in owner.get("/console/").content
        assert owner.get("/console/feeds/").status_code == 404


def lines(owner: Client, query: dict[str, str]) -> list[dict[str, object]]:
    answer = owner.get("/console/audit/export/", query)
    assert answer["Content-Type"] == "application/x-ndjson"
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined] # it streams
    return [json.loads(line) for line in content.splitlines()]


def test_the_log_is_searched_by_actor_tenant_and_time_and_taken_away_as_it_is_searched(
    jo: Person, sequenced: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "EXPORTED_AT_ONCE", 2)
    acme = make_tenant("Acme")
    owner = jo.sign_in().browser
    for number in range(5):
        note(number, acme.id)
    sequenced()
    for query, count in (
        ({"tenant": str(acme.id)}, 5),
        ({"actor": "jo"}, 1),
        ({"actor": str(jo.staff.id)}, 1),
        ({"actor": "tests", "event": "tenant.suspended"}, 2),
        ({"actor": "nobody"}, 0),
        ({"since": "2026-03-02", "until": "2026-03-02"}, 7),
        ({"since": "2026-03-03"}, 0),
        ({"until": "2026-03-01"}, 0),
    ):
        page = owner.get("/console/audit/", query)
        assert len(page.context["entries"].rows) == count, query
        assert len(lines(owner, query)) == count, query
    assert len(deeds("audit.exported")) == 8
    (line,) = lines(owner, {"actor": "jo"})
    assert set(line) == {"idx", "leaf"}


def test_a_search_looks_through_so_many_entries_and_leads_on_to_the_rest(
    owner: Client, sequenced: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "SCANNED", 3)
    note(1)
    for _number in range(6):
        note(0)
    sequenced()
    query, found, pages = {"event": "tenant.suspended"}, 0, 0
    while True:
        entries = owner.get("/console/audit/", query).context["entries"]
        found, pages = found + len(entries.rows), pages + 1
        if entries.older is None:
            break
        query["before"] = str(entries.older)
    assert found == 1
    assert pages == 3


def test_jobs_show_queues_and_what_gave_up_and_the_system_its_state(owner: Client) -> None:
    acme = make_tenant("Acme")
    make_work(acme, "pending")
    make_work(acme, "dead")
    jobs = owner.get("/console/jobs/").context
    assert [(row.queue, row.pending, row.dead) for row in jobs["queues"]] == [("ingest", 1, 1)]
    assert {(row.tenant, row.state) for row in jobs["rows"]} == {
        ("Acme", "dead"),
        ("Acme", "pending"),
    }
    system = owner.get("/console/system/")
    assert [name for name, _ in system.context["versions"]][:2] == ["Python", "Django"]
    for row in system.context["databases"]:
        role = "tawny_staff" if row.alias == "staff" else "tawny_app"
        assert (row.role, row.is_safe, row.missing) == (role, True, [])
    assert b"No checkpoint was signed yet" in system.content
