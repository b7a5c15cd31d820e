"""``GET /v1/account/status``: the members that existing clients need before they do anything."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.ingest.events import KINDS
from analytics.ingest.times import read_time
from analytics.series.shards import nanoseconds
from tenants.models import KeyIndex
from tests.analytics.engine import Engine
from tests.analytics.views.asking import get

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


def status(key: str) -> dict[str, Any]:
    response = get(key, "/v1/account/status")
    assert response.status_code == 200
    body: dict[str, Any] = json.loads(response.content)
    return body


def test_a_new_account_has_every_member(tenant: tuple[UUID, str]) -> None:
    body = status(tenant[1])
    assert body["workspaceID"] == str(tenant[0])
    assert (body["registered"], body["expired"], body["messages"]) == (True, False, [])
    assert body["endpointsSeenToday"] == 0
    assert body["eventsKept"] == dict.fromkeys(KINDS, 0)
    assert None not in body.values()
    for member in ("today", "expirationDate"):
        assert read_time(body[member])[1] is None


def test_what_was_received_is_counted(engine: Engine, tenant: tuple[UUID, str]) -> None:
    engine.send([engine.event(n, srcIP=f"10.0.0.{n % 9 + 1}") for n in range(30)])
    engine.send([engine.event(n, srcIP=f"10.0.0.{n % 9 + 1}", vlan=n) for n in range(30)])
    body = status(tenant[1])
    assert body["ignoredFields"] == {"ip": {"vlan": 30}}
    assert body["endpointsSeenToday"] in {8, 9}  # an estimate: two may meet in one register
    assert body["eventsKept"] == dict.fromkeys(KINDS, 0) | {"ip": 30}


def test_a_keys_own_end_is_told(tenant: tuple[UUID, str], engine: Engine) -> None:
    end = engine.now + timedelta(days=3)
    KeyIndex.objects.update(expires_at=end)
    told, _ = read_time(status(tenant[1])["expirationDate"])
    assert told == nanoseconds(end)


def test_asking_costs_the_same_queries_however_much_is_kept(
    engine: Engine, tenant: tuple[UUID, str]
) -> None:
    counted = []
    for hours in (1, 30):
        engine.send([engine.event(3600 * n, srcIP=f"10.0.{n}.1") for n in range(hours)])
        status(tenant[1])
        with CaptureQueriesContext(connection) as queries:
            status(tenant[1])
        counted.append(len(queries))
    assert counted == [9, 9]
