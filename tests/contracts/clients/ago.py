"""The vendor's trimmed Go client: account and alerts; it takes exactly 200 and an empty password.

Its own sample follows ``follow`` without looking whether it is there, and waits a minute on 429.
"""

from dataclasses import dataclass
from typing import Any

from tests.contracts import go
from tests.contracts.wire import Answer, Server, basic, request

STRING, BOOL, TIME = go.pointer(go.STRING), go.pointer(go.BOOL), go.pointer(go.TIME)
ERROR = go.struct(message=go.STRING)
STATUS = go.struct(
    today=TIME,
    registered=BOOL,
    expired=BOOL,
    expirationDate=TIME,
    endpointsSeenToday=go.pointer(go.INT32),
    messages=go.listed(go.struct(level=go.INT32, body=go.STRING)),
)
PAGE = go.struct(
    follow=STRING,
    more=BOOL,
    alerts=go.listed(
        go.struct(
            eventType=go.STRING,
            event=go.mapped(go.ANY),
            threats=go.STRINGS,
            wisdom=go.struct(flags=go.STRINGS, labels=go.STRINGS, domain=go.STRING),
        )
    ),
    threats=go.mapped(go.struct(title=go.STRING, severity=go.INT32, policy=go.BOOL)),
)


class SdkError(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


@dataclass(slots=True, kw_only=True)
class Sdk:
    """A reader with a key, looping as the sample in its description does."""

    server: Server
    key: str
    follow: str | None = None

    def status(self) -> Any:
        return _decoded(self._get("/v1/account/status"), STATUS)

    def alerts(self) -> Any:
        """Read one page; the bookmark is absent from the first call."""
        query = "" if self.follow is None else f"?follow={self.follow}"
        page = _decoded(self._get(f"/v1/alerts{query}"), PAGE)
        self.follow = go.dereferenced(page["follow"], "follow")
        go.dereferenced(page["more"], "more")
        return page

    def _get(self, target: str) -> Answer:
        headers = [
            ("Host", self.server.authority),
            ("User-Agent", "Go-http-client/1.1"),
            ("Authorization", basic(self.key)),
            ("Accept-Encoding", "gzip"),
        ]
        return self.server.send(request("GET", target, headers))


def _decoded(answer: Answer, kind: go.Type) -> Any:
    if answer.status != 200:
        raise SdkError(answer.status, go.decode(answer.body, ERROR)["message"])
    return go.decode(answer.body, kind)
