"""AlphaSOC for Splunk, the app that pulls findings: status first, then pages to an end.

It does not poll without a ``workspaceID``, reads 401 and 403 as an invalid key, or an expired one
where the message says so, and takes a record's ``time`` as the seconds of Splunk's event time. A
number that is no moment of the next thousand years leaves Splunk with the time of indexing.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.contracts.wire import Answer, Server, basic, request

MOST_PAGES = 100
"""Pages of one run."""
LATEST_SECOND = datetime(3000, 1, 1, tzinfo=UTC).timestamp()


class PullError(Exception):
    """Why a run ended without findings, as the app's log says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """A finding in Splunk's index; `at` is absent where its time could not be used."""

    at: datetime | None
    record: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Input:
    """One modular input; its bookmarks are kept per workspace.

    `more` is put at the end of the query, as a proxy in front of the product can do.
    """

    server: Server
    key: str
    more: str = ""
    follow: dict[str, str] = field(default_factory=dict)
    indexed: list[Indexed] = field(default_factory=list)

    def run(self) -> int:
        """Pull what is new; return how many pages it took."""
        status = self._call("/v1/account/status")
        workspace = status.get("workspaceID")
        if not workspace:
            raise PullError("no workspaceID")
        if status.get("expired"):
            raise PullError("expired")
        for page in range(1, MOST_PAGES + 1):
            follow = self.follow.get(workspace, "")
            answer = self._call(f"/v1/findings?schema=ocsf&follow={follow}{self.more}")
            self.indexed += [
                Indexed(at=_at(record["time"]), record=record) for record in answer["records"]
            ]
            self.follow[workspace] = answer["follow"]
            if not answer["more"]:
                return page
        return MOST_PAGES

    def _call(self, target: str) -> dict[str, Any]:
        headers = [
            ("Host", self.server.authority),
            ("User-Agent", "alphasoc_for_splunk/1.0.0"),
            ("Accept-Encoding", "gzip, deflate"),
            ("Accept", "*/*"),
            ("Connection", "keep-alive"),
            ("Authorization", basic(self.key)),
        ]
        return _object(self.server.send(request("GET", target, headers)))


def _at(time: float) -> datetime | None:
    return datetime.fromtimestamp(time, UTC) if time < LATEST_SECOND else None


def _object(answer: Answer) -> dict[str, Any]:
    body = json.loads(answer.body)
    if answer.status in {401, 403}:
        raise PullError("expired" if "expired" in body["message"] else "invalid key")
    if answer.status != 200:
        raise PullError(body["message"])
    assert isinstance(body, dict)
    return body
