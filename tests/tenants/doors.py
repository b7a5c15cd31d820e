"""Requests to the doors of accounts and keys, and what they leave behind."""

import base64
import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core import mail
from django.test import Client

from tenants import letters

DETAILS = {"name": "Ann Example", "email": "Ann@Example.org"}


def basic(key: str, password: str = "") -> str:
    return "Basic " + base64.b64encode(f"{key}:{password}".encode()).decode()


def post(path: str, body: Any, *, key: str = "", address: str = "192.0.2.1", **extra: Any) -> Any:
    """Post JSON, or bytes as they are."""
    if key:
        extra["HTTP_AUTHORIZATION"] = basic(key)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Client(raise_request_exception=False).post(
        path, data=data, content_type="application/json", REMOTE_ADDR=address, **extra
    )


def get(path: str, *, key: str = "", address: str = "192.0.2.1", **extra: Any) -> Any:
    if key:
        extra["HTTP_AUTHORIZATION"] = basic(key)
    return Client(raise_request_exception=False).get(path, REMOTE_ADDR=address, **extra)


def requested(**where: Any) -> str:
    """Ask for a provisional key as an existing client does."""
    body = {"platform": {"name": "nfr-linux-amd64"}, "token": ""}
    answer = post("/v1/key/request", body, **where)
    assert answer.status_code == 200, answer.content
    key: str = answer.json()["key"]
    return key


def status(key: str, **extra: Any) -> dict[str, Any]:
    answer = get("/v1/account/status?p=x", key=key, **extra)
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def mailed(now: datetime) -> list[str]:
    """Send what waits; return the path and query of each link that was mailed."""
    before = len(mail.outbox)
    letters.deliver(now=now)
    found = [re.search(r"https?://[^/]+(/\S+)", str(each.body)) for each in mail.outbox[before:]]
    return [link.group(1) for link in found if link]


def registered(key: str, now: datetime, **details: Any) -> str:
    """Register and press the mailed button; return the mailed link."""
    answer = post("/v1/account/register", {"details": DETAILS | details}, key=key)
    assert (answer.status_code, answer.json()) == (200, {})
    (link,) = mailed(now)
    assert post(link, b"").status_code == 200
    return link


def deeds(as_owner: Callable[..., Any]) -> list[str]:
    """Return the events in the audit log, in the order in which they were written."""
    with as_owner() as session:
        return [
            event
            for (event,) in session.execute("SELECT event FROM audit_stage ORDER BY id, event")
        ]
