"""Requests as existing clients make them."""

import base64
import json
from typing import Any

from django.test import Client

from analytics.ingest.events import IP, Kind


def basic(key: str, password: str | None = "") -> str:
    """Write HTTP Basic with the key as user name; ``None`` leaves the colon out too."""
    text = key if password is None else f"{key}:{password}"
    return "Basic " + base64.b64encode(text.encode()).decode()


def post(
    key: str,
    body: bytes,
    *,
    kind: Kind = IP,
    authorization: str | None = None,
    encoding: str = "",
    **extra: Any,
) -> Any:
    """Send events."""
    if encoding:
        extra["HTTP_CONTENT_ENCODING"] = encoding
    return Client(raise_request_exception=False).post(
        f"/v1/events/{kind.name}",
        data=body,
        content_type="application/json",
        HTTP_AUTHORIZATION=basic(key) if authorization is None else authorization,
        **extra,
    )


def get(key: str, path: str, **query: str) -> Any:
    """Ask for something."""
    return Client(raise_request_exception=False).get(
        path, data=query, HTTP_AUTHORIZATION=basic(key)
    )


def stated(response: Any) -> dict[str, Any]:
    """Return an error's members, and check those that every error has."""
    body: dict[str, Any] = json.loads(response.content)
    assert body["status"] == response.status_code
    assert body["message"] == body["detail"]
    assert body["message"]
    assert response["Content-Type"] == "application/json"
    return body
