"""Every outcome of every route leaves exactly one event, and every event has a place (AUD-1)."""

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, path

from audit.events import EventType
from config.methods import reads
from console.models import Role
from console.pages import Rules, rules_of
from console.permissions import permits
from tests.audit.coverage import (
    API,
    DENIED,
    ERROR,
    SUCCESS,
    Asked,
    Door,
    Row,
    World,
    sent,
)
from tests.audit.coverage_console import CONSOLE as PAGES, PAINT
from tests.audit.coverage_deeds import DEEDS
from tests.audit.coverage_passkeys import CHALLENGE, NAME, PASSKEYS
from tests.config.described import _methods, doors
from tests.console import conftest as console
from tests.console.people import Clock, Person

pytestmark = pytest.mark.django_db(
    transaction=True, databases=["default", "keys", "wisdom", "staff"]
)
DEPLOYMENTS = ("config.urls.embedded", "config.urls.engine", "config.urls.cloud")
REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("config", "console", "analytics", "wisdom", "feeds", "tenants", "egress", "audit")
LEAST = 60
CONSOLE: dict[Door, Row] = {**PAGES, **DEEDS, **PASSKEYS}
UNRECORDED = {PAINT, CHALLENGE, NAME}
"""Why a form that was carried out may leave nothing: it changed nothing that outlives a session."""
AsOwner = Callable[..., Any]
clock, person, sequenced = console.clock, console.person, console.sequenced


@pytest.fixture
def world(
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    clock: Clock,
    person: Callable[..., Person],
    sequenced: Callable[[], None],
) -> World:
    caplog.set_level("CRITICAL", logger="django.request")
    settings.SNAPSHOT_DIR = str(tmp_path / "snapshots")
    settings.SIGNUP_OPEN = True
    settings.OPEN_WISDOM = True
    for name in ("REQUESTS_OF_NETWORK", "REQUESTS_OF_ALL"):  # what is measured here is no flood
        monkeypatch.setattr(f"tenants.attempts.{name}", ())
    return World(clock, person, sequenced)


@pytest.fixture
def left(as_owner: AsOwner) -> Callable[[], Counter[str]]:
    """Count what the log was told so far, rows and minutes' counts, in both databases."""

    def left() -> Counter[str]:
        found: Counter[str] = Counter()
        for alias in ("default", "wisdom"):
            with as_owner(alias) as session:
                for event, count in session.execute(
                    "SELECT event, count(*) FROM audit_stage GROUP BY event UNION ALL"
                    " SELECT event, sum(calls) FROM audit_tally GROUP BY event"
                ).fetchall():
                    found[event] += int(count)
        return found

    return left


def console_doors(urlconf: str) -> dict[Door, Any]:
    """Find every page and form of a deployment's console by method and name."""

    def routes(resolver: URLResolver) -> Iterator[URLPattern]:
        for each in resolver.url_patterns:
            if isinstance(each, URLResolver):
                yield from routes(each)
            else:
                yield each

    found = {}
    for top in get_resolver(urlconf).url_patterns:
        if isinstance(top, URLResolver) and str(top.pattern) == "console/":
            for each in routes(top):
                for method in _methods(str(each.pattern), each.callback):
                    found[method, str(each.name)] = each.callback
    return found


@pytest.mark.parametrize("urlconf", DEPLOYMENTS)
def test_every_route_has_a_row_and_every_row_a_route(urlconf: str) -> None:
    assert doors(urlconf) - API.keys() == set()
    assert console_doors(urlconf).keys() - CONSOLE.keys() == set()
    everything = "config.urls.embedded"
    assert API.keys() - doors(everything) == set()
    assert CONSOLE.keys() - console_doors(everything).keys() == set()


