"""``Idempotency-Key``: a request that comes again has one effect and one answer."""

import gzip
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import psycopg
import pytest
import time_machine
from django.db import connection, connections
from django.test import Client

from analytics.actions.retention import retain
from analytics.ingest.events import DNS
from analytics.models import InboxPart
from audit.actors import Actor
from tenants import repeats
from tenants.actions import create_tenant
from tenants.errors import UnderWay, UnfitKey
from tenants.models import AnsweredRequest, UsageDay, Work
from tenants.scope import tenant_scope
from tests.analytics.engine import Engine
from tests.analytics.views.asking import basic, post, stated

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
NAMED = '"8e03978e-40d5-43e8-bc93-6894a57f9324"'
TWINS = 12


@pytest.fixture
def key(tenant: tuple[UUID, str]) -> str:
    return tenant[1]


@pytest.fixture
def body(engine: Engine) -> bytes:
    return b"".join(json.dumps(engine.event(n)).encode() + b"\n" for n in range(3))


def send(key: str, body: bytes, named: str = NAMED, **more: Any) -> Any:
    return post(key, body, HTTP_IDEMPOTENCY_KEY=named, **more)


def stored(tenant: UUID) -> int:
    with tenant_scope(tenant):
        return sum(InboxPart.objects.values_list("events", flat=True))


def answered(tenant: UUID) -> int:
    with tenant_scope(tenant):
        return AnsweredRequest.objects.count()


def test_a_request_that_comes_again_gets_the_first_ones_answer_and_stores_nothing(
    key: str, body: bytes, tenant: tuple[UUID, str]
) -> None:
    first = send(key, body + b"{}")
    again = [send(key, body + b"{}") for _ in range(3)]
    assert {each.status_code for each in (first, *again)} == {200}
    assert {each.content for each in again} == {first.content}
    assert json.loads(first.content)["accepted"] == 3
    assert (stored(tenant[0]), Work.objects.count(), answered(tenant[0])) == (3, 1, 1)
    with tenant_scope(tenant[0]):
        assert UsageDay.objects.values_list("events", "requests").get() == (3, 4)


def test_parallel_twins_make_one_batch(key: str, body: bytes, tenant: tuple[UUID, str]) -> None:
    together = Barrier(TWINS)

    def ask(_number: int) -> tuple[int, bytes]:
        try:
            together.wait()
            response = send(key, body)
            return response.status_code, response.content
        finally:
            connections.close_all()

    with ThreadPoolExecutor(TWINS) as pool:
        answers = list(pool.map(ask, range(TWINS)))
    assert {status for status, _ in answers} <= {200, 409}
    assert len({content for status, content in answers if status == 200}) == 1
    assert (stored(tenant[0]), Work.objects.count()) == (3, 1)


def test_another_body_under_the_same_key_is_422_and_takes_nothing(
    key: str, body: bytes, tenant: tuple[UUID, str]
) -> None:
    send(key, body)
    response = send(key, body + body)
    assert response.status_code == 422
    assert stated(response)["code"] == "idempotency_key_reused"
    assert stored(tenant[0]) == 3


def test_a_client_that_compresses_again_sends_the_same_request(
    key: str, body: bytes, tenant: tuple[UUID, str]
) -> None:
    first = send(key, gzip.compress(body, mtime=1), encoding="gzip")
    again = send(key, gzip.compress(body, mtime=2), encoding="gzip")
    plain = send(key, body)
    assert first.content == again.content == plain.content
    assert stored(tenant[0]) == 3


def test_a_key_counts_for_one_door_and_one_tenant(
    key: str, body: bytes, tenant: tuple[UUID, str], now: datetime
) -> None:
    actor = Actor(kind="shell", id="test")
    other = create_tenant(name="second.example", actor=actor, reason="test", now=now)
    assert send(key, body).status_code == 200
    assert send(other.api_key, body + body).status_code == 200
    question = {"ts": 1777636800, "srcIP": "10.0.0.1", "query": "a.example"}
    assert send(key, json.dumps(question).encode(), kind=DNS).status_code == 200
    assert (stored(tenant[0]), stored(other.tenant.id)) == (4, 6)


