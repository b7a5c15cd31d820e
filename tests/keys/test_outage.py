"""A key service that is away: 503 with Retry-After at every door, work that waits, no plaintext."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from analytics import tasks
from console import urls_cloud
from console.models import Role
from crypto.ids import uuid7
from tenants import keys, letters
from tenants.actions import create_tenant
from tenants.errors import KeyUnavailable
from tenants.keys import custody, secrets
from tenants.models import Letter, Tenant, TenantKey, Work, WorkState
from tenants.models.work import MAX_ATTEMPTS
from tenants.tasks import deliver
from tests.analytics.engine import Engine, unknown
from tests.analytics.views.asking import basic
from tests.config.described import doors
from tests.console.people import SHELL, Clock, Person
from tests.isolation.matrix import MATRIX, NOT_SERVING
from tests.isolation.world import World, make_world
from tests.keys.services import Vault

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])

KEYLESS = {
    ("GET", "healthz"), ("GET", "readyz"), ("GET", "v1/schema"),
    ("GET", "v1/transparency/checkpoint"), ("POST", "v1/wisdom/reports"), *NOT_SERVING,
}  # fmt: skip
"""Doors that ask for no API key and open nothing; the last refuses a tenant's key unseen."""


@pytest.fixture
def world(vault: Vault, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    assert not vault.away
    settings.CHECKPOINT_FILE = str(tmp_path / "checkpoint")
    settings.SNAPSHOT_DIR = str(tmp_path / "snapshots")
    settings.SIGNUP_OPEN = True
    settings.OPEN_WISDOM = True
    for name in ("REQUESTS_OF_NETWORK", "REQUESTS_OF_ALL"):
        monkeypatch.setattr(f"tenants.attempts.{name}", ())
    return make_world()


def holding_nothing() -> None:
    keys.forget()


def holding_what_is_the_deployments() -> None:
    """A process that authenticates from what it holds, and holds no tenant's key."""
    custody._held.clear()


def answers(world: World, door: tuple[str, str], accept: str) -> list[Any]:
    client = Client(raise_request_exception=False)
    found = []
    for ask, _ in list(MATRIX[door](world))[:3]:
        headers: dict[str, Any] = {
            "HTTP_AUTHORIZATION": basic(world.key), "HTTP_ACCEPT": accept, **ask.headers,
        }  # fmt: skip
        found.append(
            client.generic(
                door[0], ask.path, ask.body, content_type="application/json",
                query_params=ask.query, **headers,
            )
        )  # fmt: skip
    return found


def hold_right(answer: Any, door: tuple[str, str]) -> None:
    assert answer.status_code < 500 or answer.status_code == 503, door
    if answer.status_code == 503 and door not in KEYLESS:
        assert answer["Retry-After"] == "30", door
        told = answer.content.decode()
        assert "Vault" not in told and "127.0.0.1" not in told, door  # noqa: PT018 -- one fact


def test_every_route_of_the_api_says_503_and_when_to_come_again(world: World, vault: Vault) -> None:
    vault.away = True
    unavailable = set()
    for door in sorted(doors("config.urls.embedded")):
        for accept in ("application/json", "text/html"):
            holding_nothing()
            for answer in answers(world, door, accept):
                hold_right(answer, door)
                if answer.status_code == 503:
                    unavailable.add(door)
    assert unavailable | {("GET", "v1/schema")} >= set(MATRIX) - KEYLESS


def test_every_route_does_where_only_the_tenants_keys_are_away(world: World, vault: Vault) -> None:
    assert answers(world, ("GET", "v1/account/status"), "*/*")[0].status_code == 200
    vault.away = True
    unavailable = set()
    for door in sorted(doors("config.urls.embedded")):
        holding_what_is_the_deployments()
        for answer in answers(world, door, "application/json"):
            hold_right(answer, door)
            if answer.status_code == 503:
                unavailable.add(door)
    assert unavailable >= {
        ("GET", "v1/alerts"), ("GET", "v1/findings"), ("GET", "v1/dailyDestinations"),
        ("POST", "v1/events/<str:kind>"), ("POST", "v1/groups/raw"), ("GET", "v1/groups/raw"),
        ("POST", "v1/key/request"),
    }  # fmt: skip


def test_a_mailed_links_page_is_a_page_and_a_program_reads_the_problem(
    world: World, vault: Vault
) -> None:
    vault.away = True
    holding_nothing()
    page, problem = (
        answers(world, ("GET", "v1/key/reset/open"), accept)[index]
        for accept, index in (("text/html", 0), ("application/json", 1))
    )
    assert (page.status_code, page["Content-Type"]) == (503, "text/html; charset=utf-8")
    assert "A key is not available" in page.content.decode()
    assert json.loads(problem.content)["code"] == "key_unavailable"


def paths(tenant: UUID, key: str, person: UUID) -> list[str]:
    filled = {"tenant": tenant, "key": key, "person": person, "session": UUID(int=1), "token": "x"}
    return [
        reverse(
            f"console:{each.name}",
            kwargs={name: filled[name] for name in each.pattern.converters if name in filled},
        )
        for each in urls_cloud.urlpatterns
        if set(each.pattern.converters) <= filled.keys()
    ]


def test_every_page_of_the_console_is_a_page_with_503_or_needs_no_key(
    vault: Vault, person: Callable[..., Person], clock: Clock
) -> None:
    jo = person("jo", Role.OWNER).sign_in()
    tenant = Tenant.objects.create(id=uuid7(clock.now), name="Acme", created_at=clock.now)
    jo.browser.raise_request_exception = False
    form = {
        "username": "jo", "password": jo.new.password, "code": "123456", "label": "x",
        "scopes": ["ingest:write"], "reason": "test", "role": "analyst", "plan": "full",
        "current": jo.new.password, "new": "a much longer passphrase", "days": "30",
    }  # fmt: skip
    vault.away = True
    unavailable = set()
    for path in paths(tenant.id, "live00000000", jo.staff.id):
        if "logout" in path or "disable" in path:
            continue
        for method in ("get", "post"):
            holding_nothing()
            answer = getattr(jo.browser, method)(path, form if method == "post" else {})
            assert answer.status_code < 500 or answer.status_code == 503, path
            if answer.status_code == 503:
                unavailable.add(f"{method} {path}")
                assert answer["Retry-After"] == "30"
                assert answer["Content-Type"].startswith("text/html")
    assert "post /console/login/" in unavailable
    assert f"post /console/tenants/{tenant.id}/keys/new/" in unavailable
    holding_nothing()
    stranger = Client(raise_request_exception=False).post("/console/login/", form)
    assert stranger.status_code == 503


def test_a_keys_database_that_is_away_is_a_key_that_is_not_available(
    tenant: tuple[UUID, str], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import connections  # noqa: PLC0415 -- beside what it breaks

    sealed = keys.seal(tenant[0], keys.SERIES, b"x", now=now)
    assert keys.unseal(tenant[0], keys.SERIES, sealed) == b"x"
    session = connections["keys"]
    session.close()
    with monkeypatch.context() as patch:
        patch.setitem(session.settings_dict, "PORT", "1")
        assert keys.unseal(tenant[0], keys.SERIES, sealed) == b"x"
        keys.forget()
        for asks in (
            lambda: keys.unseal(tenant[0], keys.SERIES, sealed),
            lambda: keys.system_seal("totp", b"x"),
            keys.primary_pepper,
            lambda: secrets.get("feeds/one"),
            secrets.names,
            lambda: create_tenant(name="x", actor=SHELL, reason="", now=now),
        ):
            with pytest.raises(KeyUnavailable):
                asks()
        bearer = {"authorization": basic(tenant[1])}
        client = Client(raise_request_exception=False)
        answer = client.get("/v1/account/status", headers=bearer)
        assert (answer.status_code, answer["Retry-After"]) == (503, "30")
        session.close()
    assert keys.unseal(tenant[0], keys.SERIES, sealed) == b"x"


@pytest.fixture
def engine(vault: Vault, tenant: tuple[UUID, str], monkeypatch: pytest.MonkeyPatch) -> Engine:
    assert not vault.away
    monkeypatch.setattr(tasks, "ask", unknown)
    return Engine(tenant=tenant[0], now=datetime.now(UTC))


def test_work_waits_for_a_key_and_is_no_poison(engine: Engine, vault: Vault) -> None:
    work = engine.accept([engine.event()])
    vault.away = True
    for _ in range(2 * MAX_ATTEMPTS):
        Work.objects.filter(id=work).update(due_at=timezone.now())
        holding_nothing()
        tasks.ingest(tenant=str(engine.tenant), work=str(work))
        row = Work.objects.get(id=work)
        assert (row.state, row.attempt, row.lease_until) == (WorkState.PENDING, 0, None)
        assert row.due_at > timezone.now() + timedelta(seconds=20)
        assert row.error == "Away"
    vault.away = False
    Work.objects.filter(id=work).update(due_at=timezone.now())
    tasks.ingest(tenant=str(engine.tenant), work=str(work))
    assert Work.objects.get(id=work).state == WorkState.DONE
    assert engine.kept().total() == 1


def test_work_whose_key_was_destroyed_is_dead_in_the_end(engine: Engine) -> None:
    from tenants.scope import tenant_scope  # noqa: PLC0415 -- beside its use

    work = engine.accept([engine.event()])
    with tenant_scope(engine.tenant, using="keys"):
        TenantKey.objects.update(destroyed_at=timezone.now())
    for _ in range(MAX_ATTEMPTS):
        Work.objects.filter(id=work).update(due_at=timezone.now())
        holding_nothing()
        tasks.ingest(tenant=str(engine.tenant), work=str(work))
    assert Work.objects.get(id=work).state == WorkState.DEAD


def test_mails_wait_for_a_key_without_an_attempt(
    vault: Vault, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    letters.post(letters.Reset(mailbox="a@example.com"), now=now)
    vault.away = True
    holding_nothing()
    deliver()
    assert "left for later: Away" in caplog.text
    assert Letter.objects.get().attempt == 0
    vault.away = False
    assert letters.deliver(now=now) == 1
    assert mail.outbox == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("keys", "rotate"), ("keys", "rotate-system"), ("keys", "rotate-pepper"),
        ("tenant", "create", "new.example"), ("staff", "create", "jo"),
    ],
)  # fmt: skip
def test_a_command_says_that_a_key_is_not_available(
    vault: Vault, now: datetime, arguments: tuple[str, ...]
) -> None:
    create_tenant(name="t.example", actor=SHELL, reason="", now=now)
    vault.away = True
    holding_nothing()
    with pytest.raises((KeyUnavailable, CommandError), match="answered 503"):
        call_command(*arguments, stdout=StringIO(), stderr=StringIO())
