"""Through a pool that many tenants share nothing goes from one to the next (ISO-4)."""

import json
import queue
import random
import re
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from audit.actors import Actor
from tenants import members, scope
from tenants.actions import create_tenant
from tests.analytics.views.asking import basic

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
SHELL = Actor(kind="shell", id="test")
TENANTS, REQUESTS, SERVERS, CLIENTS = 20, 1_000, 4, 8
REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("analytics", "audit", "bench", "config", "console", "feeds", "tenants", "wisdom")
LASTING = re.compile(
    r"\bset_config\s*\([^()]*(?:\([^()]*\)[^()]*)*,\s*false\s*\)"
    r"|\bSET\s+(?:SESSION\s+)?[\"']?app\.",
    re.IGNORECASE,
)
"""A setting that outlives its transaction, and so goes to whoever has the connection next."""
SETTINGS = ("app.tenant", "app.mail_tag", "app.audit", "app.grant", "app.staff", "app.grants")


class Pool:
    """Four connections that whoever asks gets in turn, and what was seen of others on them."""

    def __init__(self) -> None:
        self.free: queue.Queue[Any] = queue.Queue()
        self.all = [connections["default"].copy() for _ in range(SERVERS)]
        for each in self.all:
            each.inc_thread_sharing()
            self.free.put(each)
        self.seen: Counter[str] = Counter()

    def request(self, key: str, label: str) -> None:
        """Take a connection, look for what was left on it, and serve one request through it."""
        mine = self.free.get(timeout=60)
        connections["default"] = mine
        try:
            self._look(mine)
            answer = Client(raise_request_exception=False).get(
                "/v1/groups/raw", HTTP_AUTHORIZATION=basic(key)
            )
            members.tenants_of(members.mail_tag(f"{label}@example.org"))
            self.seen[f"answered {answer.status_code}"] += 1
            labels = [each["label"] for each in json.loads(answer.content).get("groups", ())]
            self.seen["foreign answers"] += labels != [label]
        finally:
            del connections["default"]
            self.free.put(mine)

    def _look(self, mine: Any) -> None:
        with mine.cursor() as cursor:
            for name in SETTINGS:
                cursor.execute("SELECT coalesce(current_setting(%s, true), '')", [name])
                self.seen["residue"] += cursor.fetchone()[0] != ""
            cursor.execute("SELECT count(*) FROM monitoring_groups")
            self.seen["foreign rows"] += cursor.fetchone()[0]
            cursor.execute("SELECT pg_backend_pid()")
            self.seen[f"server {cursor.fetchone()[0]}"] += 1


@pytest.fixture
def keys() -> dict[str, str]:
    """Twenty tenants, each with a group of its own: label and key."""
    made = {}
    for number in range(TENANTS):
        label = f"tenant-{number}"
        new = create_tenant(name=label, actor=SHELL, reason="test", now=datetime.now(UTC))
        group = {"label": label, "inclusions": [f"10.{number}.0.0/16"]}
        answer = Client().post(
            "/v1/groups/raw",
            json.dumps({"version": "1", "groups": [group]}),
            content_type="application/json",
            HTTP_AUTHORIZATION=basic(new.api_key),
        )
        assert answer.status_code == 200
        made[label] = new.api_key
    return made


@pytest.fixture
def pool() -> Iterator[Pool]:
    made = Pool()
    yield made
    for each in made.all:
        each.close()


def serve(pool: Pool, keys: dict[str, str]) -> Counter[str]:
    """Send every request, of the tenants in no order, from eight clients at once."""
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    order = list(keys) * (REQUESTS // TENANTS)
    random.Random(1).shuffle(order)
    for each in order:
        waiting.put(each)

    def client() -> None:
        try:
            while True:
                label = waiting.get_nowait()
                pool.request(keys[label], label)
        except queue.Empty:
            pass
        finally:
            connections.close_all()

    clients = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join(timeout=120)
    return pool.seen


def test_a_thousand_requests_of_twenty_tenants_share_four_connections(
    pool: Pool, keys: dict[str, str]
) -> None:
    seen = serve(pool, keys)
    assert seen["answered 200"] == REQUESTS
    assert len([name for name in seen if name.startswith("server ")]) == SERVERS
    assert (seen["foreign answers"], seen["foreign rows"], seen["residue"]) == (0, 0, 0)


def test_a_setting_that_outlives_its_transaction_fails_it(
    pool: Pool, keys: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lasting(using: str, value: str) -> None:
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT set_config('app.tenant', %s, false)", [value])

    monkeypatch.setattr(scope, "_set", lasting)
    seen = serve(pool, keys)
    assert seen["answered 200"] == REQUESTS
    assert seen["residue"] > REQUESTS * 0.9
    assert seen["foreign rows"] > REQUESTS * 0.9


def test_nothing_in_the_product_makes_a_setting_that_outlives_its_transaction() -> None:
    lasting = {
        str(file.relative_to(REPOSITORY)): found.group()
        for package in PACKAGES
        for file in (REPOSITORY / package).rglob("*.py")
        if (found := LASTING.search(file.read_text("utf-8")))
    }
    assert lasting == {}


@pytest.mark.parametrize(
    ("statement", "lasts"),
    [
        ("SELECT set_config('app.tenant', %s, false)", True),
        ("SELECT SET_CONFIG('app.tenant', coalesce(%s, ''), FALSE)", True),
        ("SET app.tenant = 'x'", True),
        ("set session app.audit to 'reader'", True),
        ("SELECT set_config('app.tenant', %s, true)", False),
        ("SET LOCAL app.tenant = 'x'", False),
    ],
)
def test_the_search_for_lasting_settings_finds_them(statement: str, *, lasts: bool) -> None:
    assert bool(LASTING.search(statement)) is lasts