def test_a_new_route_without_a_row_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    @reads
    def new(_request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    resolver = get_resolver("config.urls.engine")
    monkeypatch.setattr(resolver, "url_patterns", [*resolver.url_patterns, path("v1/new", new)])
    assert doors("config.urls.engine") - API.keys() == {("GET", "v1/new")}


def test_a_row_without_an_event_says_why() -> None:
    for door, row in {**API, **CONSOLE}.items():
        assert row.success or row.why, door
        assert row.denied or row.why, door
        for event in (row.success, row.denied, row.error, row.conflict_leaves, *row.also):
            assert event is None or event in list(EventType), door
        if door[0] != "GET" and row.success is None:
            assert row.why.partition(";")[0] in UNRECORDED, "what changes anything is recorded"


def test_what_is_driven_elsewhere_is_a_test_that_exists() -> None:
    for row in (*API.values(), *CONSOLE.values()):
        file, _, name = row.elsewhere.partition("::")
        if row.elsewhere:
            tree = ast.parse((REPOSITORY / file).read_text("utf-8"))
            assert name in {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}


def expected(event: str | None, also: tuple[str, ...] = ()) -> Counter[str]:
    return Counter(also) + (Counter() if event is None else Counter({event: 1}))


@pytest.mark.parametrize("door", sorted(API), ids=" ".join)
def test_each_outcome_of_the_api_leaves_its_event(
    door: Door, world: World, left: Callable[[], Counter[str]]
) -> None:
    row, client = API[door], Client(raise_request_exception=False)
    for name, event, ask in outcomes(row):
        asked = ask(world)
        before = left()
        answer = sent(client, door, asked)
        also = row.also if name == SUCCESS else ()
        assert left() - before == expected(event, also), (name, answer.status_code, answer.content)
        if name == DENIED and event is not None:
            assert answer.status_code in {401, 403}
        if name == ERROR:
            assert answer.status_code >= 400


def outcomes(row: Row) -> Iterator[tuple[str, str | None, Callable[[World], Asked]]]:
    if not row.elsewhere:
        yield SUCCESS, row.success, row.ask
    if row.denied is not None:
        yield DENIED, row.denied, lambda world: Asked(path=row.ask(world).path, body={})
    if row.wrong is not None:
        yield ERROR, row.error, row.wrong


def browsed(browser: Client, method: str, asked: Asked) -> Any:
    if method == "GET":
        return browser.get(asked.path)
    if isinstance(asked.body, bytes):
        return browser.post(asked.path, asked.body, content_type="application/json")
    return browser.post(asked.path, asked.body or {})


@pytest.mark.parametrize("door", sorted(CONSOLE), ids=" ".join)
def test_each_outcome_of_the_console_leaves_its_event(
    door: Door, world: World, left: Callable[[], Counter[str]]
) -> None:
    row, stranger = CONSOLE[door], world.stranger

    def leaves(events: Counter[str], browser: Client, ask: Callable[[World], Asked]) -> int:
        asked = ask(world)
        before = left()
        answer = browsed(browser, door[0], asked)
        if hasattr(answer, "streaming_content"):
            list(answer.streaming_content)
        assert left() - before == events, answer.status_code
        return int(answer.status_code)

    if row.denied is not None:
        leaves(expected(row.denied), stranger, row.instead.get(DENIED, row.ask))
    world.clock.advance(seconds=30)
    browser = stranger if rules_at(door).public else world.owner.sign_in().browser
    if row.wrong is not None:
        assert leaves(expected(row.error), browser, row.wrong) >= 400
    if row.conflict is not None:
        assert leaves(expected(row.conflict_leaves), browser, row.conflict) == 409
    assert leaves(expected(row.success, row.also), browser, row.ask) < 400


def rules_at(door: Door) -> Rules:
    rules = rules_of(console_doors("config.urls.embedded")[door])
    assert rules is not None
    return rules


def some_role_without(door: Door) -> Role | None:
    permission = rules_at(door).permission
    roles = (each for each in Role if permission and not permits(each, permission))
    return next(roles, None)


@pytest.mark.parametrize(
    "door", [each for each in sorted(CONSOLE) if some_role_without(each)], ids=" ".join
)
def test_a_role_that_may_not_leaves_a_denial(
    door: Door, world: World, left: Callable[[], Counter[str]], person: Callable[..., Person]
) -> None:
    role = some_role_without(door)
    browser = person("refused", role).sign_in().browser
    asked = CONSOLE[door].ask(world)
    before = left()
    answer = browsed(browser, door[0], asked)
    assert left() - before == Counter({"auth.denied": 1})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "door", [each for each in sorted(CONSOLE) if rules_at(each).fresh], ids=" ".join
)
def test_a_proof_that_is_owed_shows_and_changes_nothing_and_leaves_nothing_of_a_page(
    door: Door, world: World, left: Callable[[], Counter[str]]
) -> None:
    """What the person proves then is ``staff.stepped_up``; a script's refusal is counted."""
    browser = world.owner.sign_in().browser
    asked = CONSOLE[door].ask(world)
    world.clock.advance(minutes=6)
    before = left()
    answer = browsed(browser, door[0], asked)
    if rules_at(door).scripted:
        assert answer.status_code == 403
        assert left() - before == Counter({"requests.denied": 1})
    else:
        assert answer["Location"].startswith("/console/verify/")
        assert left() - before == Counter()


def recorded() -> set[str]:
    """Walk our own source for each member of the catalogue that something outside it names."""
    found = set()
    for package in PACKAGES:
        for file in (REPOSITORY / package).rglob("*.py"):
            if file == REPOSITORY / "audit" / "events.py" or "controls" in file.name:
                continue
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if (
                    isinstance(node, ast.Attribute)
                    and isinstance(node.value, ast.Name)
                    and node.value.id == "EventType"
                ):
                    found.add(node.attr)
    return found


def test_there_are_sixty_events_and_something_records_each() -> None:
    assert len(EventType) >= LEAST
    assert {each.name for each in EventType} - recorded() == set()


def test_what_nobody_recorded_is_counted_by_route_and_not_by_who_sent_it(
    world: World, as_owner: AsOwner
) -> None:
    assert world.key
    client = Client(raise_request_exception=False)
    for n in range(5):
        client.get(f"/console/tenants/?n={n}")
        client.get(f"/v1/nowhere/{n}")
    with as_owner() as session:
        rows = session.execute(
            "SELECT actor_kind, actor_id, event, calls FROM audit_tally"
        ).fetchall()
    assert rows == [("anonymous", "GET console/tenants/", "requests.denied", 5)]


def test_a_stranger_makes_no_more_rows_than_there_are_routes_and_methods(
    world: World, as_owner: AsOwner
) -> None:
    assert world.key
    client = Client(raise_request_exception=False)
    for n in range(20):
        client.generic(f"INVENTED{n}", f"/console/tenants/{uuid4()}/?n={n}")
        client.generic("GET", f"/console/tenants/{uuid4()}/")
    with as_owner() as session:
        rows = session.execute(
            "SELECT split_part(actor_id, ' ', 1), count(DISTINCT actor_id), sum(calls)::int"
            " FROM audit_tally GROUP BY 1 ORDER BY 1"
        ).fetchall()
    assert rows == [("GET", 1, 20), ("other", 1, 20)]


def test_a_failure_of_ours_is_an_entry(
    world: World, left: Callable[[], Counter[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_args: Any, **_named: Any) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr("audit.feed.page", fails)
    before = left()
    asked = Asked(path="/v1/audit", key=world.key)
    answer = sent(Client(raise_request_exception=False), ("GET", "v1/audit"), asked)
    assert answer.status_code == 500
    assert left() - before == Counter({"requests.failed": 1})
