"""``POST /v1/events/<kind>``: every answer of the contract, and nothing private in a log."""

import gzip
import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from analytics.ingest import bodies
from analytics.ingest.events import DNS
from analytics.models import InboxPart
from analytics.views import events
from analytics.views.events import post_events
from audit.actors import Actor
from config.logs import JsonLine
from crypto.errors import CryptoError
from tenants.actions import create_key, revoke_key, suspend_tenant
from tenants.apikeys import ENGINE_PREFIX, Scope, mint
from tenants.errors import KeyUnavailable
from tenants.models import KeyIndex, Tenant, Work
from tenants.scope import tenant_scope
from tests.analytics.engine import Engine
from tests.analytics.views.asking import basic, post, stated

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
SHELL = Actor(kind="shell", id="test")
SECRET = "10.66.77.88"


@pytest.fixture
def key(tenant: tuple[UUID, str]) -> str:
    return tenant[1]


@pytest.fixture
def line(engine: Engine) -> bytes:
    return json.dumps(engine.event(srcIP=SECRET)).encode()


def taken(tenant: UUID) -> int:
    with tenant_scope(tenant):
        return sum(InboxPart.objects.values_list("events", flat=True))


@pytest.mark.parametrize("between", [b"\n", b"", b", "])
@pytest.mark.parametrize("encoding", ["", "identity", "gzip", "x-gzip", " GZIP "])
def test_a_stream_of_events_is_taken_in_every_form(
    key: str, line: bytes, between: bytes, encoding: str, tenant: tuple[UUID, str]
) -> None:
    body = between.join([line] * 3)
    if "gzip" in encoding.lower():
        body = gzip.compress(body)
    response = post(key, body, encoding=encoding)
    assert response.status_code == 200
    assert json.loads(response.content) == {"received": 3, "accepted": 3, "rejected": {}}
    assert taken(tenant[0]) == 3


def test_an_array_is_taken_and_so_are_questions(key: str) -> None:
    question = {"ts": 1777636800, "srcIP": "10.0.0.1", "query": "a.example"}
    response = post(key, json.dumps([question, question]).encode(), kind=DNS)
    assert json.loads(response.content) == {"received": 2, "accepted": 2, "rejected": {}}


def test_what_is_not_taken_is_counted_by_its_reason(key: str, line: bytes) -> None:
    body = line + b"\ngarbage\n" + line.replace(b"10.66", b"10.666") + b"\n{}"
    response = post(key, body)
    assert response.status_code == 200
    assert json.loads(response.content) == {
        "received": 4,
        "accepted": 1,
        "rejected": {"malformed": 1, "src_invalid": 1, "ts_missing": 1},
    }


def test_a_request_of_which_nothing_is_taken_is_200_if_a_value_was_read(
    key: str, tenant: tuple[UUID, str]
) -> None:
    response = post(key, b"{}")
    assert response.status_code == 200
    assert json.loads(response.content)["rejected"] == {"ts_missing": 1}
    assert Work.objects.count() == 0
    assert taken(tenant[0]) == 0


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"no json at all", ""),
        (b"<xml/>\n<xml/>", ""),
        (b"\x00" * 100, ""),
        (b"x" * (2 << 20), ""),
        (b"not gzip, for sure not", "gzip"),
        (gzip.compress(b"{}" * 99)[:-3], "gzip"),
    ],
)
def test_400_is_for_a_body_of_which_nothing_parses(key: str, body: bytes, encoding: str) -> None:
    response = post(key, body, encoding=encoding)
    assert response.status_code == 400
    assert stated(response)["code"] == "unreadable"
    assert Work.objects.count() == 0


def passwords() -> list[tuple[str, Callable[[str], str]]]:
    return [
        ("empty", basic),
        ("missing", lambda key: basic(key, None)),
        ("a dash", lambda key: basic(key, "-")),
        ("colons", lambda key: basic(key, "a:b:c")),
        ("foreign letters", lambda key: basic(key, "pässwörd")),
        ("long", lambda key: basic(key, "x" * 3000)),
        ("bearer", lambda key: f"Bearer {key}"),
        ("lower case", lambda key: "basic" + basic(key)[5:]),
        ("bearer in capitals", lambda key: f"BEARER   {key} "),
    ]


