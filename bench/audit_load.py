"""Writers and a sequencer of the audit log in processes of their own: what they bear (AUD-2, 5).

A writer's transaction is one row of a small table and, where it is audited, the entry beside it; so
the ids of the one are held against the other afterwards, and the time of the one is what the other
adds to.
"""

import itertools
import multiprocessing
import os
import random
import signal
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from bench.home import throwaway
from config.embedded import state
from config.embedded.progress import on_stderr
from config.embedded.roles import connect
from crypto import signatures
from crypto.ids import uuid7

ORIGIN = "tawny.example/bench"
WRITERS, PROCESSES = 32, 4
RATE_BAR, ADDED_BAR, LAG_BAR, AGE_BAR = 1_000, 0.010, 2.0, 60.0
"""AUD-2: entries a second; seconds at the 99th percentile that an entry adds; seconds of
sequencing at the 99th percentile; seconds between checkpoints."""
CALM = 3.0
"""Seconds of writing without entries, to compare with."""
_DEED = "INSERT INTO bench_deed (id) VALUES (%s)"
_ENTRY = """
INSERT INTO audit_stage (id, tenant, event, actor_kind, actor_id, resource, outcome, reason,
                         request_id, detail, occurred_at, schema)
VALUES (%s, NULL, 'staff.read', 'staff', 'bench', 'alert/1', 'success', '', '', '{}', %s, 1)
"""
_spawn = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a process of writers is told: where, how many, for how long, with entries or without."""

    database: dict[str, Any]
    threads: int
    seconds: float
    audited: bool


def _clock() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 -- a bench is a command


def write(load: Load) -> list[float]:
    """Write until the time is over; return each transaction's seconds. What breaks is left out."""
    until = time.monotonic() + load.seconds
    took: list[float] = []

    def one() -> None:
        while time.monotonic() < until:
            with suppress(psycopg.Error), psycopg.connect(**load.database) as session:
                while time.monotonic() < until:
                    begun, now = time.monotonic(), _clock()
                    deed = uuid7(now)
                    with session.transaction():
                        session.execute(_DEED, [deed])
                        if load.audited:
                            session.execute(_ENTRY, [deed, now])
                    took.append(time.monotonic() - begun)

    threads = [threading.Thread(target=one) for _ in range(load.threads)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return took


def sequence(home: str, key: bytes) -> None:
    """Sequence until killed; begin again where the database went away."""
    os.environ.update(TAWNY_HOME=home, DJANGO_SETTINGS_MODULE="config.settings.embedded")
    import django  # noqa: PLC0415 -- a process of its own

    django.setup()
    from django.db import Error, connections  # noqa: PLC0415 -- as above

    from audit.sequencer import Sequencer  # noqa: PLC0415 -- as above

    signer = signatures.decode_private(key, name=ORIGIN)
    path = Path(home) / "bench-checkpoint"
    while True:
        one = Sequencer(signer=signer, origin=ORIGIN, checkpoint_path=path, now=_clock)
        with suppress(Error):
            while True:
                if not one.step().more:
                    time.sleep(0.1)
        connections.close_all()
        time.sleep(0.05)


@contextmanager
def served() -> Iterator[tuple[dict[str, Any], bytes]]:
    """Serve from a folder that goes away; give how the log's database is reached, and a key."""
    with throwaway(on_stderr()):
        reached = state.connection()
        assert reached is not None
        with connect(reached, user="postgres", database="tawny") as session:
            session.execute("CREATE TABLE bench_deed (id uuid PRIMARY KEY)")
            session.execute("GRANT INSERT, SELECT ON bench_deed TO tawny_app")
        yield (
            {
                "host": str(reached.socket_dir), "port": reached.port, "dbname": "tawny",
                "user": "tawny_app", "password": reached.passwords["tawny_app"],
            },
            signatures.encode_private(signatures.generate(ORIGIN)),
        )  # fmt: skip


def staged(seconds: float) -> dict[str, Any]:
    """Measure AUD-2."""
    with served() as (database, key), _spawn.Pool(PROCESSES) as pool:

        def run(audited: bool, length: float) -> list[float]:  # noqa: FBT001 -- two lines below
            load = Load(
                database=database, threads=WRITERS // PROCESSES, seconds=length, audited=audited
            )
            return list(itertools.chain.from_iterable(pool.map(write, [load] * PROCESSES)))

        plain = run(False, CALM)  # noqa: FBT003 -- see above
        process = _spawn.Process(target=sequence, args=(os.environ["TAWNY_HOME"], key))
        process.start()
        first = write(Load(database=database, threads=1, seconds=CALM, audited=True))
        _drained(len(first))  # a sequencer that is still starting is not what is measured
        begun = time.monotonic()
        took = run(True, seconds)  # noqa: FBT003 -- see above
        length = time.monotonic() - begun
        lags, ages = _drained(len(first) + len(took), after=len(first))
        process.kill()
        process.join()
    figures = {
        "writers": WRITERS, "entries": len(took), "per_second": round(len(took) / length),
        "p99_plain_ms": round(_p99(plain) * 1000, 1), "p99_audited_ms": round(_p99(took) * 1000, 1),
        "added_p50_ms": round((statistics.median(took) - statistics.median(plain)) * 1000, 2),
        "lag_p99_s": round(_p99(lags), 2), "checkpoint_age_s": round(max(ages, default=0.0), 1),
        "load": os.getloadavg()[0],
    }  # fmt: skip
    added = _p99(took) - _p99(plain)
    return {
        **figures,
        "added_p99_ms": round(added * 1000, 1),
        "met": figures["per_second"] >= RATE_BAR
        and added <= ADDED_BAR
        and _p99(lags) <= LAG_BAR
        and max(ages, default=0.0) <= AGE_BAR + LAG_BAR,
    }


def _p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


def _drained(entries: int, *, after: int = 0) -> tuple[list[float], list[float]]:
    """Wait until all is sequenced; return each entry's lag, and seconds between checkpoints."""
    from audit.leaves import read_leaf  # noqa: PLC0415 -- Django is set up by now
    from audit.models import Checkpoint, Entry  # noqa: PLC0415 -- as above
    from audit.scope import all_tenants_audit  # noqa: PLC0415 -- as above

    with all_tenants_audit("reader", using="default"):
        while Entry.objects.filter(event="staff.read").count() < entries:
            time.sleep(0.2)
        lags = []
        for each in Entry.objects.filter(event="staff.read").order_by("idx")[after:]:
            leaf = read_leaf(bytes(each.leaf))
            at = datetime.fromisoformat(leaf.sequenced) - datetime.fromisoformat(leaf.time)
            lags.append(at.total_seconds())
    signed = list(Checkpoint.objects.order_by("size").values_list("signed_at", flat=True))
    ages = [(b - a).total_seconds() for a, b in itertools.pairwise(signed)]
    return lags, ages


def crashed(points: int, *, seed: int) -> dict[str, Any]:
    """Measure AUD-5: kill -9 of the sequencer or of a backend, which PostgreSQL takes for a crash.

    After a backend's violent end the server throws every session out and recovers from its log, as
    after its own.
    """
    chance = random.Random(seed)  # noqa: S311 -- a seed that can be given again
    killed = {"sequencer": 0, "database": 0}
    with served() as (database, key):
        home = os.environ["TAWNY_HOME"]
        load = Load(database=database, threads=4, seconds=points * 2.5 + 5, audited=True)
        writer = _spawn.Process(target=write, args=(load,))
        sequencer = _spawn.Process(target=sequence, args=(home, key))
        writer.start()
        sequencer.start()
        time.sleep(CALM)
        while sum(killed.values()) < points:  # while the server recovers there is nothing to kill
            time.sleep(chance.uniform(0.2, 1.2))
            if chance.random() < 0.5:
                sequencer.kill()
                sequencer.join()
                sequencer = _spawn.Process(target=sequence, args=(home, key))
                sequencer.start()
                killed["sequencer"] += 1
            elif (pid := _backend(database, chance)) is not None:
                os.kill(pid, signal.SIGKILL)
                killed["database"] += 1
        writer.join()
        found = _settled(database, key)
        sequencer.kill()
        sequencer.join()
    return {**killed, **found, "seed": seed, "met": found["lost"] == 0 and found["whole"]}


def _backend(database: dict[str, Any], chance: random.Random) -> int | None:
    """Return the process of one of the log's sessions; None while the server recovers."""
    with suppress(psycopg.Error), psycopg.connect(**database) as session:
        rows = session.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = 'tawny' AND pid <> pg_backend_pid()"
        ).fetchall()
        return int(chance.choice(rows)[0]) if rows else None
    return None