def test_without_the_header_nothing_is_kept(key: str, body: bytes, tenant: Any) -> None:
    assert post(key, body).content == post(key, body).content
    assert Work.objects.count() == 2
    assert answered(tenant[0]) == 0


def test_what_was_refused_may_be_sent_again_under_its_key(
    key: str, body: bytes, tenant: tuple[UUID, str]
) -> None:
    assert send(key, b"no json").status_code == 400
    assert send(key, gzip.compress(body)[:-4], encoding="gzip").status_code == 400
    assert answered(tenant[0]) == 0
    assert json.loads(send(key, body).content)["accepted"] == 3


@pytest.mark.parametrize("named", ["", '""', '"', 'a"b', "x" * 256, '"' + "x" * 256 + '"', "\xff"])
def test_a_key_that_is_none_is_400(key: str, body: bytes, named: str) -> None:
    response = send(key, body, named)
    assert response.status_code == 400
    assert stated(response)["code"] == "unfit_idempotency_key"
    assert Work.objects.count() == 0


def test_a_key_reads_the_same_with_quotes_and_without() -> None:
    for text in ('"a b"', "a-b", ' "a" '):
        found = repeats.key_of({"HTTP_IDEMPOTENCY_KEY": text})
        assert found == text.strip().strip('"')
    assert repeats.key_of({}) is None
    with pytest.raises(UnfitKey):
        repeats.key_of({"HTTP_IDEMPOTENCY_KEY": "a\n"})


def test_after_a_day_a_key_is_new_and_its_answer_is_dropped(
    key: str, body: bytes, tenant: tuple[UUID, str]
) -> None:
    start = datetime.now(UTC)
    send(key, body)
    assert retain(tenant=tenant[0], now=start + repeats.KEPT / 2)["repeats"] == 0
    with time_machine.travel(start + repeats.KEPT + timedelta(minutes=1)):
        assert send(key, body + body).status_code == 200
    assert answered(tenant[0]) == 1
    assert retain(tenant=tenant[0], now=start + 3 * repeats.KEPT)["repeats"] == 1


def test_one_whose_twin_does_not_end_is_told_to_come_again(
    key: str, body: bytes, tenant: tuple[UUID, str], as_owner: Callable[..., Any]
) -> None:
    send(key, body)
    claim = repeats.Claim(door="events/ip", key=NAMED.strip('"'), digest=b"", answer=b"")
    with as_owner() as session, session.transaction():
        session.execute("SELECT 1 FROM answered_request FOR UPDATE")
        with tenant_scope(tenant[0]), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '50ms'")
            with pytest.raises(UnderWay) as caught:
                repeats.earlier(claim, now=datetime.now(UTC))
    assert (caught.value.status, caught.value.headers["Retry-After"]) == (409, "1")


def test_the_table_shows_neither_key_nor_body(
    key: str, body: bytes, as_owner: Callable[[], psycopg.Connection[Any]]
) -> None:
    send(key, body, '"canary-of-a-key"')
    with as_owner() as session:
        (row,) = session.execute("SELECT answered_request::text FROM answered_request").fetchall()
    assert b"canary-of-a-key".hex() not in row[0]
    assert "canary" not in row[0]


def test_groups_that_come_again_are_not_replaced_again(key: str) -> None:
    def groups(label: str, named: str = NAMED) -> Any:
        sent = {"version": "1", "groups": [{"label": label, "inclusions": ["192.0.2.0/24"]}]}
        return Client().post(
            "/v1/groups/raw",
            json.dumps(sent),
            content_type="application/json",
            HTTP_AUTHORIZATION=basic(key),
            HTTP_IDEMPOTENCY_KEY=named,
        )

    first = groups("one")
    assert groups("two", '"another"').status_code == 200
    again = groups("one")
    assert (again.status_code, again.content) == (200, first.content)
    assert groups("three").status_code == 422
    held = Client().get("/v1/groups/raw", HTTP_AUTHORIZATION=basic(key)).json()
    assert [each["label"] for each in held["groups"]] == ["two"]
    assert groups("four", '"').status_code == 400
