"""Keys at full size: ENC-3, ENC-4, ENC-5 and ENC-8, a line each; ``--json`` for one object.

ENC-4 rotates the root key of 5,000 tenants (10,000 tenant keys, 10,000 data keys) under 50 requests
a second, half of them events over the API and half reads of rows whose keys are not held, and kills
the job five times at random points. One kill is before the
new version is primary. ``SEED`` chooses the others, ``ITERATIONS`` those of ENC-3.
"""

import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.home import throwaway
from config.embedded.progress import on_stderr
from crypto import aead

ITERATIONS = int(os.environ.get("ITERATIONS", "1000000"))
ACCUMULATED = {
    10_000: "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939",
    1_000_000: "2163ae1445985a30b60585ee67daa55674df06901b890593e824b8a7c885ab15",
}
"""Published with the specification (c2sp.org/XAES-256-GCM)."""
SEED = int(os.environ.get("SEED", str(int(time.time()))))
TENANTS = int(os.environ.get("TENANTS", "5000"))
KILLS = 5
SECONDS_BAR = 300.0
SHARE_BAR = 0.05
DESTROY_BAR = 60.0
WORKERS = Path(__file__).with_name("keys_load.py")
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def enc_3() -> dict[str, Any]:
    """Encrypt and decrypt as the specification's accumulated test does; compare its hash."""
    source = hashlib.shake_128()
    stream = source.digest(ITERATIONS * (32 + 24 + 2 + 2 * 255))
    position = 0

    def take(count: int) -> bytes:
        nonlocal position
        position += count
        return stream[position - count : position]

    accumulated, opened = hashlib.shake_128(), 0
    for _ in range(ITERATIONS):
        key, nonce = take(32), take(24)
        plaintext = take(take(1)[0])
        aad = take(take(1)[0])
        sealed = aead.encrypt(key, nonce, plaintext, aad)
        opened += aead.decrypt(key, nonce, sealed, aad) == plaintext
        accumulated.update(sealed)
    found = accumulated.hexdigest(32)
    met = found == ACCUMULATED.get(ITERATIONS) and opened == ITERATIONS
    return {"iterations": ITERATIONS, "hash": found, "met": met}


def progress_of(job: "subprocess.Popen[str]") -> Iterator[tuple[str, int]]:
    """Give the words and the count of each line that a rotation tells its progress by."""
    assert job.stderr is not None
    for line in job.stderr:
        words, _, count = line.strip().rpartition(" ")
        done = count.partition("/")[0]
        yield words, int(done) if done.isdecimal() else 0


def rotated(kill_at: int | None) -> tuple[bool, int]:
    """Run the rotation; kill -9 once it has wrapped so many tenants' keys. Say whether it ended."""
    job = subprocess.Popen(  # noqa: S603 -- our own program
        [sys.executable, str(WORKERS), "rotate"], stderr=subprocess.PIPE, text=True
    )
    last = 0
    for words, done in progress_of(job):
        last = done if words.startswith("wrapped") else last
        if kill_at is not None and (
            last >= kill_at if kill_at else words.endswith(("unwraps", "yet", "primary"))
        ):
            job.kill()
            break
    job.wait()
    return job.returncode == 0, last


def enc_4(folder: Path) -> dict[str, Any]:
    """Rotate under load, killed five times, and count what failed and what is left."""
    from bench.keys_load import fill  # noqa: PLC0415 -- models need the apps
    from tenants.actions import rotation  # noqa: PLC0415 -- see above

    fill(TENANTS, folder=folder, now=NOW)
    source = random.Random(SEED)  # noqa: S311 -- where to kill, no secret
    points = [0, *sorted(source.randrange(1, TENANTS) for _ in range(KILLS - 1))]
    with subprocess.Popen(  # noqa: S603 -- our own program
        [sys.executable, str(WORKERS), "load", str(folder)], stdout=subprocess.PIPE, text=True
    ) as load:
        assert load.stdout is not None
        load.stdout.readline()  # it serves
        begun = time.monotonic()
        killed = sum(not rotated(point)[0] for point in points)
        resumed = time.monotonic()
        done, _ = rotated(None)
        ended = time.monotonic()
        (folder / "stop").touch()
        said = json.loads(load.stdout.readline())
    left = {str(each.name): each.keys for each in rotation.status()}
    old = left.get("file:root:1", -1)
    met = (
        done and killed == KILLS and old == 0 and said["failed"] == 0
        and ended - begun <= SECONDS_BAR
    )  # fmt: skip
    return {
        "tenants": TENANTS, "kill_points": points, "killed": killed, **said, "left": left,
        "seconds_to_0_old": round(ended - begun, 1), "last_run_seconds": round(ended - resumed, 1),
        "met": met,
    }  # fmt: skip


