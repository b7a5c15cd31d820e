"""The SOAR platform's two packs, in JavaScript: alerts become incidents, and names are looked up.

Neither encodes what it puts into a URL. Any 2xx will do; what JavaScript calls falsy is missing, so
that ``[]`` is there and ``""`` is not.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.contracts.wire import Answer, Server, basic, request


class PackError(Exception):
    """What an integration's instance shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One pair of alert and threat."""

    name: str
    severity: float
    raw: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class AlertsPack:
    """An instance that fetches incidents: one page a fetch, whatever ``more`` says."""

    server: Server
    key: str
    severity: int = 3
    policy: bool = False
    follow: str = "0"
    incidents: list[Incident] = field(default_factory=list)

    def test(self) -> str:
        """Press the test button."""
        return "ok" if _is_truthy(self._page().get("alerts")) else "no alerts in the answer"

    def fetch(self) -> int:
        """Fetch incidents; return how many are new."""
        page = self._page()
        before = len(self.incidents)
        for alert in page["alerts"]:
            for name in alert["threats"]:
                threat = page["threats"].get(name)
                if threat is None or (threat.get("policy") and not self.policy):
                    continue
                self.incidents.append(
                    Incident(
                        name=threat["title"], severity=_severity(threat["severity"]), raw=alert
                    )
                )
        if _is_truthy(page.get("follow")):
            self.follow = page["follow"]
        return len(self.incidents) - before

    def _page(self) -> dict[str, Any]:
        query = f"follow={self.follow}&minSeverity={self.severity}&threats=all"
        return _get(self.server, self.key, f"/v1/alerts?{query}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WisdomPack:
    """An instance that answers the commands ``domain`` and ``ip``."""

    server: Server
    key: str

    def domain(self, text: str) -> list[str]:
        """Look a name up; scheme, path and port are cut off here."""
        bare = text.rpartition("://")[2].partition("/")[0].partition(":")[0]
        return self._flags(bare)

    def ip(self, address: str, port: int, proto: str = "tcp") -> list[str]:
        """Look an address up with its port; IPv6 in brackets."""
        host = f"[{address}]" if ":" in address else address
        return self._flags(f"{proto}:{host}:{port}")

    def _flags(self, question: str) -> list[str]:
        flags = _get(self.server, self.key, f"/v1/wisdom?q={question}")["flags"]
        if not isinstance(flags, list):
            raise PackError("Cannot read property 'length'")
        return flags


def _get(server: Server, key: str, target: str) -> dict[str, Any]:
    headers = [
        ("Host", server.authority),
        ("User-Agent", "Go-http-client/1.1"),
        ("Accept", "application/json"),
        ("Authorization", basic(key)),
        ("Accept-Encoding", "gzip"),
    ]
    answer: Answer = server.send(request("GET", target, headers))
    if answer.status in {401, 403}:
        raise PackError("invalid API key")
    if not 200 <= answer.status < 300:
        raise PackError(f"{answer.status}: {json.loads(answer.body)['message']}")
    body = json.loads(answer.body)
    assert isinstance(body, dict)
    return body


def _is_truthy(value: Any) -> bool:
    return isinstance(value, list | dict) or bool(value)


def _severity(severity: int) -> float:
    """Scale from 0-5 to the platform's 0-4."""
    assert severity in range(6)
    return 0.5 if severity == 1 else float(max(severity - 1, 0))
