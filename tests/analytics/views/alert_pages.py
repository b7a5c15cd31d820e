"""Alerts raised, and pages of them read as existing clients do."""

from typing import Any

from tests.analytics.engine import BAD, Engine, reporting
from tests.analytics.views.asking import get
from tests.analytics.views.go_clients import check_alerts


def raise_alerts(engine: Engine, count: int, *flags: str) -> None:
    engine.wisdom = reporting(*(flags or ("c2",)))
    engine.send([engine.event(n, srcIP=f"10.0.2.{n + 1}", destIP=BAD) for n in range(count)])
    engine.evaluate()
    engine.sequence()


def page(key: str, follow: str | None = None, **query: str) -> dict[str, Any]:
    if follow is not None:
        query["follow"] = follow
    response = get(key, "/v1/alerts", **query)
    assert response.status_code == 200, response.content
    return check_alerts(response.content)


def sources(body: dict[str, Any]) -> list[str]:
    return [alert["event"]["srcIP"] for alert in body["alerts"]]
