"""Cribl's collector template: findings by JavaScript templates, with ``-`` as the password.

A variable without a value is the text ``undefined``. 429 and 503 are tried again after the time
that the answer names; events are what is in ``records``.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.contracts.wire import Answer, Server, basic, request

RETRIED = frozenset({429, 503})
MOST_PAGES = 50


class CollectFailed(Exception):  # noqa: N818 -- reads as a fact
    """A job that ended in an error; `wait` is when the collector tries again, if it does."""

    def __init__(self, status: int, wait: int | None) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.wait = wait


@dataclass(slots=True, kw_only=True)
class Collector:
    """One collector; its state survives between jobs."""

    server: Server
    key: str
    age: str = "3600s"
    state: dict[str, str] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)

    def job(self) -> int:
        """Collect until there are no more pages; return how many it took."""
        for page in range(1, MOST_PAGES + 1):
            answer = self._get(self.state.get("follow", "undefined"))
            body = json.loads(answer.body)
            self.events += body["records"]
            self.state["follow"] = answer.headers["x-stream-follow"]
            assert body["follow"] == self.state["follow"]
            if not body["more"]:
                return page
        raise AssertionError("it would collect for ever")

    def _get(self, follow: str) -> Answer:
        query = f"schema=ocsf&follow={follow}&maxAge={self.age}"
        headers = [
            ("accept", "application/json"),
            ("content-type", "application/json"),
            ("authorization", basic(self.key, "-")),
            ("accept-encoding", "gzip, deflate"),
            ("host", self.server.authority),
            ("connection", "close"),
        ]
        answer = self.server.send(request("GET", f"/v1/findings?{query}", headers))
        if answer.status != 200:
            after = answer.headers.get("retry-after")
            wait = int(after) if answer.status in RETRIED and after else None
            raise CollectFailed(answer.status, wait)
        return answer
