"""No body makes a route fail, and every error is the same JSON object (API-3)."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from audit.actors import Actor
from tests.config.described import doors
from tests.tenants.doors import basic
from wisdom.actions import create_engine

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
MEMBERS = {"type", "title", "status", "detail", "message", "code"}
TYPES = {
    400: {"unreadable", "refused", "dead_link", "bad_request", "invalid_body"},
    401: {"unauthenticated"},
    403: {"forbidden"},
    413: {"too_large", "unreadable"},
    415: {"unreadable", "unsupported"},
}
"""What comes behind ``about:blank#`` in ``type``, by status."""
PATHS = {
    "v1/events/<str:kind>": ("/v1/events/ip", "/v1/events/dns", "/v1/events/lease"),
    "v1/groups/raw": ("/v1/groups/raw",),
    "v1/account/retention": ("/v1/account/retention",),
    "v1/account/research": ("/v1/account/research",),
    "v1/wisdom/reports": ("/v1/wisdom/reports",),
    "v1/key/request": ("/v1/key/request",),
    "v1/key/reset": ("/v1/key/reset",),
    "v1/account/register": ("/v1/account/register",),
    "v1/account/verify": ("/v1/account/verify?token=none",),
    "v1/account/verify/<str:token>": ("/v1/account/verify/none",),
    "v1/key/reset/open": ("/v1/key/reset/open?token=none",),
}
"""Where each route that takes a body is asked."""
VALID = (
    {"details": {"name": "A", "email": "a@example.com"}, "email": "a@example.com"},
    {"version": "1", "groups": [{"label": "l", "inclusions": ["192.0.2.0/24"]}]},
    {"destinations": [{"kind": "name", "value": "example.com"}], "platform": {"name": "p"}},
)
DEEP = 100_000
FIELDS = (b"email", b"details", b"groups", b"version", b"destinations", b"platform", b"ts")


def bodies() -> Iterator[tuple[str, bytes]]:
    """Give each body with its name: JSON as it should not be, and what is none."""
    yield from {
        "nothing": b"",
        "blanks": b" \r\n\t ",
        "null": b"null",
        "true": b"true",
        "a number": b"1",
        "a text": b'"x"',
        "an array": b"[]",
        "an array of arrays": b"[[],[]]",
        "an empty object": b"{}",
        "arrays 100,000 deep": b"[" * DEEP + b"]" * DEEP,
        "objects 100,000 deep": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        "openings": b"[" * DEEP,
        "objects' openings": b"{" * DEEP,
        "a number of 10,000 digits": b"9" * 10_000,
        "an exponent past all floats": b"1e400",
        "NaN": b"NaN",
        "minus infinity": b"-Infinity",
        "a byte order mark": b"\xef\xbb\xbf{}",
        "UTF-16": "{}".encode("utf-16"),
        "UTF-32": "{}".encode("utf-32"),
        "invalid UTF-8": b'{"a":"\xff\xfe"}',
        "overlong UTF-8": b'{"a":"\xc0\xaf"}',
        "a surrogate in bytes": b'{"a":"\xed\xa0\x80"}',
        "CRLF": b'{\r\n"a":\r\n1\r\n}\r\n',
        "NULs": b"\0" * 100,
        "a bare NUL": b'{"a":"\0"}',
        "a comment": b"// x\n{}",
        "two objects": b"{}{}",
        "an object cut off": b'{"a":',
        "a text cut off": b'{"a":"x',
        "a comma too many": b'{"a":1,}',
        "wrong quotes": b"{'a':1}",
        "no quotes": b"{a:1}",
        "a key that is no text": b"{1:1}",
        "XML": b"<?xml version='1.0'?><a/>",
        "a form": b"email=a%40example.com&token=none",
        "a picture's beginning": b"\x89PNG\r\n\x1a\n",
        "gzip said of nothing": b"\x1f\x8b",
        "5,000 members": json.dumps({f"k{n}": n for n in range(5_000)}).encode(),
        "a megabyte of text": b'{"a":"' + b"x" * (1 << 20) + b'"}',
    }.items()
    for value in (b"1e400", b"9" * 10_000, b'"\\u0000"', b'"\\ud800"', b"[" * 99 + b"]" * 99,
                  b"null", b"-1", b"{}", b'"' + b"x" * 50_000 + b'"'):  # fmt: skip
        members = b",".join(b'"' + name + b'":' + value for name in FIELDS)
        yield f"every field {value[:9]!r}", b"{" + members + b"}"
    for number, valid in enumerate(VALID):
        text = json.dumps(valid).encode()
        yield f"twice every key, {number}", text[:-1] + b"," + text[1:]
        yield f"every text a NUL, {number}", text.replace(b'": "', b'": "\\u0000')
        yield f"every text half a pair, {number}", text.replace(b'": "', b'": "\\ud800')
        yield f"every text a number, {number}", text.replace(b'": "', b'": 1, "x": "')


BODIES = dict(bodies())
REQUESTS = [
    (method, route, path)
    for method, route in sorted(doors("config.urls.embedded"))
    if method != "GET"
    for path in PATHS.get(route, ())
]


@pytest.fixture(autouse=True)
def _open(settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL", logger="django.request")  # refusals are what is asked for
    settings.SIGNUP_OPEN = True
    for name in ("REQUESTS", "RESETS"):
        for whom in ("NETWORK", "ALL"):
            monkeypatch.setattr(f"tenants.attempts.{name}_OF_{whom}", ())
    monkeypatch.setattr("tenants.attempts.REGISTRATIONS_OF_TENANT", ())


def test_every_route_that_takes_a_body_is_asked_with_forty_or_more() -> None:
    taking = {route for method, route in doors("config.urls.embedded") if method != "GET"}
    assert taking == PATHS.keys()
    assert len(BODIES) >= 40


def key_for(route: str, tenant: tuple[UUID, str]) -> str:
    if route != "v1/wisdom/reports":
        return tenant[1]
    actor = Actor(kind="shell", id="test")
    return create_engine(name="one", actor=actor, reason="test", now=datetime.now(UTC))[1]


def fault(answer: Any) -> str:
    """Say what is wrong with an answer."""
    if answer.status_code < 400:
        return ""
    if answer.status_code >= 500 or answer["Content-Type"] != "application/json":
        return f"{answer.status_code} {answer['Content-Type']} {answer.content[:200]!r}"
    said = json.loads(answer.content)
    known = {f"about:blank#{each}" for each in TYPES.get(answer.status_code, ())}
    sound = (
        said.keys() == MEMBERS
        and said["type"] in known
        and said["type"] == f"about:blank#{said['code']}"
        and said["status"] == answer.status_code
        and isinstance(said["message"], str)
        and said["message"]
    )
    return "" if sound else f"{answer.status_code} {said}"


@pytest.mark.parametrize("media", ["application/json", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize(("method", "route", "path"), REQUESTS)
def test_no_body_makes_a_route_fail(
    method: str, route: str, path: str, media: str, tenant: tuple[UUID, str]
) -> None:
    client = Client(raise_request_exception=False)
    authorization = basic(key_for(route, tenant))
    found = {}
    for name, body in BODIES.items():
        answer = client.generic(
            method,
            path,
            body,
            content_type=media,
            HTTP_AUTHORIZATION=authorization,
            CONTENT_LENGTH=str(len(body)),
        )
        if wrong := fault(answer):
            found[name] = wrong
    assert found == {}