def _settled(database: dict[str, Any], key: bytes) -> dict[str, Any]:
    """Wait for the sequencer, then hold deeds against entries, and check the log as a whole."""
    from django.db import connections  # noqa: PLC0415 -- Django is set up by now

    from audit.models import Entry  # noqa: PLC0415 -- as above
    from audit.reading import pages, stored_checkpoints  # noqa: PLC0415 -- as above
    from audit.scope import all_tenants_audit  # noqa: PLC0415 -- as above
    from audit.verify import verify  # noqa: PLC0415 -- as above

    connections.close_all()
    with psycopg.connect(**database) as session:
        deeds = {row[0] for row in session.execute("SELECT id FROM bench_deed").fetchall()}
    until, entries = time.monotonic() + 60, list[Any]()
    while len(entries) < len(deeds) and time.monotonic() < until:
        time.sleep(0.5)
        with all_tenants_audit("reader", using="default"):
            entries = list(Entry.objects.filter(event="staff.read").values_list("stage", flat=True))
    with all_tenants_audit("reader", using="default"):
        verdict = verify(
            pages=pages(using="default"),
            checkpoints=stored_checkpoints(using="default"),
            key=signatures.decode_private(key, name=ORIGIN).verifying,
            origin=ORIGIN,
            now=lambda: datetime.now(UTC),  # noqa: TID251 -- a command's edge
        )
    return {
        "deeds": len(deeds),
        "entries": len(entries),
        "lost": len(deeds ^ set(entries)) + len(entries) - len(set(entries)),
        "whole": verdict.ok,
    }
