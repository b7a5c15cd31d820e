"""What the doctor finds at a service whose status a test chooses."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tawny import keys
from tawny.checkup import Check, Examination
from tests.client.loopback import Answer, Request

BODY = "twy_" + "k" * 12 + "_" + "x" * 43
GOOD_KEY = BODY + keys.checksum(BODY)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
STATUS: dict[str, Any] = {
    "today": "2026-11-24T12:00:00.123456789Z",
    "registered": True,
    "expired": False,
    "expirationDate": "2027-11-24T12:00:00Z",
    "endpointsSeenToday": 12,
    "messages": [],
    "workspaceID": "w",
    "key": {
        "id": "kkkkkkkkkkkk",
        "label": "sensor 1",
        "scopes": ["ingest:write", "alerts:read", "account:read", "wisdom:read"],
        "expiresAt": None,
    },
    "eventsKept": {"dns": 1200, "ip": 0},
}


def well(request: Request) -> Answer:
    if request.path in ("/healthz", "/readyz"):
        return Answer(body={"status": "ok"})
    return Answer(body=STATUS)


def saying(status: dict[str, Any]) -> Callable[[Request], Answer]:
    def answer(request: Request) -> Answer:
        return Answer(body=status) if request.path == "/v1/account/status" else well(request)

    return answer


def examined(url: str, tmp_path: Path, *, late: float = 0.0, **given: Any) -> dict[str, Check]:
    """Examine at ``NOW``, by a clock that is ``late`` seconds off."""
    options: dict[str, Any] = {
        "url": url, "key": GOOD_KEY, "environment": {}, "state": tmp_path / "state" / "tawny",
        "clock": lambda: NOW.timestamp() + late, "timer": lambda: 0.0,
    }  # fmt: skip
    return {check.name: check for check in Examination(**options | given).checks()}


def unwell(checks: dict[str, Check]) -> set[str]:
    return {name for name, check in checks.items() if check.state in ("warning", "failed")}
