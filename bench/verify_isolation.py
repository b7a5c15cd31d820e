"""``make verify``: what row-level security costs on the five hottest queries (ISO-5).

Serves from a folder that goes away, fills five tables with a million rows of a hundred tenants
each, and asks each query in a tenant's scope with the policies and without them, in turns, so that
both meet the same machine. Some two minutes. Exit status 1 where a bar is not met; with ``--json``
the last line of stdout is one JSON value.
"""

import argparse
import json
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from bench.home import throwaway
from config.embedded import state
from config.embedded.progress import on_stderr
from config.embedded.roles import connect

TENANTS = 100
MOST_MILLISECONDS = 0.2
MOST_SHARE = 0.20
"""ISO-5: what the policies may add to a query's median, and which share of it."""
TENANT = UUID(int=50)

_ROWS = """
INSERT INTO {table} ({columns})
SELECT lpad(to_hex(n %% {tenants}), 32, '0')::uuid, {values} FROM generate_series(0, %s) AS n
"""
# The id's first bits are a time: no day's partition claims it, so that one holds all of them.
_ID = "lpad(to_hex(n), 32, '0')::uuid"
_START = "TIMESTAMPTZ '2026-01-01Z' + n / 100 %% 2000 * INTERVAL '1 hour'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query as the product asks it, and what fills the table it asks."""

    name: str
    table: str
    columns: str
    values: str
    sql: str