@pytest.mark.parametrize(
    "written", [way for _, way in passwords()], ids=[n for n, _ in passwords()]
)
def test_a_key_is_honoured_with_any_password(
    key: str, line: bytes, written: Callable[[str], str]
) -> None:
    assert post(key, line, authorization=written(key)).status_code == 200


def wrong_keys() -> list[str]:
    stranger = mint("twy", pepper=bytes(32)).text
    return [
        "", "Basic", "Basic !!!", "Basic w6k6", "Bearer", "Digest x", basic(""), basic("nobody"),
        basic(stranger), basic(mint(ENGINE_PREFIX, pepper=bytes(32)).text), "Bearer \x00",
    ]  # fmt: skip


@pytest.mark.parametrize("authorization", wrong_keys())
def test_401_is_for_no_key_and_for_one_that_nobody_has(
    line: bytes, authorization: str, as_owner: Callable[..., Any]
) -> None:
    response = post("", line, authorization=authorization)
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Basic")
    assert stated(response)["code"] == "unauthenticated"
    with as_owner() as session:
        (row,) = session.execute(
            "SELECT actor_kind, resource, outcome, detail FROM audit_stage"
            " WHERE event = 'auth.denied'"
        ).fetchall()
    assert row == (
        "anonymous", "v1/events/<str:kind>", "denied", {"code": "unauthenticated"},
    )  # fmt: skip


def test_a_key_with_one_letter_wrong_is_unknown(key: str, line: bytes) -> None:
    for place in (5, 20, 60, len(key) - 1):
        letter = "A" if key[place] != "A" else "B"
        assert post(key[:place] + letter + key[place + 1 :], line).status_code == 401


def test_403_is_for_a_revoked_key_at_once(key: str, line: bytes, now: datetime) -> None:
    assert post(key, line).status_code == 200
    assert revoke_key(key=key.split("_")[1], actor=SHELL, reason="test", now=now)
    assert stated(post(key, line))["status"] == 403


def test_403_is_for_an_expired_key_a_suspended_tenant_and_a_scope_that_is_lacking(
    tenant: tuple[UUID, str], line: bytes, now: datetime
) -> None:
    owner = Tenant.objects.get(id=tenant[0])
    made: dict[str, Any] = {"actor": SHELL, "reason": "test", "now": now, "tenant": owner}
    reader = create_key(label="reader", scopes=(Scope.ALERTS,), **made)
    assert "ingest:write" in stated(post(reader, line))["message"]
    short = create_key(label="short", scopes=(Scope.INGEST,), **made)
    KeyIndex.objects.filter(label="short").update(expires_at=now - timedelta(days=1))
    assert stated(post(short, line))["status"] == 403
    assert suspend_tenant(tenant=tenant[0], actor=SHELL, reason="test", now=now)
    assert stated(post(tenant[1], line))["status"] == 403
    assert Work.objects.count() == 0


@pytest.mark.parametrize("kind", ["nothing", "IP", "vpn", "%00", "a" * 300, "ip%0a"])
def test_404_is_for_a_kind_that_there_is_not(key: str, line: bytes, kind: str) -> None:
    response = Client(raise_request_exception=False).post(
        f"/v1/events/{kind}",
        data=line,
        content_type="application/json",
        HTTP_AUTHORIZATION=basic(key),
    )
    assert stated(response)["status"] == 404


def test_an_unknown_path_says_nothing_before_the_key(line: bytes) -> None:
    response = Client().post("/v1/events/%00", data=line, content_type="application/json")
    assert stated(response)["status"] == 401


@pytest.mark.parametrize("method", ["get", "put", "delete", "head", "options"])
def test_405_is_for_another_method(key: str, method: str) -> None:
    response = getattr(Client(), method)("/v1/events/ip", HTTP_AUTHORIZATION=basic(key))
    assert response.status_code == 405
    assert response["Allow"] == "POST"


