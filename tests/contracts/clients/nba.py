"""Network Behavior Analytics, the Splunk app that sends: Python, and HTTPS whatever it is told.

A batch is objects with nothing between, gzipped. It is kept after a 5xx (the newest twenty
batches), dropped after any other refusal, and a 403 is read as a key that is not valid. A 200 whose
body is not an object is an error.
"""

import gzip
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.contracts.wire import Answer, Server, basic, request

PRODUCT = "network_behavior_analytics"
AGENT = f"{PRODUCT}/3.1.0 (Splunk 9.1.2, search.example)"
KEPT_BATCHES = 20
MOST_PAGES = 50
SECTIONS = frozenset({"dns", "ip", "http", "tls"})
SEVERITIES = {1: "informational", 2: "low", 3: "medium", 4: "high", 5: "critical"}
FLAG_TYPES = frozenset({"category", "feature"})
EVENT_TIME = "%d-%b-%Y %H:%M:%S%z"


class AppError(Exception):
    """What the app writes to its log or shows on its setup page."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class InvalidKey(AppError):  # noqa: N818 -- reads as a fact
    """The API key is not valid: the app stops sending."""


@dataclass(slots=True, kw_only=True)
class App:
    """One installation on a search head."""

    server: Server
    key: str = ""
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    follow: str = ""
    destinations_follow: str = ""
    stored: list[tuple[str, bytes]] = field(default_factory=list)
    dropped: int = 0
    stats: list[dict[str, Any]] = field(default_factory=list)
    indexed: list[dict[str, Any]] = field(default_factory=list)
    summaries: list[dict[str, Any]] = field(default_factory=list)

    def status(self) -> dict[str, Any]:
        """Ask where the account stands; ``registered`` has to be there."""
        status = self._call("GET", f"/v1/account/status?p={PRODUCT}")
        if "registered" not in status:
            raise AppError(200, "Unexpected API error (0x02)")
        return status

    def request_key(self) -> str:
        """Ask for a key from the setup page."""
        body = {"platform": {"name": "Splunk", "version": None}, "uname": "Linux | search | 6.1"}
        self.key = str(self._call("POST", "/v1/key/request", body, authorized=False)["key"])
        return self.key

    def register(self, **details: str) -> dict[str, Any]:
        return self._call("POST", "/v1/account/register", {"details": details})

    def reset(self, email: str) -> dict[str, Any]:
        return self._call("POST", "/v1/key/reset", {"email": email}, authorized=False)

    def send(self, section: str, items: Sequence[Mapping[str, Any]]) -> None:
        """Send a batch; DHCP and VPN go to ``lease``."""
        self._deliver(section, gzip.compress("".join(map(json.dumps, items)).encode()))

    def resend(self) -> None:
        """Send what was kept, the oldest first."""
        waiting, self.stored = self.stored, []
        for section, packed in waiting:
            self._deliver(section, packed)

    def poll(self) -> None:
        """Index alerts until there are no more, by the time of their event."""
        found: list[dict[str, Any]] = []
        for _ in range(MOST_PAGES):
            page = self._call("GET", f"/v1/alerts?follow={self.follow}&threats=all")
            found += [_indexed(alert, page["threats"]) for alert in page["alerts"]]
            self.follow = page["follow"]
            if not page["more"]:
                break
        else:
            raise AssertionError("it would ask for ever")
        self.indexed += sorted(found, key=lambda each: each["at"])

    def pull_destinations(self) -> None:
        """Pull the daily summaries until there are no more."""
        for _ in range(MOST_PAGES):
            page = self._call("GET", f"/v1/dailyDestinations?follow={self.destinations_follow}")
            assert isinstance(page["destinations"], list)
            self.summaries += page["destinations"]
            self.destinations_follow = page["follow"]
            if not page["more"]:
                return
        raise AssertionError("it would ask for ever")

    def threats(self) -> dict[str, tuple[str, int]]:
        """Fill the look-up of threats; one without a title or a numeric severity is skipped."""
        entries = self._call("GET", "/v1/ae/inventory/threats")["threats"]
        return {
            name: (entry["title"], int(entry["severity"]))
            for name, entry in entries.items()
            if "title" in entry and str(entry.get("severity", "")).isdecimal()
        }

    def flags(self) -> dict[str, str]:
        """Fill the look-up of flags; one of another type than the app knows is skipped."""
        entries = self._call("GET", "/v1/ae/inventory/flags")["flags"]
        return {n: each["title"] for n, each in entries.items() if each["type"] in FLAG_TYPES}

    def send_groups(self, groups: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Send the monitoring scope, once an installation."""
        return self._call("POST", "/v1/groups/raw", {"version": "1", "groups": list(groups)})

    def _deliver(self, section: str, packed: bytes) -> None:
        more = [("X-AlphaSOC-Backlog", "12")]
        answer = self._ask("POST", f"/v1/events/{section}", packed, more=more)
        if answer.status >= 500:
            self.stored = [*self.stored, (section, packed)][-KEPT_BATCHES:]
        elif answer.status == 403:
            raise InvalidKey(403, "API key is not valid")
        elif answer.status != 200:
            self.dropped += 1
        else:
            self.stats.append({"type": "stats_queries", "section": section, **_object(answer)})

    def _call(
        self,
        method: str,
        target: str,
        body: Mapping[str, Any] | None = None,
        *,
        authorized: bool = True,
    ) -> dict[str, Any]:
        packed = b"" if body is None else gzip.compress(json.dumps(body).encode())
        answer = self._ask(method, target, packed, authorized=authorized)
        if answer.status == 403:
            raise InvalidKey(403, "API key is not valid")
        if answer.status != 200:
            raise AppError(answer.status, _object(answer)["message"])
        return _object(answer)

    def _ask(
        self,
        method: str,
        target: str,
        packed: bytes,
        *,
        authorized: bool = True,
        more: Sequence[tuple[str, str]] = (),
    ) -> Answer:
        headers = [
            ("Host", self.server.authority),
            ("Accept-Encoding", "gzip"),
            ("User-Agent", AGENT),
            ("X-AlphaSOC-App-Uuid", self.uuid),
            *more,
        ]
        if authorized:
            headers.append(("Authorization", basic(self.key)))
        if packed:
            headers += [
                ("Content-Type", "application/json"),
                ("Content-Encoding", "gzip"),
                ("Content-Length", str(len(packed))),
            ]
        return self.server.send(request(method, target, headers, packed))