QUERIES = (
    Query(
        name="a page of the alerts' order",
        table="alert_change",
        columns="tenant_id, id, alert_id, kind, severity, seq",
        values=f"{_ID}, {_ID}, 'opened', 3, n / {TENANTS}",
        sql="SELECT alert_id, seq FROM alert_change WHERE tenant_id = %(tenant)s AND seq > 5000"
        " AND kind IN ('opened', 'raised') ORDER BY seq LIMIT 501",
    ),
    Query(
        name="the alerts of a page",
        table="alert",
        columns="tenant_id, id, detection, severity, state, day, shard, source_index,"
        " destination_index, content_digest, opened_at, sealed",
        values=f"{_ID}, 'beacon', 3, 'open', DATE '2026-01-01' + n / 100 %% 90, 0, '\\x00',"
        " '\\x00', '\\x00', '2026-01-01Z', decode(repeat('ab', 200), 'hex')",
        sql="SELECT id, severity, sealed FROM alert WHERE tenant_id = %(tenant)s AND state = 'open'"
        " AND id = ANY (ARRAY(SELECT lpad(to_hex(50 + 100 * n), 32, '0')::uuid"
        " FROM generate_series(1, 100) AS n))",
    ),
    Query(
        name="the segments of a window",
        table="segment",
        columns="tenant_id, id, kind, shard, start, schema, rows, sealed",
        values=f"{_ID}, 'ip', n / 100 %% 4, {_START}, 1, 10, decode(repeat('ab', 200), 'hex')",
        sql="SELECT id, sealed FROM segment WHERE tenant_id = %(tenant)s AND kind = 'ip'"
        " AND shard = 1 AND start = '2026-01-05T01:00Z'",
    ),
    Query(
        name="the identities of a window",
        table="identity_run",
        columns="tenant_id, id, kind, shard, start, rows, sealed",
        values=f"{_ID}, 'ip', n / 100 %% 4, {_START}, 10, decode(repeat('ab', 200), 'hex')",
        sql="SELECT id, sealed FROM identity_run WHERE tenant_id = %(tenant)s AND kind = 'ip'"
        " AND shard = 1 AND start = '2026-01-05T01:00Z'",
    ),
    Query(
        name="a window, as an hour's events take effect",
        table="series_window",
        columns="tenant_id, kind, shard, start, generation, events",
        values="'ip', n / 100 %% 4, TIMESTAMPTZ '2026-01-01Z' + n / 400 * INTERVAL '1 hour', 1, 10",
        sql="SELECT generation, events FROM series_window WHERE tenant_id = %(tenant)s"
        " AND kind = 'ip' AND shard = 1 AND start = '2026-01-05T01:00Z' FOR UPDATE",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A query's medians in milliseconds, and the indexes that serve it.

    ``open`` has the tenant in its WHERE alone, ``scoped`` sets it for the transaction besides, and
    ``policies`` has row-level security as well: what ISO-5 bounds is the last less the second.
    """

    query: str
    rows: int
    open: float
    scoped: float
    policies: float
    indexes: tuple[str, ...]
    led_by_tenant: bool

    @property
    def is_met(self) -> bool:
        """Whether the bar is met."""
        cost = self.policies - self.scoped
        return cost <= MOST_MILLISECONDS and cost <= self.scoped * MOST_SHARE and self.led_by_tenant


def fill(session: Any, query: Query, rows: int) -> None:
    """Give a table its rows, past the policies."""
    statement = _ROWS.format(
        table=query.table, columns=query.columns, values=query.values, tenants=TENANTS
    )
    session.execute("SET session_replication_role = replica")  # no alert behind each change
    session.execute(statement, [rows - 1])
    session.execute(f"VACUUM ANALYZE {query.table}")


@contextmanager
def without_policies(session: Any, table: str) -> Iterator[None]:
    """Switch a table's row-level security off, its partitions' included, for the block."""
    names = [
        name
        for (name,) in session.execute(
            "SELECT relname FROM pg_class WHERE oid = %(table)s::regclass OR oid IN"
            " (SELECT relid FROM pg_partition_tree(%(table)s))",
            {"table": table},
        )
    ]
    for name in names:
        session.execute(f"ALTER TABLE {name} DISABLE ROW LEVEL SECURITY")
    try:
        yield
    finally:
        for name in names:
            session.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")


def asked(app: Any, query: Query, *, scoped: bool) -> float:
    """Ask a query in a transaction of its own; return how many milliseconds all of it took."""
    begun = time.perf_counter()
    with app.transaction():
        if scoped:
            app.execute("SELECT set_config('app.tenant', %s, true)", [str(TENANT)])
        app.execute(query.sql, {"tenant": TENANT}).fetchall()
    return (time.perf_counter() - begun) * 1e3


def measure(owner: Any, app: Any, query: Query, *, rows: int, rounds: int) -> Figure:
    """Measure a query three ways, in ten turns of each."""
    taken: dict[str, list[float]] = {"open": [], "scoped": [], "policies": []}

    def turn(way: str) -> None:
        for number in range(rounds // 10 + 10):
            spent = asked(app, query, scoped=way != "open")
            if number >= 10:  # plans are made and pages read by then
                taken[way].append(spent)

    for _ in range(10):
        with without_policies(owner, query.table):
            turn("open")
            turn("scoped")
        turn("policies")
    indexes = explained(owner, app, query)
    leads = {
        owner.execute("SELECT pg_get_indexdef(to_regclass(%s), 1, true)", [each]).fetchone()[0]
        for each in indexes
    }
    return Figure(
        query=query.name,
        rows=rows,
        indexes=indexes,
        led_by_tenant=leads == {"tenant_id"},
        **{way: statistics.median(spent) for way, spent in taken.items()},
    )


def explained(owner: Any, app: Any, query: Query) -> tuple[str, ...]:
    """Return the indexes by which a query finds its rows under the policies.

    None where a table is read from end to end, unless it is a day's partition without a row.
    """
    with app.transaction():
        app.execute("SELECT set_config('app.tenant', %s, true)", [str(TENANT)])
        plan = app.execute(f"EXPLAIN (VERBOSE) {query.sql}", {"tenant": TENANT}).fetchall()
    text = "\n".join(line for (line,) in plan)
    for table in re.findall(r"Seq Scan on public\.(\w+)", text):
        if owner.execute(f"SELECT EXISTS (SELECT FROM {table})").fetchone()[0]:  # noqa: S608 -- a plan's name
            return ()
    found = re.findall(r"Scan using (\w+) on|Bitmap Index Scan on (\w+)", text)
    return tuple(sorted({one or other for one, other in found}))


def verify(*, rows: int, rounds: int) -> list[Figure]:
    """Measure every query on servers of its own."""
    progress = on_stderr()
    figures = []
    with throwaway(progress):
        reached = state.connection()
        assert reached is not None, "the servers were just started"
        with (
            connect(reached, user="postgres", database="tawny") as owner,
            connect(reached, user="tawny_app", database="tawny") as app,
        ):
            for query in QUERIES:
                with progress.step(f"{query.table}: {rows} rows"):
                    fill(owner, query, rows)
                figures.append(measure(owner, app, query, rows=rows, rounds=rounds))
    return figures


def main(arguments: Sequence[str] | None = None, *, write: Callable[[str], Any] = print) -> int:
    """Verify; return the exit status."""
    parser = argparse.ArgumentParser(description="What row-level security costs (ISO-5).")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of each table")
    parser.add_argument("--rounds", type=int, default=1_000, help="times that a query is asked")
    parser.add_argument("--json", action="store_true", help="end with one JSON value")
    options = parser.parse_args(arguments)
    figures = verify(rows=options.rows, rounds=options.rounds)
    for each in figures:
        cost = each.policies - each.scoped
        write(
            f"{each.query}: {each.open:.3f} ms, scoped {each.scoped:.3f} ms,"
            f" with policies {each.policies:.3f} ms ({cost:+.3f} ms, {cost / each.scoped:+.0%});"
            f" {', '.join(each.indexes) or 'no index'}: {'met' if each.is_met else 'NOT MET'}"
        )
    if options.json:
        write(json.dumps([{**asdict(each), "met": each.is_met} for each in figures]))
    return 0 if all(each.is_met for each in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