def test_413_is_for_more_than_the_cap_said_or_inflated(
    key: str, line: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MAX_INFLATED", 1000)
    monkeypatch.setattr(bodies, "MAX_INFLATED", 1000)
    body = line * 20
    for response in (post(key, body), post(key, gzip.compress(body), encoding="gzip")):
        assert stated(response)["status"] == 413
    assert Work.objects.count() == 0


def test_415_is_for_an_encoding_that_is_not_read(key: str, line: bytes) -> None:
    assert "'br'" in stated(post(key, line, encoding="br"))["message"]
    assert post(key, line, encoding="br").status_code == 415


def request_of(key: str, body: bytes, length: str) -> HttpRequest:
    request = RequestFactory().post(
        "/v1/events/ip", data=b"", content_type="text/plain", HTTP_AUTHORIZATION=basic(key)
    )
    request.META["CONTENT_LENGTH"] = length
    request.META["wsgi.input"] = request._stream = BytesIO(body)
    return request


@pytest.mark.parametrize("length", ["", "0"])
@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_400_is_for_an_empty_body_whatever_its_headers_say(
    key: str, length: str, encoding: str
) -> None:
    request = request_of(key, b"", length)
    request.META["HTTP_CONTENT_ENCODING"] = encoding
    assert post_events(request, "ip").status_code == 400


def test_nothing_is_taken_of_a_body_that_ends_early(key: str, line: bytes) -> None:
    response = post_events(request_of(key, line, str(len(line) + 1)), "ip")
    assert response.status_code == 400
    assert "nothing was taken" in stated(response)["message"]
    assert Work.objects.count() == 0


def test_a_body_of_no_stated_length_is_read_to_its_end(key: str, line: bytes) -> None:
    assert post_events(request_of(key, line * 2, ""), "ip").status_code == 200


def test_a_body_of_no_stated_length_has_an_end_even_if_it_inflates_to_nothing(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MAX_INFLATED", 1000)
    request = request_of(key, gzip.compress(b"") * 100, "")
    request.META["HTTP_CONTENT_ENCODING"] = "gzip"
    assert post_events(request, "ip").status_code == 413


@pytest.mark.parametrize("length", ["-1", "1e3", "ten", "9" * 30])
def test_a_length_that_is_no_number_is_refused(key: str, line: bytes, length: str) -> None:
    assert post_events(request_of(key, line, length), "ip").status_code == 400


def test_503_is_for_a_full_backlog_and_says_when_to_come_again(
    key: str, line: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics.actions.accept.MAX_WAITING", 0)
    assert post(key, line).status_code == 200
    response = post(key, line)
    assert stated(response)["status"] == 503
    assert int(response["Retry-After"]) > 0


@pytest.mark.parametrize(
    "error",
    [
        DatabaseError(f"DETAIL: ({SECRET})"),
        KeyUnavailable(SECRET),
        CryptoError(SECRET),
        ValueError(SECRET),
        RuntimeError(SECRET),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("place", ["caller_from", "seal_request", "accept_request"])
def test_503_is_for_every_failure_of_ours_and_no_log_says_what_was_sent(
    key: str,
    line: bytes,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    place: str,
) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise error

    monkeypatch.setattr(events, place, fail)
    with caplog.at_level(logging.DEBUG):
        response = post(key, line)
    assert stated(response)["status"] == 503
    assert int(response["Retry-After"]) > 0
    lines = "\n".join(JsonLine().format(record) for record in caplog.records)
    assert type(error).__name__ in lines
    assert SECRET not in lines + response.content.decode()
    assert Work.objects.count() == 0


def test_503_too_where_a_refusal_cannot_be_recorded(
    line: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(events, "record_denial", fail)
    assert post("nobody", line).status_code == 503


def test_accepting_costs_the_same_queries_however_many_events(key: str, line: bytes) -> None:
    post(key, line)
    counted = []
    for count in (1, 500):
        with CaptureQueriesContext(connection) as queries:
            assert post(key, line * count).status_code == 200
        counted.append([query["sql"] for query in queries])
    assert [len(each) for each in counted] == [8, 8], counted[0]
