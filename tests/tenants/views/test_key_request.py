"""Signing up: a key for who asks, with little behind it, and an end to how often."""

import gzip
import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from tenants import attempts
from tenants.apikeys import Scope
from tenants.auth import caller
from tenants.errors import Forbidden
from tenants.models import KeyIndex, Tenant
from tenants.plans import Plan
from tests.tenants.doors import basic, deeds, get, post, requested, status

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
SIGNED_UP = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _open(settings: Any) -> None:
    settings.SIGNUP_OPEN = True


def test_a_key_is_given_to_who_asks_and_is_a_tenant_of_its_own(
    as_owner: Callable[..., Any],
) -> None:
    first, second = requested(), requested()
    assert first.startswith("twy_")
    assert first != second
    assert Tenant.objects.count() == 2
    body = status(first)
    assert (body["registered"], body["expired"]) == (False, False)
    assert body["workspaceID"] != status(second)["workspaceID"]
    assert body["key"]["scopes"] == ["ingest:write", "alerts:read", "account:read"]
    assert body["limits"]["eventsPerDay"] == 100_000
    assert [each["level"] for each in body["messages"]] == [1]
    assert deeds(as_owner).count("key.requested") == 2


def test_a_provisional_tenant_says_that_it_is_one_and_has_no_look_ups() -> None:
    key = requested()
    tenant = Tenant.objects.get()
    assert tenant.is_provisional
    assert tenant.expires_at == tenant.created_at + timedelta(days=30)
    made = tenant.created_at
    assert caller(basic(key), scope=Scope.INGEST, now=made).plan is Plan.PROVISIONAL
    for scope in (Scope.WISDOM, Scope.CONFIGURE):
        with pytest.raises(Forbidden, match=scope):
            caller(basic(key), scope=scope, now=made)


@pytest.mark.parametrize(
    "body",
    [
        {"platform": {"name": "nfr-linux-amd64"}, "token": ""},
        {"platform": {"name": "Splunk", "version": None}, "uname": "a | b | c"},
        {},
        {"name": "old", "version": "1", "unknown": [1, {"x": None}]},
        {"platform": 7},
    ],
)
def test_any_object_is_taken(body: dict[str, Any]) -> None:
    assert post("/v1/key/request", body).json()["key"].startswith("twy_")


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body, wbits=-15)),
        ("gzip", lambda body: gzip.compress(body[:5]) + gzip.compress(body[5:])),
        ("identity", bytes),
    ],
)
def test_a_compressed_body_is_read(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    body = pack(json.dumps({"platform": {"name": "Splunk"}}).encode())
    answer = post("/v1/key/request", body, HTTP_CONTENT_ENCODING=encoding)
    assert answer.status_code == 200


def test_closed_sign_up_gives_nothing(settings: Any, as_owner: Callable[..., Any]) -> None:
    settings.SIGNUP_OPEN = False
    answer = post("/v1/key/request", {})
    assert answer.status_code == 403
    assert "closed" in answer.json()["message"]
    assert Tenant.objects.count() == 0
    assert deeds(as_owner) == ["auth.denied"]


def test_a_network_gets_so_many_keys_an_hour_and_its_neighbour_is_left_alone() -> None:
    with time_machine.travel(SIGNED_UP, tick=False) as clock:
        for host in range(10):
            requested(address=f"198.51.100.{host}")
        refused = post("/v1/key/request", {}, address="198.51.100.200")
        assert refused.status_code == 429
        assert refused["Retry-After"] == "3600"
        assert refused["RateLimit"] == '"requests";r=0;t=3600'
        assert "message" in refused.json()
        requested(address="203.0.113.1")
        for host in range(10):
            requested(address=f"2001:db8:1:1::{host + 1:x}")
        assert post("/v1/key/request", {}, address="2001:db8:1:1:9::1").status_code == 429
        requested(address="2001:db8:1:2::1")
        clock.shift(timedelta(hours=1))
        requested(address="198.51.100.200")


def test_all_networks_together_get_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    few = (attempts.Window(attempts=3, seconds=3600),)
    monkeypatch.setattr(attempts, "REQUESTS_OF_ALL", few)
    for network in range(3):
        requested(address=f"198.51.{network}.1")
    assert post("/v1/key/request", {}, address="198.51.100.1").status_code == 429


def test_behind_a_proxy_it_is_the_clients_network_that_counts(settings: Any) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    for host in range(10):
        requested(address="10.0.0.1", HTTP_X_FORWARDED_FOR=f"203.0.113.9, 198.51.100.{host}")
    for forged in ("203.0.113.7, 198.51.100.99", "198.51.100.1, 10.9.9.9"):
        refused = post("/v1/key/request", {}, address="10.0.0.1", HTTP_X_FORWARDED_FOR=forged)
        assert refused.status_code == 429
    assert requested(address="10.0.0.1", HTTP_X_FORWARDED_FOR="203.0.113.9")


def test_nothing_of_where_it_came_from_is_stored(as_owner: Callable[..., Any]) -> None:
    requested(address="198.51.100.77")
    with as_owner() as session:
        for table in ("tenant", "key_index", "attempt_window", "audit_stage"):
            for (row,) in session.execute(f"SELECT {table}::text FROM {table}"):  # noqa: S608 -- our names
                assert "198.51.100" not in row


def test_an_expired_account_is_told_so_and_nothing_else() -> None:
    with time_machine.travel(SIGNED_UP, tick=False) as clock:
        key = requested()
        clock.shift(timedelta(days=25))
        body = status(key)
        assert body["expirationDate"] == "2026-12-24T12:00:00.000000Z"
        assert body["messages"][-1] == {"level": 2, "body": "The account expires in 5 days."}
        clock.shift(timedelta(days=5))
        body = status(key)
        assert body["expired"] is True
        assert body["messages"][-1]["level"] == 3
        for path in ("/v1/alerts", "/v1/ae/inventory/flags"):
            answer = get(path, key=key)
            assert answer.status_code == 403
            assert "expired" in answer.json()["message"]
        late = post("/v1/account/register", {"details": {}}, key=key)
        assert late.status_code == 403
        assert "expired" in late.json()["message"]


def test_a_key_that_has_ended_is_told_so_with_the_word_that_clients_look_for(now: datetime) -> None:
    key = requested()
    KeyIndex.objects.update(expires_at=now)
    answer = get("/v1/account/status", key=key)
    assert answer.status_code == 403
    assert "expired" in answer.json()["message"]
