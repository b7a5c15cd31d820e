"""An API key's terms: its end, its networks, its successor, its pepper, its last use."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from audit.actors import Actor
from tenants import keys
from tenants.actions import create_key, revoke_key, rotate_key
from tenants.apikeys import Scope
from tenants.auth import caller
from tenants.errors import Forbidden, UnfitTerms
from tenants.models import KeyIndex, Tenant
from tests.tenants.doors import basic, deeds, get

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
SHELL = Actor(kind="shell", id="test")
HOUR, DAY, SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)


@pytest.fixture
def made(tenant: tuple[UUID, str], now: datetime) -> dict[str, Any]:
    row = Tenant.objects.get(id=tenant[0])
    return {"tenant": row, "label": "x", "actor": SHELL, "reason": "test", "now": now}


def used(key: str, now: datetime, *, address: str = "") -> str:
    return caller(basic(key), scope=Scope.ALERTS, now=now, address=address).key


def id_of(key: str) -> str:
    return key.split("_")[1]


@pytest.mark.parametrize("days", [-1, 0, 366])
def test_an_end_is_ahead_and_within_a_year(made: dict[str, Any], days: int, now: datetime) -> None:
    with pytest.raises(UnfitTerms, match="365"):
        create_key(scopes=(Scope.ALERTS,), expires_at=now + days * DAY, **made)


def test_a_key_without_an_end_does_not_end(tenant: tuple[UUID, str], now: datetime) -> None:
    assert used(tenant[1], now + 3650 * DAY)


def test_a_key_has_scopes_and_a_short_label(made: dict[str, Any]) -> None:
    with pytest.raises(UnfitTerms):
        create_key(scopes=(), **made)
    with pytest.raises(UnfitTerms):
        create_key(scopes=(Scope.ALERTS,), **made | {"label": "x" * 101})


@pytest.mark.parametrize(
    ("address", "opens"),
    [
        ("192.0.2.200", True), ("192.0.3.1", False), ("2001:db8::5", True), ("2001:db9::5", False),
        ("198.51.100.7", True), ("198.51.100.8", False), ("", False), ("unknown", False),
    ],
)  # fmt: skip
def test_a_key_bound_to_networks_opens_from_there_alone(
    made: dict[str, Any], now: datetime, address: str, *, opens: bool
) -> None:
    networks = ["192.0.2.7/24", "2001:db8::/32", "198.51.100.7"]
    key = create_key(scopes=(Scope.ALERTS,), networks=networks, **made)
    if opens:
        assert used(key, now, address=address)
    else:
        with pytest.raises(Forbidden, match="network"):
            used(key, now, address=address)


def test_the_address_is_the_connections_unless_a_trusted_proxy_says_another(
    made: dict[str, Any], settings: Any
) -> None:
    key = create_key(scopes=(Scope.ALERTS,), networks=["192.0.2.0/24"], **made)
    ask: dict[str, Any] = {"key": key, "address": "203.0.113.1"}
    forged = {"HTTP_X_FORWARDED_FOR": "192.0.2.1"}
    assert get("/v1/alerts", key=key, address="192.0.2.1").status_code == 200
    refused = get("/v1/alerts", **ask, **forged)
    assert refused.status_code == 403
    assert "network" in refused.json()["message"]
    settings.TRUSTED_PROXIES = ["203.0.113.0/24"]
    assert get("/v1/alerts", **ask, **forged).status_code == 200


@pytest.mark.parametrize("networks", [["x"], ["192.0.2.0/33"], [""], ["192.0.2.0/24"] * 65])
def test_networks_that_cannot_be_meant_are_refused(
    made: dict[str, Any], networks: list[str]
) -> None:
    with pytest.raises(UnfitTerms, match="network"):
        create_key(scopes=(Scope.ALERTS,), networks=networks, **made)


def test_during_an_overlap_both_keys_open_and_after_it_the_successor(
    made: dict[str, Any], now: datetime, as_owner: Callable[..., Any]
) -> None:
    old = create_key(scopes=(Scope.ALERTS,), networks=["192.0.2.0/24"], **made)
    new = rotate_key(key=id_of(old), overlap=HOUR, actor=SHELL, reason="yearly", now=now)
    assert new.text not in repr(new)
    for at in (now, now + HOUR - SECOND):
        assert used(old, at, address="192.0.2.1") == id_of(old)
        assert used(new.text, at, address="192.0.2.1") == new.id
    with pytest.raises(Forbidden, match="expired"):
        used(old, now + HOUR, address="192.0.2.1")
    assert used(new.text, now + HOUR, address="192.0.2.1")
    row = KeyIndex.objects.get(id=new.id)
    assert (row.label, row.scopes, row.networks) == ("x", ["alerts:read"], ["192.0.2.0/24"])
    assert deeds(as_owner).count("key.rotated") == 1


def test_a_successor_lives_as_long_as_the_key_did(made: dict[str, Any], now: datetime) -> None:
    old = create_key(scopes=(Scope.ALERTS,), expires_at=now + 90 * DAY, **made)
    later = now + 80 * DAY
    new = rotate_key(key=id_of(old), overlap=30 * DAY, actor=SHELL, reason="", now=later)
    assert KeyIndex.objects.get(id=new.id).expires_at == later + 90 * DAY
    assert KeyIndex.objects.get(id=id_of(old)).expires_at == now + 90 * DAY


def test_only_a_live_key_is_rotated_and_no_overlap_is_endless(
    made: dict[str, Any], now: datetime
) -> None:
    key = id_of(create_key(scopes=(Scope.ALERTS,), **made))
    how: dict[str, Any] = {"actor": SHELL, "reason": "", "now": now}
    for overlap in (-SECOND, 31 * DAY):
        with pytest.raises(UnfitTerms, match="overlap"):
            rotate_key(key=key, overlap=overlap, **how)
    revoke_key(key=key, **how)
    for dead in (key, "nobody"):
        with pytest.raises(UnfitTerms, match="live"):
            rotate_key(key=dead, overlap=HOUR, **how)


def test_the_newest_pepper_signs_and_the_older_verify(
    tenant: tuple[UUID, str], made: dict[str, Any], now: datetime, settings: Any, tmp_path: Path
) -> None:
    second = tmp_path / "pepper_2"
    second.write_text("2b" * 32)
    second.chmod(0o400)
    unused = create_key(scopes=(Scope.ALERTS,), **made)
    settings.PEPPERS = {2: str(second)}  # beside the first, which the deployment keeps itself
    keys.forget()
    new = create_key(scopes=(Scope.ALERTS,), **made)
    assert [keys.primary_pepper()[0], KeyIndex.objects.get(id=id_of(new)).pepper] == [2, 2]
    for key in (tenant[1], new):
        assert used(key, now)
    assert KeyIndex.objects.get(id=id_of(tenant[1])).pepper == 2  # tagged anew when it was used
    assert KeyIndex.objects.get(id=id_of(unused)).pepper == 1


def test_the_last_use_is_written_once_a_minute(tenant: tuple[UUID, str], now: datetime) -> None:
    def statements(at: datetime) -> int:
        with CaptureQueriesContext(connection) as queries:
            used(tenant[1], at)
        return len(queries)

    minute = timedelta(minutes=1)
    costs = [statements(now + late) for late in (0 * SECOND, SECOND, minute - SECOND, minute)]
    assert costs == [2, 1, 1, 2]
    assert KeyIndex.objects.get().last_used_at == now + minute


def test_a_refused_key_is_not_used(tenant: tuple[UUID, str], now: datetime) -> None:
    KeyIndex.objects.update(revoked_at=now)
    with pytest.raises(Forbidden, match="revoked"):
        used(tenant[1], now)
    assert KeyIndex.objects.get().last_used_at is None


def test_noting_a_use_waits_for_nobody(tenant: tuple[UUID, str], now: datetime) -> None:
    def ask() -> None:
        try:
            found.append(used(tenant[1], now))
        finally:
            connection.close()

    found: list[str] = []
    with transaction.atomic():
        KeyIndex.objects.select_for_update().get()
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join(timeout=10)
        assert found == [id_of(tenant[1])]
    assert KeyIndex.objects.get().last_used_at is None
