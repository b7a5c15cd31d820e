"""``python -m bench.verify_rights``: what an export holds in memory does not grow with the tenant.

Serves from a folder that goes away, fills two tenants with connections, and exports each into a
file and for research, in a process of its own. Some two minutes. Exit status 1 where the larger
one's memory grew by more than `MOST_GROWTH` MiB or by more than `MOST_RATIO` times the smaller
one's; with ``--json`` the last line of stdout is one JSON value.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import django

from bench.home import throwaway
from config.embedded.progress import on_stderr

SIZES = (50_000, 400_000)
REQUEST = 25_000
"""Events of a request: its segments are what an export opens at a time."""
MOST_GROWTH = 128.0
"""MiB beyond what the process had: a part of 4 MiB, one segment's columns and rows, allocators."""
MOST_RATIO = 2.0
"""Of the larger to the smaller: one that held the tenant would be eight."""


def main() -> int:
    """Measure, print and judge."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--json", action="store_true")
    given = asked.parse_args()
    with throwaway(on_stderr()), tempfile.TemporaryDirectory() as folder:
        rows = [_measured(size, Path(folder)) for size in SIZES]
    small, large = rows
    fits = all(
        large[name] <= MOST_GROWTH and large[name] <= MOST_RATIO * max(small[name], 1.0)
        for name in ("export_mib", "research_mib")
    )
    if given.json:
        sys.stdout.write(json.dumps({"ok": fits, "sizes": rows}) + "\n")
    else:
        for row in rows:
            sys.stdout.write("  ".join(f"{name}: {value}" for name, value in row.items()) + "\n")
    return 0 if fits else 1


def _measured(events: int, folder: Path) -> dict[str, Any]:
    """Fill a tenant here and export it in a process that has never held anything of it."""
    tenant = _filled(events, now=datetime.now(UTC))  # noqa: TID251 -- the command's clock
    code = f"from bench.verify_rights import inside; inside({str(tenant)!r}, {str(folder)!r})"
    done = subprocess.run(  # noqa: S603 -- our own code and a folder of our own
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=os.environ
    )
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {"events": events, **told}


def inside(tenant: str, folder: str) -> None:
    """Export a tenant both ways and print what it took; a process of its own."""
    django.setup()
    sys.stdout.write(json.dumps(_both(UUID(tenant), Path(folder))) + "\n")


def _both(tenant: UUID, folder: Path) -> dict[str, Any]:
    from analytics.actions.research import export_research  # noqa: PLC0415 -- models need the apps
    from analytics.series.disguise import Public  # noqa: PLC0415 -- see above
    from audit.actors import system  # noqa: PLC0415 -- see above
    from crypto.stream import Passphrase  # noqa: PLC0415 -- see above
    from tenants import research  # noqa: PLC0415 -- see above
    from tenants.exports import export_tenant  # noqa: PLC0415 -- see above

    now, actor = datetime.now(UTC), system("bench")  # noqa: TID251 -- the command's clock
    research.change(tenant=tenant, allowed=True, actor=actor, now=now)
    to = Passphrase(text="a passphrase of the bench", cost=2)  # scrypt's 128 MiB do not hide it
    path = folder / f"archive-{tenant}"

    def export() -> None:
        with path.open("wb") as out:
            export_tenant(
                tenant=tenant, out=out, to=to, actor=actor, reason="bench", now=now,
                progress=lambda *_: None,
            )  # fmt: skip

    def study() -> None:
        export_research(
            tenant=tenant, folder=folder / f"study-{tenant}", public=Public(), actor=actor,
            reason="bench", now=now, progress=lambda *_: None,
        )  # fmt: skip

    export_mib, export_seconds = _grown(export)
    research_mib, research_seconds = _grown(study)
    return {
        "archive_octets": path.stat().st_size,
        "export_seconds": export_seconds,
        "export_mib": export_mib,
        "research_seconds": research_seconds,
        "research_mib": research_mib,
    }


def _filled(events: int, *, now: datetime) -> UUID:
    """Make a tenant and give it connections by the product's own deeds."""
    from analytics.actions.accept import accept_request, seal_request  # noqa: PLC0415 -- see above
    from analytics.actions.effect import take_effect  # noqa: PLC0415 -- see above
    from analytics.ingest.bodies import Receipt  # noqa: PLC0415 -- see above
    from analytics.ingest.events import IP  # noqa: PLC0415 -- see above
    from analytics.ingest.parts import pack_parts  # noqa: PLC0415 -- see above
    from audit.actors import system  # noqa: PLC0415 -- see above
    from tenants.actions import create_tenant  # noqa: PLC0415 -- see above
    from tenants.auth import Caller  # noqa: PLC0415 -- see above
    from tenants.models.work import claim  # noqa: PLC0415 -- see above

    name = f"bench {events}"
    made = create_tenant(name=name, actor=system("bench"), reason="bench", now=now)
    caller = Caller(tenant=made.tenant.id, key="bench")
    drawn = random.Random(events)  # noqa: S311 -- the same rows in every run
    for body in _bodies(events, drawn, now=now):
        nanoseconds = int(now.timestamp() * 10**9)
        packed = pack_parts([body], "", IP, Receipt(), now=nanoseconds)
        parts = seal_request(caller=caller, kind=IP, parts=packed, now=now)
        accept_request(caller=caller, parts=parts, octets=len(body), now=now)
        lease = claim(parts[0].work_id, lease=timedelta(minutes=5))
        if lease is None:
            raise SystemExit("a request could not be claimed")
        take_effect(lease, listed=lambda _destinations: False, now=now)
    return made.tenant.id


def _bodies(events: int, drawn: random.Random, *, now: datetime) -> Iterator[bytes]:
    for first in range(0, events, REQUEST):
        yield b"\n".join(
            json.dumps(
                {
                    "ts": f"{now - timedelta(hours=3, milliseconds=n):%Y-%m-%dT%H:%M:%S.%fZ}",
                    "srcIP": f"10.1.{drawn.randrange(8)}.{drawn.randrange(256)}",
                    "destIP": f"198.51.100.{drawn.randrange(256)}",
                    "destPort": 443, "proto": "tcp", "connState": "SF", "connID": f"C{n}",
                    "bytesIn": drawn.randrange(100_000), "bytesOut": drawn.randrange(100_000),
                    "duration": drawn.random() * 60,
                }
            ).encode()
            for n in range(first, min(first + REQUEST, events))
        )  # fmt: skip


def _grown(deed: Callable[[], None]) -> tuple[float, float]:
    """Return by how many MiB a deed's peak is above what was resident, and its seconds."""
    before = _resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", "ascii")  # the peak begins anew (proc(5))
    began = time.monotonic()
    deed()
    seconds = time.monotonic() - began
    return round((_resident("VmHWM") - before) / 1024, 1), round(seconds, 1)


def _resident(name: str) -> int:
    """Return a line of the process's status, in KiB."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    sys.exit(main())
