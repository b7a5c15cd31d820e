"""``GET /v1/wisdom?q=``: asked as its known client does, answered by a Wisdom of the test's."""

import json
import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from analytics.views import lookup
from analytics.wisdom_client import Answer
from audit.actors import Actor
from destinations.report import Destination, Reason, Report
from tenants.actions import create_tenant
from tenants.models import KeyIndex
from tests.analytics.engine import BAD, silent
from tests.analytics.views.asking import basic, stated

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Destination]:
    """What reached Wisdom, which reports ``c2`` on everything."""
    seen: list[Destination] = []

    def ask(destinations: frozenset[Destination]) -> Answer:
        seen.extend(destinations)
        return Answer(reports={each: report(each) for each in destinations}, owed=frozenset())

    monkeypatch.setattr(lookup, "ask", ask)
    return seen


def report(destination: Destination) -> Report:
    reason = Reason(source="list", title="A list", kind="feed", points=6_000, flag="c2")
    return Report(
        destination=destination,
        flags=("c2",),
        labels=(),
        domain="",
        score=6_000,
        verdict="malicious",
        reasons=(reason,),
        ttl=60,
        snapshot="s1",
        psl="p1",
    )


def look_up(key: str, question: str) -> Any:
    """Ask without any percent-encoding, as the known client does."""
    return Client(raise_request_exception=False).generic(
        "GET",
        "/v1/wisdom",
        QUERY_STRING=question,
        HTTP_AUTHORIZATION=basic(key),
        HTTP_ACCEPT="application/json",
    )


def test_a_listed_address_is_answered_with_flags_score_and_reasons(
    tenant: tuple[UUID, str], asked: list[Destination]
) -> None:
    response = look_up(tenant[1], f"q=tcp:{BAD}:443")
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    body = json.loads(response.content)
    assert body["flags"] == ["c2"]
    assert body["destination"] == {
        "kind": "address", "value": BAD, "port": 443, "protocol": "tcp"
    }  # fmt: skip
    assert body["score"] == sum(reason["points"] for reason in body["reasons"])
    assert {"labels", "domain", "verdict", "ttl", "snapshot"} <= set(body)
    assert "note" not in body
    assert asked == [Destination("address", BAD, 443, "tcp")]


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("q=www.example.com", "www.example.com"),
        ("q=https://www.example.com:8443/a/b?c=d&e=f", "www.example.com"),
        ("q=https%3A%2F%2Fwww.example.com%2F", "www.example.com"),
        ("x=1&q=tcp:[2001:db8::1]:443&y=2", "2001:db8::1"),
        ("q=2001:db8::1", "2001:db8::1"),
        ("q=198.51.100.7:53", "198.51.100.7"),
    ],
)
def test_every_form_of_a_question_is_read(
    tenant: tuple[UUID, str], asked: list[Destination], question: str, value: str
) -> None:
    assert look_up(tenant[1], question).status_code == 200
    assert [each.value for each in asked] == [value]


@pytest.mark.parametrize("question", ["q=10.1.2.3", "q=tcp:[fe80::1]:22", "q=printer", "q=a.local"])
def test_what_is_private_never_leaves(
    tenant: tuple[UUID, str], asked: list[Destination], question: str
) -> None:
    body = json.loads(look_up(tenant[1], question).content)
    assert (body["flags"], body["note"], asked) == ([], lookup.NOTE, [])


@pytest.mark.parametrize("question", ["", "q=", "q=a b", "q=%ff", "q=192.0.2.999", "q=[::1"])
def test_what_is_no_destination_gets_400_with_a_text(
    tenant: tuple[UUID, str], asked: list[Destination], question: str
) -> None:
    response = look_up(tenant[1], question)
    assert (stated(response)["status"], asked) == (400, [])


@pytest.mark.parametrize(
    "ask", [silent, lambda _destinations: Answer(reports={}, owed=frozenset())]
)
def test_a_wisdom_that_is_away_gets_503_and_a_time(
    tenant: tuple[UUID, str],
    monkeypatch: pytest.MonkeyPatch,
    ask: Callable[[frozenset[Destination]], Answer],
) -> None:
    monkeypatch.setattr(lookup, "ask", ask)
    response = look_up(tenant[1], "q=example.com")
    assert (stated(response)["status"], response["Retry-After"]) == (503, "30")


@pytest.mark.parametrize("waiting", [0, 1])
def test_more_look_ups_than_turns_are_told_to_come_again(
    tenant: tuple[UUID, str],
    asked: list[Destination],
    monkeypatch: pytest.MonkeyPatch,
    waiting: int,
) -> None:
    monkeypatch.setattr(lookup, "PATIENCE", 0.01)
    monkeypatch.setattr(lookup, "_seats", threading.BoundedSemaphore(lookup.INSIDE - waiting))
    with lookup._turn() as first, lookup._turn() as second:
        response = look_up(tenant[1], "q=example.com")
    assert (first, second, stated(response)["status"], response["Retry-After"]) == (
        True, True, 503, "1",
    )  # fmt: skip
    assert asked == []
    assert look_up(tenant[1], "q=example.com").status_code == 200


def test_a_key_without_the_scope_gets_403_and_an_unknown_one_401(
    tenant: tuple[UUID, str], asked: list[Destination]
) -> None:
    KeyIndex.objects.filter(tenant_id=tenant[0]).update(scopes=["ingest:write", "alerts:read"])
    refused = stated(look_up(tenant[1], "q=example.com"))
    assert (refused["status"], "wisdom:read" in refused["message"]) == (403, True)
    assert stated(look_up("nobody", "q=example.com"))["status"] == 401
    assert asked == []


def test_look_ups_are_counted_by_key_and_minute_and_nothing_keeps_the_question(
    tenant: tuple[UUID, str], now: Any, asked: list[Destination], as_owner: Callable[..., Any]
) -> None:
    other = create_tenant(
        name="other.example", actor=Actor(kind="shell", id="test"), reason="test", now=now
    )
    for key in (tenant[1], tenant[1], other.api_key):
        look_up(key, "q=evil.example")
    look_up(tenant[1], "q=not a question")
    with as_owner() as session:
        counted = session.execute(
            "SELECT tenant, sum(calls), sum(items) FROM audit_tally"
            " WHERE event = 'wisdom.looked_up' GROUP BY tenant"
        ).fetchall()
        kept = session.execute("SELECT audit_stage::text FROM audit_stage").fetchall()
    assert sorted(counted) == sorted([(tenant[0], 2, 2), (other.tenant.id, 1, 1)])
    assert "evil.example" not in str(kept)
    assert len(asked) == 3
