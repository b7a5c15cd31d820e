"""What was accepted lately, from the counts that the audit log keeps by the minute.

One scan of two days' partitions answers three questions: how much in each minute of the last hour,
in each hour of the last day, and when each tenant was last heard.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from audit.events import EventType
from audit.scope import all_tenants_audit
from console.charts import Bars, bars

MINUTES = 60
HOURS = 24
_COUNTED = """
SELECT minute, tenant, sum(items)::bigint, max(minute) FROM audit_tally
 WHERE event = %s AND minute > %s AND minute <= %s AND items > 0
 GROUP BY GROUPING SETS ((minute), (tenant))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Accepted events by minute and by hour, the oldest first, and each tenant's newest minute.

    The running minute is not among the minutes: it is not over.
    """

    minutes: Bars
    hours: Bars
    heard: Mapping[UUID, datetime]

    @property
    def last_minute(self) -> int:
        """Events of the last minute that is over."""
        return self.minutes.bars[-1].value

    @property
    def last_hour(self) -> int:
        """Events of the last sixty minutes that are over."""
        return self.minutes.total

    @property
    def last_day(self) -> int:
        """Events of the last twenty-four hours."""
        return self.hours.total


def traffic(*, now: datetime) -> Traffic:
    """Read the last day; the counts name tenants, so a page that shows them is recorded."""
    minute = now.replace(second=0, microsecond=0)
    hour = minute.replace(minute=0)
    first = hour - timedelta(hours=HOURS - 1)
    with all_tenants_audit("reader", using="default"), connection.cursor() as cursor:
        cursor.execute(
            _COUNTED, [EventType.EVENTS_ACCEPTED.value, first - timedelta(minutes=1), now]
        )
        rows = cursor.fetchall()
    by_minute = {row[0]: row[2] for row in rows if row[0] is not None}
    heard = {row[1]: row[3] for row in rows if row[1] is not None}
    by_hour: dict[datetime, int] = {}
    for at, items in by_minute.items():
        start = at.replace(minute=0)
        by_hour[start] = by_hour.get(start, 0) + items
    minutes = [minute - timedelta(minutes=ago) for ago in range(MINUTES, 0, -1)]
    hours = [hour - timedelta(hours=ago) for ago in range(HOURS - 1, -1, -1)]
    return Traffic(
        minutes=bars([(f"{at:%H:%M}", by_minute.get(at, 0)) for at in minutes]),
        hours=bars([(f"{at:%d %b %H:00}", by_hour.get(at, 0)) for at in hours]),
        heard=heard,
    )