def enc_5() -> dict[str, Any]:
    """Delete a tenant, put its rows back from an older copy, and try to open each."""
    from audit.actors import shell  # noqa: PLC0415 -- see above
    from bench.keys_load import openable, sealed_of  # noqa: PLC0415 -- see above
    from tenants import keys  # noqa: PLC0415 -- see above
    from tenants.actions import create_tenant  # noqa: PLC0415 -- see above
    from tenants.actions.deletion import delete_tenant, destroy_keys  # noqa: PLC0415 -- see above
    from tenants.models import DataKey  # noqa: PLC0415 -- see above
    from tenants.scope import tenant_scope  # noqa: PLC0415 -- see above

    gone, stays = (
        create_tenant(name=name, actor=shell(), reason="bench", now=NOW).tenant.id
        for name in ("gone.example", "stays.example")
    )
    chunks = 1_000
    theirs, ours = (sealed_of(each, chunks, now=NOW) for each in (gone, stays))
    with tenant_scope(gone):
        backup = list(DataKey.objects.all())
    begun = time.monotonic()
    destroy_keys(tenant=gone, actor=shell(), reason="bench", now=NOW)
    destroyed = time.monotonic() - begun
    delete_tenant(tenant=gone, actor=shell(), reason="bench", now=NOW)
    with tenant_scope(gone):
        DataKey.objects.bulk_create(backup)
    keys.forget()
    opened, neighbour = openable(gone, theirs), openable(stays, ours)
    return {
        "chunks": chunks, "opened": opened, "neighbour_opened": neighbour,
        "keys_destroyed_seconds": round(destroyed, 3),
        "met": opened == 0 and neighbour == chunks and destroyed <= DESTROY_BAR,
    }  # fmt: skip


def enc_8() -> dict[str, Any]:
    """Accept events and give them effect; compare sealing and opening with all of it."""
    from bench.keys_load import share_of_crypto  # noqa: PLC0415 -- see above

    figures = share_of_crypto(now=NOW)
    return {**figures, "met": figures["share"] <= SHARE_BAR}


def main() -> int:
    """Measure; 1 when a bar is not met."""
    as_json = "--json" in sys.argv[1:]
    wanted = [each for each in sys.argv[1:] if not each.startswith("--")]
    figures: dict[str, Any] = {}

    def told(bar: str, said: dict[str, Any]) -> None:
        figures[bar] = said
        if not as_json:
            sys.stdout.write(f"{bar}: {json.dumps(said)}\n")
            sys.stdout.flush()

    if not wanted or "ENC-3" in wanted:
        told("ENC-3", enc_3())
    if not wanted or {"ENC-4", "ENC-5", "ENC-8"} & set(wanted):
        with tempfile.TemporaryDirectory() as name, throwaway(on_stderr()):
            deeds: dict[str, Callable[[], dict[str, Any]]] = {
                "ENC-8": enc_8,
                "ENC-5": enc_5,
                "ENC-4": partial(enc_4, Path(name)),
            }
            for bar, deed in deeds.items():
                if not wanted or bar in wanted:
                    told(bar, deed())
    if as_json:
        sys.stdout.write(json.dumps(figures) + "\n")
    return 0 if all(each["met"] for each in figures.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