def stamp(moment: datetime) -> str:
    """Write a time as the app does: whole seconds, no colon in the offset."""
    return f"{moment:%Y-%m-%dT%H:%M:%S%z}"


def _object(answer: Answer) -> dict[str, Any]:
    body = json.loads(answer.body)
    if not isinstance(body, dict):
        raise AppError(answer.status, "Unexpected API error (0x01)")
    return body


def _indexed(alert: dict[str, Any], threats: dict[str, Any]) -> dict[str, Any]:
    """Make the event that Splunk indexes."""
    section, event = alert["eventType"], alert["event"]
    if section not in SECTIONS:
        raise AppError(200, f"unknown section {section}")
    worst = max(alert["threats"], key=lambda name: int(threats[name]["severity"]))
    severity = int(threats[worst]["severity"])
    at = datetime.fromisoformat(event["ts"])
    return {
        "app": "alphasoc:nba",
        "type": "alert",
        "section": section,
        "at": at,
        "original_event": at.strftime(EVENT_TIME),
        "threats": alert["threats"],
        "wisdom": alert["wisdom"],
        "severity_id": severity,
        "severity": SEVERITIES[severity],
        "subject": threats[worst]["title"],
        "src_ip": event.get("srcIP"),
        "src_host": event.get("srcHost"),
        "dest_ip": event.get("destIP"),
        "dest_host": event.get("query"),
    }
