"""Who had an address when: host, hardware address and user of a source, from leases. Pure."""

from bisect import bisect_right
from dataclasses import dataclass, field

import pyarrow as pa

from analytics.ingest.times import SECOND

COLUMNS = ("ts", "srcIP", "srcHost", "srcMac", "srcUser", "termination", "duration")
"""The columns of a `lease` row that say who had an address."""
NAMES = ("srcHost", "srcMac", "srcUser")
"""What a lease adds to an event that lacks it."""
LASTS = 86_400 * SECOND
"""Nanoseconds that a lease without a duration holds: the usual default of DHCP servers."""


@dataclass(slots=True)
class _History:
    times: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    names: list[dict[str, str]] = field(default_factory=list)


class Leases:
    """The leases of some sources, asked as of a time.

    A lease holds from its time on until its duration is over, its end is announced, or another
    lease of the address begins. Of leases of one time the one whose names sort last holds, so that
    the order in which they came decides nothing.
    """

    def __init__(self, table: pa.Table) -> None:
        self._histories: dict[bytes, _History] = {}
        rows = table.select(list(COLUMNS)).to_pylist()
        for row in sorted(rows, key=lambda row: (row["ts"], [row[name] for name in NAMES])):
            history = self._histories.setdefault(row["srcIP"], _History())
            is_over = row["termination"] == 1
            lasts = row["duration"] * SECOND if row["duration"] >= 0 else LASTS
            history.times.append(row["ts"])
            history.ends.append(row["ts"] if is_over else row["ts"] + lasts)
            history.names.append({name: row[name] for name in NAMES if row[name]})

    def at(self, source: bytes, time: int) -> dict[str, str]:
        """Return the names of who had `source`, a packed address, at `time` in nanoseconds."""
        history = self._histories.get(source)
        if history is None:
            return {}
        place = bisect_right(history.times, time) - 1
        if place < 0 or history.ends[place] <= time:
            return {}
        return history.names[place]
