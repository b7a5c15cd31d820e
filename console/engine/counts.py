"""Counts of many tenants, one statement a question, each tenant's in its own scope.

The functions in the database (`console/migrations`, docs/adr/0024) open each tenant's scope in
turn: a page costs the same number of statements for one tenant and for two hundred.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connections

SEVERITIES = (
    (5, "critical"),
    (4, "high"),
    (3, "medium"),
    (2, "low"),
    (1, "informational"),
)
"""The five severities of an alert, the worst first."""
EVER = date(1970, 1, 1)
"""A day before every row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """How many alerts a span of days has, and how many of them are open, by severity."""

    every: int = 0
    still_open: Mapping[int, int] = field(default_factory=dict)

    @property
    def open(self) -> int:
        """Open alerts of every severity."""
        return sum(self.still_open.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class DayUse:
    """What a tenant sent on one UTC day."""

    day: date
    events: int
    requests: int
    octets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DataKeys:
    """The data keys of one class and thirty-day epoch, over all tenants."""

    series_class: str
    epoch: int
    keys: int
    oldest: datetime


def alerts(tenants: Iterable[UUID], *, since: date) -> dict[UUID, Alerts]:
    """Count the alerts of days from `since` on; a tenant without any is not in the answer."""
    every: dict[UUID, int] = defaultdict(int)
    still_open: dict[UUID, dict[int, int]] = defaultdict(dict)
    for tenant, severity, is_open, count in _asked("console_alerts", tenants, since):
        every[tenant] += count
        if is_open:
            still_open[tenant][severity] = count
    return {
        tenant: Alerts(every=count, still_open=still_open[tenant])
        for tenant, count in every.items()
    }


def usage(tenants: Iterable[UUID], *, since: date) -> dict[UUID, list[DayUse]]:
    """Return each tenant's days of use from `since` on, the oldest first."""
    days: dict[UUID, list[DayUse]] = defaultdict(list)
    for tenant, day, events, requests, octets in _asked("console_usage", tenants, since):
        days[tenant].append(DayUse(day=day, events=events, requests=requests, octets=octets))
    for each in days.values():
        each.sort(key=lambda use: use.day)
    return dict(days)


def data_keys(tenants: Iterable[UUID]) -> list[DataKeys]:
    """Count data keys by class and epoch, the newest epoch first."""
    found: dict[tuple[str, int], tuple[int, datetime]] = {}
    for name, epoch, count, oldest in _asked("console_data_keys", tenants, EVER):
        keys, first = found.get((name, epoch), (0, oldest))
        found[name, epoch] = keys + count, min(first, oldest)
    return [
        DataKeys(series_class=name, epoch=epoch, keys=keys, oldest=oldest)
        for (name, epoch), (keys, oldest) in sorted(
            found.items(), key=lambda item: (item[0][0], -item[0][1])
        )
    ]


def tenant_keys(tenants: Iterable[UUID]) -> dict[tuple[str, str, int], int]:
    """Count the tenants' keys that are not destroyed, by the root version that wraps them."""
    found: dict[tuple[str, str, int], int] = defaultdict(int)
    asked = _asked("console_tenant_keys", tenants, EVER, using="keys")
    for provider, key_id, version, count in asked:
        found[provider, key_id, version] += count
    return found


def _asked(
    function: str, tenants: Iterable[UUID], since: date, *, using: str = "default"
) -> list[tuple[Any, ...]]:
    with connections[using].cursor() as cursor:
        cursor.callproc(function, [list(tenants), since])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
