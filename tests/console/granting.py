"""What opens a grant on the console, ends it, and is shown under one."""

from collections.abc import Callable
from typing import Any

from django.urls import reverse

from tests.console.alerts import CANARIES

FORM = {"ticket": "T-77", "scopes": ["alerts", "series"], "minutes": "30", "reason": "a question"}


def end(as_owner: Callable[..., Any]) -> None:
    with as_owner() as session:
        session.execute("UPDATE access_grant SET expires_at = clock_timestamp()")


def pages(grant: Any, alert: Any) -> list[str]:
    return [
        reverse("console:grant_alerts", args=[grant]),
        reverse("console:grant_alert", args=[grant, alert]),
    ]


def shows_nothing(content: bytes) -> bool:
    return not any(each in content for each in CANARIES)
