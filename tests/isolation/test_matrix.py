"""No route tells one tenant of another, whichever of the two layers alone stands (ISO-1, 3, 8)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import get_resolver, path

from analytics.views import lookup
from config.methods import reads
from tenants.models import TenantRows
from tests.config.described import doors
from tests.isolation.matrix import MATRIX, leaks, routed, uncovered
from tests.isolation.world import World, listed, make_world, rows_of

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
DEPLOYMENTS = ("config.urls.embedded", "config.urls.engine", "config.urls.cloud")
TELLING = {
    ("GET", "v1/alerts"),
    ("GET", "v1/findings"),
    ("GET", "v1/dailyDestinations"),
}
"""Routes that rest on the two layers: with neither they tell of everybody."""


@pytest.fixture
def world(
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> World:
    caplog.set_level("CRITICAL", logger="django.request")  # refusals are what is asked for
    settings.CHECKPOINT_FILE = str(tmp_path / "checkpoint")
    settings.SNAPSHOT_DIR = str(tmp_path / "snapshots")
    settings.SIGNUP_OPEN = True
    settings.OPEN_WISDOM = True
    monkeypatch.setattr(lookup, "ask", listed)
    for name in ("REQUESTS_OF_NETWORK", "REQUESTS_OF_ALL"):  # what is measured here is no flood
        monkeypatch.setattr(f"tenants.attempts.{name}", ())
    return make_world()


@contextmanager
def without_row_level_security(as_owner: Callable[..., Any]) -> Iterator[None]:
    """Switch every policy off, partitions' too, and on again."""
    switched: dict[str, list[str]] = {}
    try:
        for alias in ("default", "keys", "wisdom"):
            with as_owner(alias) as session:
                switched[alias] = [
                    name
                    for (name,) in session.execute(
                        "SELECT relname FROM pg_class WHERE relrowsecurity"
                        " AND relnamespace = 'public'::regnamespace"
                    )
                ]
                for name in switched[alias]:
                    session.execute(f"ALTER TABLE {name} DISABLE ROW LEVEL SECURITY")
        yield
    finally:
        for alias, names in switched.items():
            with as_owner(alias) as session:
                for name in names:
                    session.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")


def ask_everything(urlconf: str, world: World) -> dict[tuple[str, str], list[str]]:
    client = Client(raise_request_exception=False)
    with time_machine.travel(datetime.now(UTC), tick=False):  # an answer may hold the time
        found = {door: leaks(door, world, client) for door in sorted(doors(urlconf))}
    return {door: [each.what for each in what] for door, what in found.items() if what}


@pytest.mark.parametrize("urlconf", DEPLOYMENTS)
def test_every_route_has_an_entry_and_every_entry_a_route(urlconf: str) -> None:
    assert uncovered(doors(urlconf)) == set()
    assert MATRIX.keys() - doors("config.urls.embedded") == set()


def test_a_new_route_without_an_entry_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    @reads
    def new(_request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    patterns = get_resolver("config.urls.engine").url_patterns
    monkeypatch.setattr(
        get_resolver("config.urls.engine"), "url_patterns", [*patterns, path("v1/new", new)]
    )
    assert uncovered(doors("config.urls.engine")) == {("GET", "v1/new")}


def test_every_request_of_an_entry_reaches_its_route(world: World) -> None:
    for (_, route), entry in MATRIX.items():
        pairs = list(entry(world))
        assert pairs, route
        assert {routed("config.urls.embedded", ask) for pair in pairs for ask in pair} == {route}


@pytest.mark.parametrize("urlconf", DEPLOYMENTS[:2])
@pytest.mark.parametrize(
    "layer", ["both layers stand", "only the database filters", "only the ORM does"]
)
def test_no_route_tells_of_another_tenant(
    urlconf: str,
    layer: str,
    world: World,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    as_owner: Callable[..., Any],
) -> None:
    settings.ROOT_URLCONF = urlconf
    before = rows_of(world.theirs, as_owner)
    assert len(before) > 15
    assert sum(count for count, _ in before.values()) > 15
    if layer == "only the database filters":
        monkeypatch.setattr(TenantRows, "get_queryset", models.Manager.get_queryset)
    if layer == "only the ORM does":
        with without_row_level_security(as_owner):
            told = ask_everything(urlconf, world)
    else:
        told = ask_everything(urlconf, world)
    assert told == {}
    assert rows_of(world.theirs, as_owner) == before


def test_with_neither_layer_the_matrix_tells(
    world: World, monkeypatch: pytest.MonkeyPatch, as_owner: Callable[..., Any]
) -> None:
    monkeypatch.setattr(TenantRows, "get_queryset", models.Manager.get_queryset)
    with without_row_level_security(as_owner):
        told = ask_everything("config.urls.embedded", world)
    assert told.keys() >= TELLING


def test_the_second_tenant_is_told_of_what_the_first_must_not_be(world: World) -> None:
    for route in ("/v1/alerts", "/v1/findings", "/v1/dailyDestinations", "/v1/groups/raw"):
        answer = Client().get(route, HTTP_AUTHORIZATION=f"Bearer {world.their_key}")
        assert any(canary in answer.content.decode() for canary in world.canaries), route
