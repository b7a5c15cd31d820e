"""The vendor's Go client of 2021, generated from its OpenAPI file.

It writes events one after the other with nothing between, takes a body only under a JSON content
type, and decodes 400, 401, 403 and 429 as errors with a message. Its alerts have no threats yet.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.contracts import go
from tests.contracts.wire import Answer, Server, basic, request

AGENT = "OpenAPI-Generator/1.0.0/go"
_JSON = re.compile(r"(?:application|text)/(?:vnd\.[^;]+\+)?json", re.IGNORECASE)
_STATED = frozenset({400, 401, 403, 429})

STRING, BOOL, TIME = go.pointer(go.STRING), go.pointer(go.BOOL), go.pointer(go.TIME)
INT32, INT64 = go.pointer(go.INT32), go.pointer(go.INT64)
ERROR = go.struct(message=STRING)
COUNTS = go.struct(received=INT64, accepted=INT64)
MESSAGE = go.struct(level=INT32, body=STRING)
STATUS = go.struct(
    today=TIME,
    registered=BOOL,
    expired=BOOL,
    expirationDate=TIME,
    endpointsSeenToday=INT32,
    messages=go.listed(MESSAGE),
)
EVENT = go.struct(
    ts=TIME,
    srcPort=INT32,
    destPort=INT32,
    bytesIn=INT64,
    bytesOut=INT64,
    status=INT64,
    duration=go.pointer(go.FLOAT64),
    validFrom=TIME,
    validTo=TIME,
    **dict.fromkeys(
        (
            "srcIP", "srcHost", "srcMac", "srcUser", "srcID", "query", "qtype", "destIP", "proto",
            "app", "action", "url", "method", "contentType", "referrer", "userAgent", "certHash",
            "issuer", "subject", "ja3", "ja3s",
        ),
        STRING,
    ),
)  # fmt: skip
PAGE = go.struct(
    follow=STRING,
    more=BOOL,
    alerts=go.listed(go.struct(eventType=STRING, event=go.pointer(EVENT))),
)
THREATS = go.struct(
    threats=go.mapped(go.struct(title=go.STRING, severity=go.INT32, policy=go.BOOL))
)
FLAGS = go.struct(flags=go.mapped(go.struct(title=go.STRING, type=go.STRING)))
KEY = go.struct(key=STRING)


class GeneratedError(Exception):
    """The generated client's error: a status and, where the spec states it, a message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """A client with a key."""

    server: Server
    key: str

    def status(self) -> Any:
        return self._call("GET", "/v1/account/status", STATUS)

    def send(self, kind: str, events: Sequence[dict[str, Any]]) -> Any:
        """Send events as the converters do: objects with nothing between."""
        body = b"".join(go.encode(each) for each in events)
        return self._call("POST", f"/v1/events/{kind}", COUNTS, body)

    def alerts(self, follow: str | None = None) -> Any:
        query = "" if follow is None else f"?follow={follow}"
        return self._call("GET", f"/v1/alerts{query}", PAGE)

    def threats(self) -> Any:
        return self._call("GET", "/v1/ae/inventory/threats", THREATS)["threats"]

    def flags(self) -> Any:
        return self._call("GET", "/v1/ae/inventory/flags", FLAGS)["flags"]

    def request_key(self) -> Any:
        body = go.encode({"platform": {"name": "go", "version": "1"}, "uname": "u", "token": ""})
        return self._call("POST", "/v1/key/request", KEY, body, authorized=False)["key"]

    def reset_key(self, email: str) -> Any:
        body = go.encode({"email": email})
        return self._call("POST", "/v1/key/reset", go.ANY, body, authorized=False)

    def register(self, **details: Any) -> Any:
        body = go.encode({"details": details})
        return self._call("POST", "/v1/account/register", go.ANY, body)

    def _call(
        self, method: str, target: str, kind: go.Type, body: bytes = b"", *, authorized: bool = True
    ) -> Any:
        headers = [("Host", self.server.authority), ("User-Agent", AGENT)]
        if body:
            headers.append(("Content-Length", str(len(body))))
        headers.append(("Accept", "application/json"))
        if authorized:
            headers.append(("Authorization", basic(self.key)))
        if body:
            headers.append(("Content-Type", "application/json"))
        headers.append(("Accept-Encoding", "gzip"))
        answer = self.server.send(request(method, target, headers, body))
        if answer.status != 200:
            text = _decoded(answer, ERROR)["message"] if answer.status in _STATED else None
            raise GeneratedError(answer.status, text or "")
        return _decoded(answer, kind)


def _decoded(answer: Answer, kind: go.Type) -> Any:
    if not _JSON.match(answer.headers.get("content-type", "")):
        raise go.Undecodable("undefined response type")
    return go.decode(answer.body, kind)
