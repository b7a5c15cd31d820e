"""A neighbour sees nothing of a tenant on any route, even where the ORM forgets to filter."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import models
from django.test import Client

from audit.actors import Actor
from tenants.actions import create_tenant
from tenants.models import TenantRows
from tests.analytics.engine import BAD, Engine, reporting
from tests.analytics.views.asking import basic, get, post, stated

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
SHELL = Actor(kind="shell", id="test")
READS = (
    "/v1/alerts",
    "/v1/findings",
    "/v1/dailyDestinations",
    "/v1/groups/raw",
    "/v1/account/status",
    "/v1/ae/inventory/flags",
    "/v1/ae/inventory/threats",
)


OWN = {
    "/v1/alerts": "alerts",
    "/v1/findings?follow=1-0": "records",
    "/v1/dailyDestinations": "destinations",
    "/v1/groups/raw": "groups",
}


def keep_groups(key: str) -> None:
    body = json.dumps({"version": "1", "groups": [{"label": "l", "inclusions": ["10.0.0.1"]}]})
    answer = Client().post(
        "/v1/groups/raw", body, content_type="application/json", HTTP_AUTHORIZATION=basic(key)
    )
    assert answer.status_code == 200


@pytest.fixture(params=["the ORM filters", "only the database does"])
def neighbour(
    request: pytest.FixtureRequest,
    engine: Engine,
    tenant: tuple[UUID, str],
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """A second tenant's key, beside a first that has events, an alert, a told day and groups."""
    engine.wisdom = reporting("c2")
    engine.send([engine.event(n, destIP=BAD) for n in range(3)])
    engine.evaluate()
    engine.sequence()
    keep_groups(tenant[1])
    other = create_tenant(name="other.example", actor=SHELL, reason="test", now=now)
    if request.param == "only the database does":
        monkeypatch.setattr(TenantRows, "get_queryset", models.Manager.get_queryset)
    return other.api_key


def test_a_neighbour_sees_no_alert_and_no_count(neighbour: str, tenant: tuple[UUID, str]) -> None:
    for path, member in OWN.items():
        assert json.loads(get(tenant[1], path).content)[member]
    theirs = json.loads(get(neighbour, "/v1/alerts").content)
    assert theirs == {"follow": "1-0", "more": False, "alerts": [], "threats": {}}
    findings = json.loads(get(neighbour, "/v1/findings").content)
    assert findings == {"follow": "1-0", "more": False, "records": []}
    daily = json.loads(get(neighbour, "/v1/dailyDestinations").content)
    assert daily == {"destinations": [], "follow": "1-0", "more": False}
    groups = json.loads(get(neighbour, "/v1/groups/raw").content)
    assert groups == {"version": "1", "groups": []}
    status = json.loads(get(neighbour, "/v1/account/status").content)
    assert set(status["eventsKept"].values()) == {0}
    assert status["endpointsSeenToday"] == 0
    assert status["workspaceID"] != str(tenant[0])


def test_no_route_names_the_tenant_or_what_it_sent(
    neighbour: str, tenant: tuple[UUID, str], engine: Engine
) -> None:
    post(neighbour, json.dumps(engine.event(9, destIP="203.0.113.200")).encode())
    for path in READS:
        answer = get(neighbour, path)
        assert answer.status_code == 200
        for secret in (str(tenant[0]), BAD, "10.0.0.1", "first.example"):
            assert secret not in answer.content.decode()


@pytest.mark.parametrize("path", READS)
def test_every_refusal_is_recorded_without_the_key(
    path: str, tenant: tuple[UUID, str], as_owner: Callable[..., Any]
) -> None:
    wrong = tenant[1][:-1] + ("a" if tenant[1][-1] != "a" else "b")
    assert stated(get(wrong, path))["status"] == 401
    with as_owner() as session:
        rows = session.execute(
            "SELECT audit_stage::text FROM audit_stage WHERE event = 'auth.denied'"
        ).fetchall()
    assert len(rows) == 1
    assert path.removeprefix("/") in rows[0][0]
    assert wrong not in rows[0][0]
    assert wrong.split("_")[1] not in rows[0][0]
