"""``alphasocbeat``: names gzip on a GET without a body, and follows pointers without looking.

It keeps the bookmark before it publishes, backs off from one second to sixty on 429, and makes one
event of each alert with the severities of its threats.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.contracts import go
from tests.contracts.wire import Server, basic, request

ERROR = go.struct(message=go.STRING)
PAGE = go.struct(
    follow=go.STRING,
    more=go.BOOL,
    after=go.STRING,
    before=go.STRING,
    alerts=go.listed(
        go.struct(
            eventType=go.STRING,
            event=go.mapped(go.ANY),
            threats=go.STRINGS,
            wisdom=go.struct(flags=go.STRINGS, labels=go.STRINGS, domain=go.STRING),
        )
    ),
    threats=go.mapped(go.struct(title=go.STRING, severity=go.INT, policy=go.BOOL)),
)


class BeatError(Exception):
    """An answer other than 200: nothing is kept, and the poll is tried again."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


@dataclass(slots=True, kw_only=True)
class Beat:
    """One beat: its key, its bookmark and what it published."""

    server: Server
    key: str
    follow: str = ""
    published: list[dict[str, Any]] = field(default_factory=list)

    def poll(self) -> bool:
        """Read one page and publish it; say whether more follow."""
        query = f"?follow={self.follow}" if self.follow else ""
        headers = [
            ("Host", self.server.authority),
            ("User-Agent", "Go-http-client/1.1"),
            ("Authorization", basic(self.key)),
            ("Content-Encoding", "gzip"),
            ("Accept-Encoding", "gzip"),
        ]
        answer = self.server.send(request("GET", f"/v1/alerts{query}", headers))
        if answer.status != 200:
            raise BeatError(answer.status, go.decode(answer.body, ERROR)["message"])
        page = go.decode(answer.body, PAGE)
        alerts = go.dereferenced(page["alerts"], "alerts")
        self.follow = page["follow"]
        self.published += [_published(each, page["threats"]) for each in alerts]
        return bool(page["more"])


def _published(alert: dict[str, Any], threats: dict[str, Any]) -> dict[str, Any]:
    time = alert["event"].get("ts")
    if type(time) is not str:
        raise go.Panic("interface conversion: ts is no string")
    go.TIME.of(time, "ts")
    severities = [threats[each]["severity"] for each in alert["threats"]]
    return alert | {"@timestamp": time, "severity": max(severities)}
