"""A key that is sent, wherever it stands in a request, is in no table and no log line (API-1)."""

import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from audit.actors import Actor
from config.logs import JsonLine
from tenants.actions import revoke_key
from tests.canaries import encodings
from tests.tenants.doors import basic

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
DOCS = Path(__file__).resolve().parents[2] / "docs"


def requests(key: str) -> list[tuple[str, str, dict[str, Any], bytes]]:
    """Every place of a request in which somebody might put a key."""
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {key}"}
    in_body = json.dumps({"key": key, "details": {"name": key, "email": "a@example.com"}}).encode()
    line = json.dumps({"ts": 1777636800, "srcIP": "192.0.2.1", "destIP": key}).encode()
    return [
        ("GET", "/v1/alerts", {"HTTP_AUTHORIZATION": basic(key)}, b""),
        ("GET", "/v1/alerts", bearer, b""),
        ("GET", "/v1/alerts?follow=wrong", bearer, b""),
        ("POST", "/v1/events/ip", {"HTTP_AUTHORIZATION": basic("", password=key)}, b"{}"),
        ("POST", "/v1/events/ip", bearer | {"HTTP_IDEMPOTENCY_KEY": key}, b"{}"),
        ("POST", "/v1/events/ip", bearer, line),
        ("GET", "/v1/alerts", {"HTTP_X_API_KEY": key}, b""),
        ("GET", "/v1/alerts", {"HTTP_AUTHORIZATION": key}, b""),
        ("GET", "/v1/alerts", {"HTTP_AUTHORIZATION": f"Token {key}"}, b""),
        ("GET", "/v1/alerts", {"HTTP_USER_AGENT": key, "HTTP_REFERER": key}, b""),
        ("GET", f"/v1/alerts?key={key}", {}, b""),
        ("GET", f"/v1/wisdom?q={key}", bearer, b""),
        ("POST", f"/v1/events/{key}", bearer, b"{}"),
        ("GET", f"/v1/{key}", {}, b""),
        ("GET", f"/v1/account/verify/{key}", {}, b""),
        ("GET", f"/console/{key}", {}, b""),
        ("POST", "/v1/groups/raw", bearer, in_body),
        ("POST", "/v1/key/reset", {}, in_body),
        ("POST", "/v1/wisdom/reports", bearer, in_body),
    ]


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """Catch every line as the product writes it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLine())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel("DEBUG")
    try:
        yield written
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def everything(as_owner: Callable[..., Any]) -> Iterator[tuple[str, bytes]]:
    """Give each table of each database as text, past every policy."""
    for alias in ("default", "keys", "wisdom"):
        with as_owner(alias) as session:
            tables = session.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'r'"
                " AND relnamespace = 'public'::regnamespace"
            ).fetchall()
            for (table,) in tables:
                rows = session.execute(f"SELECT t::text FROM {table} t").fetchall()  # noqa: S608 -- our own names
                yield table, "\n".join(row for (row,) in rows).encode()


@pytest.mark.filterwarnings("ignore::Warning")  # what a request provokes is not the subject
def test_a_key_is_in_no_table_and_no_log_line_wherever_it_was_put(
    tenant: tuple[UUID, str], as_owner: Callable[..., Any], now: Any
) -> None:
    key = tenant[1]
    secret = key.rpartition("_")[2][:43]
    with logged() as lines:
        client = Client(raise_request_exception=False)
        statuses = [
            client.generic(method, path, body, content_type="application/json", **headers)
            for method, path, headers, body in requests(key)
        ]
        actor = Actor(kind="shell", id="test")
        revoke_key(key=key.split("_")[1], actor=actor, reason="test", now=now)
        after = client.get("/v1/alerts", HTTP_AUTHORIZATION=basic(key))
    assert statuses[0].status_code == statuses[1].status_code == 200
    assert after.status_code == 403
    assert "Not Found" in lines.getvalue()
    forms = list(encodings(secret))
    written = {"log": lines.getvalue().encode(), **dict(everything(as_owner))}
    assert len(written["key_index"]) > 32
    assert {name for name, text in written.items() for form in forms if form in text} == set()


def test_a_line_names_a_key_by_its_public_half_alone(tenant: tuple[UUID, str]) -> None:
    with logged() as lines:
        Client().get(f"/v1/{tenant[1]}")
    public = tenant[1].rpartition("_")[0]
    assert f"{public}_…" in lines.getvalue()


def test_the_published_pattern_finds_every_key(tenant: tuple[UUID, str]) -> None:
    page = (DOCS / "keys.md").read_text("utf-8")
    (pattern,) = re.findall(r"`(twy_\[[^`]+)`", page)
    assert re.fullmatch(pattern, tenant[1])
    assert re.search(pattern, f'key = "{tenant[1]}"')
    assert re.search(pattern, tenant[1][:-1]) is None
