"""Real answers of every door are as the document says, member by member."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from analytics.ingest.events import KINDS
from analytics.openapi.configuring import GROUPS
from analytics.openapi.telemetry import EXAMPLES
from analytics.views import lookup
from audit.actors import Actor
from destinations.report import Destination, encode_request
from tests.analytics.engine import BAD, BAD_NAME, Engine, reporting, silent
from tests.analytics.views.asking import basic
from tests.config.described import Document, check_answer, document_of
from tests.wisdom.served import serving
from wisdom import publishing
from wisdom.actions import create_engine
from wisdom.index import build

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])

DOCUMENT: Document = document_of("config.urls.embedded")


def asked(
    method: str, path: str, *, template: str = "", key: str = "", query: str = "", **more: Any
) -> Any:
    """Ask, check the answer against the document, and return it."""
    if key:
        more["HTTP_AUTHORIZATION"] = basic(key)
    response = Client(raise_request_exception=False).generic(
        method, path, QUERY_STRING=query, **more
    )
    check_answer(DOCUMENT, method, template or path, response)
    return response


def read(path: str, *, key: str = "", query: str = "", status: int = 200) -> Any:
    response = asked("GET", path, key=key, query=query)
    assert response.status_code == status, response.content
    return json.loads(response.content) if response.content else None


@pytest.fixture
def key(tenant: tuple[UUID, str]) -> str:
    return tenant[1]


@pytest.fixture
def alerted(tenant: tuple[UUID, str]) -> str:
    """The key of a tenant that has an alert, and a day that is over."""
    engine = Engine(tenant=tenant[0], now=datetime.now(UTC))
    engine.wisdom = reporting("c2")
    engine.send([engine.event(n, destIP=BAD) for n in range(3)])
    engine.evaluate()
    engine.sequence()
    return tenant[1]


@pytest.fixture
def lists(settings: Any, tmp_path: Path) -> None:
    """A snapshot of one open list."""
    settings.SNAPSHOT_DIR = str(tmp_path)
    settings.OPEN_WISDOM = True
    publishing._reader.cache_clear()
    listed = serving(
        "one", "evil.example 192.0.2.1:443", family="Example", until=timedelta(days=9_000)
    )
    build(tmp_path, [listed], stamp=("one",), now=datetime.now(UTC))


@pytest.mark.parametrize("kind", list(KINDS))
def test_events(key: str, kind: str) -> None:
    path = f"/v1/events/{kind}"
    lines = b"".join(json.dumps(each).encode() for each in EXAMPLES[kind])
    for body, encoding in ((lines, "identity"), (gzip.compress(lines), "gzip")):
        response = asked("POST", path, key=key, data=body, HTTP_CONTENT_ENCODING=encoding)
        taken = json.loads(response.content)
        assert taken == {"received": len(EXAMPLES[kind]), "accepted": len(EXAMPLES[kind]),
                         "rejected": {}}  # fmt: skip
    response = asked("POST", path, key=key, data=b'{"srcIP":"192.0.2.1"}{}')
    assert json.loads(response.content)["accepted"] == 0
    for body, encoding, status in ((b"none", "", 400), (b"x", "gzip", 400), (b"x", "br", 415)):
        response = asked("POST", path, key=key, data=body, HTTP_CONTENT_ENCODING=encoding)
        assert response.status_code == status
    assert asked("POST", path, key="nobody", data=lines).status_code == 401


def test_alerts_and_findings(alerted: str) -> None:
    page = read("/v1/alerts", key=alerted, query="follow=&threats=all")
    assert len(page["alerts"]) == 1
    found = read("/v1/findings", key=alerted, query="schema=ocsf&follow=&maxAge=96h&time=s")
    assert len(found["records"]) == 1
    for path in ("/v1/alerts", "/v1/findings"):
        read(path, key=alerted, query="follow=nowhere", status=400)
        read(path, key="nobody", status=401)


def test_daily_destinations(alerted: str) -> None:
    page = read("/v1/dailyDestinations", key=alerted, query="follow=")
    assert [each["destination"] for each in page["destinations"]] == [BAD]
    read("/v1/dailyDestinations", key=alerted, query="follow=nowhere", status=400)


def test_the_account_and_the_vocabulary(alerted: str) -> None:
    assert read("/v1/account/status", key=alerted, query="p=splunk")["registered"]
    for path in ("/v1/account/status", "/v1/ae/inventory/flags", "/v1/ae/inventory/threats"):
        assert read(path, key=alerted)
        read(path, key="nobody", status=401)


def test_groups(key: str) -> None:
    path = "/v1/groups/raw"
    assert read(path, key=key) == {"version": "1", "groups": []}
    response = asked("POST", path, key=key, data=json.dumps(GROUPS).encode())
    assert json.loads(response.content) == {"groups": 1, "entries": 4}
    assert len(read(path, key=key)["groups"]) == 1
    assert asked("POST", path, key=key, data=b"[]").status_code == 400
    assert asked("POST", path, key="nobody", data=b"{}").status_code == 401


def test_looking_up(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = "/v1/wisdom"
    monkeypatch.setattr(lookup, "ask", reporting("c2"))
    assert read(path, key=key, query=f"q={BAD_NAME}")["flags"] == ["c2"]
    assert read(path, key=key, query="q=tcp:[fe80::1]:22")["note"]
    read(path, key=key, query="q=", status=400)
    read(path, key="nobody", query="q=example.com", status=401)
    monkeypatch.setattr(lookup, "ask", silent)
    read(path, key=key, query="q=example.com", status=503)


def test_reports() -> None:
    path = "/v1/wisdom/reports"
    made = create_engine(
        name="one", actor=Actor(kind="shell", id="test"), reason="test", now=datetime.now(UTC)
    )
    body = encode_request([Destination.of_name("evil.example")])
    assert asked("POST", path, key=made[1], data=body).status_code == 200
    assert asked("POST", path, key=made[1], data=b"{").status_code == 400
    assert asked("POST", path, key="nobody", data=body).status_code == 401


@pytest.mark.usefixtures("lists")
def test_open_wisdom(settings: Any) -> None:
    assert len(read("/v2/items", query="category=c2&type=dns&limit=1000")["items"]) == 1
    assert len(read("/v2/items", query="category=c2&type=ip&limit=1000")["items"]) == 1
    assert read("/v2/families", query="category=c2") == {"families": ["Example"]}
    read("/v2/items", query="category=c2&type=dns&min=9", status=404)
    settings.OPEN_WISDOM = False
    for path in ("/v2/items", "/v2/families"):
        read(path, query="category=nothing", status=404)


def test_keys_and_registration(settings: Any, key: str) -> None:
    settings.SIGNUP_OPEN = True
    response = asked("POST", "/v1/key/request", data=b'{"platform":{"name":"test"},"token":""}')
    assert json.loads(response.content)["key"].startswith("twy_")
    body = b'{"details":{"name":"A","email":"a@example.com"}}'
    assert asked("POST", "/v1/account/register", key=key, data=body).status_code == 200
    assert asked("POST", "/v1/account/register", key=key, data=b"{}").status_code == 400
    assert asked("POST", "/v1/account/register", data=body).status_code == 401
    assert asked("POST", "/v1/key/reset", data=b'{"email":"a@example.com"}').status_code == 200
    assert asked("POST", "/v1/key/reset", data=b"nothing").status_code == 400
    settings.SIGNUP_OPEN = False
    assert asked("POST", "/v1/key/request", data=b"{}").status_code == 403


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/v1/account/verify", "/v1/key/reset/open"])
def test_a_dead_link(method: str, path: str) -> None:
    assert asked(method, path, query="token=dead").status_code == 400


def test_health_and_the_document_itself() -> None:
    for path in ("/healthz", "/readyz", "/v1/schema"):
        assert read(path)
