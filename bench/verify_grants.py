"""What a staff grant's policy costs on the alerts' page, beside ISO-5's manner of asking.

Serves from a folder that goes away, fills the alerts with rows of a hundred tenants and the grants
with five thousand, and asks for a page of alerts as ``tawny_staff``: under a live grant with the
policies, and with the tenant in WHERE and without them, in turns. Exit status 1 where it costs more
than ISO-5 lets a policy cost, or where no index serves it; with ``--json`` the last line of stdout
is one JSON value.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from bench.home import throwaway
from bench.verify_isolation import (
    MOST_MILLISECONDS,
    MOST_SHARE,
    QUERIES,
    TENANT,
    fill,
    without_policies,
)
from config.embedded import state
from config.embedded.progress import on_stderr
from config.embedded.roles import connect

GRANTS = 5_000
STAFF, GRANT = UUID(int=7), UUID(int=9)
ALERTS = next(each for each in QUERIES if each.table == "alert")
PAGE = (
    "SELECT id, severity, sealed FROM alert WHERE tenant_id = %(tenant)s ORDER BY day DESC, id"
    " LIMIT 51"
)
_FILL = """
INSERT INTO access_grant (tenant_id, id, staff_id, scopes, reason, ticket, created_at, expires_at)
SELECT lpad(to_hex(n %% 100), 32, '0')::uuid, CASE n WHEN 50 THEN %(grant)s ELSE gen_random_uuid()
       END, %(staff)s, '["alerts"]', 'r', 't', now(),
       now() + interval '60 minutes'
  FROM generate_series(0, %(last)s) AS n
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Medians in milliseconds of a page's transaction; `plan` as PostgreSQL explains it."""

    rows: int
    without: float
    granted: float
    plan: str

    @property
    def is_met(self) -> bool:
        """Whether the policy costs no more than ISO-5 lets one, and indexes serve it."""
        cost = self.granted - self.without
        indexed = "Seq Scan" not in self.plan and "access_grant_id" in self.plan
        once = self.plan.count("InitPlan") > 0 and "SubPlan" not in self.plan
        return cost <= MOST_MILLISECONDS and cost <= self.without * MOST_SHARE and indexed and once


def set_up(staff: Any) -> None:
    """Make the settings that `tenants.scope.staff_scope` makes."""
    from tenants.scope import settings_of  # noqa: PLC0415 -- settings are read once it is served

    for name, value in settings_of(GRANT, STAFF, limit=timedelta(seconds=60)).items():
        staff.execute("SELECT set_config(%s, %s, true)", [name, value])


def asked(staff: Any) -> float:
    """Ask for the page in a transaction of its own; return how many milliseconds all of it took."""
    begun = time.perf_counter()
    with staff.transaction():
        set_up(staff)
        staff.execute(PAGE, {"tenant": TENANT}).fetchall()
    return (time.perf_counter() - begun) * 1e3


def measure(owner: Any, staff: Any, *, rows: int, rounds: int) -> Cost:
    """Measure both ways, in ten turns of each."""
    taken: dict[str, list[float]] = {"without": [], "granted": []}

    def turn(way: str) -> None:
        spent = [asked(staff) for _ in range(rounds // 10 + 10)]
        taken[way].extend(spent[10:])  # plans are made and pages read by then

    for _ in range(10):
        with without_policies(owner, "alert"):
            turn("without")
        turn("granted")
    with staff.transaction():
        set_up(staff)
        lines = staff.execute(f"EXPLAIN {PAGE}", {"tenant": TENANT}).fetchall()
    return Cost(
        rows=rows,
        plan="\n".join(line for (line,) in lines),
        without=statistics.median(taken["without"]),
        granted=statistics.median(taken["granted"]),
    )


def verify(*, rows: int, rounds: int) -> Cost:
    """Measure on servers of its own."""
    progress = on_stderr()
    with throwaway(progress):
        reached = state.connection()
        assert reached is not None, "the servers were just started"
        with (
            connect(reached, user="postgres", database="tawny") as owner,
            connect(reached, user="tawny_staff", database="tawny") as staff,
        ):
            with progress.step(f"{rows} alerts, {GRANTS} grants"):
                fill(owner, ALERTS, rows)
                owner.execute(_FILL, {"grant": GRANT, "staff": STAFF, "last": GRANTS})
                owner.execute("ANALYZE access_grant")
            return measure(owner, staff, rows=rows, rounds=rounds)


def main(arguments: Sequence[str] | None = None, *, write: Callable[[str], Any] = print) -> int:
    """Verify; return the exit status."""
    parser = argparse.ArgumentParser(description="What a staff grant's policy costs.")
    parser.add_argument("--rows", type=int, default=1_000_000, help="alerts")
    parser.add_argument("--rounds", type=int, default=1_000, help="times that the page is asked")
    parser.add_argument("--json", action="store_true", help="end with one JSON value")
    options = parser.parse_args(arguments)
    found = verify(rows=options.rows, rounds=options.rounds)
    cost = found.granted - found.without
    write(found.plan)
    write(
        f"a page of alerts: {found.without:.3f} ms, under a grant {found.granted:.3f} ms"
        f" ({cost:+.3f} ms, {cost / found.without:+.0%}): {'met' if found.is_met else 'NOT MET'}"
    )
    if options.json:
        write(json.dumps({**asdict(found), "met": found.is_met}))
    return 0 if found.is_met else 1


if __name__ == "__main__":
    sys.exit(main())
