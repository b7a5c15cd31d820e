"""How fast a stranger checks the audit log, and how fast it is written.

``--events N`` (10 million) makes a bundle straight to files and lets the bundle's own program check
it in a network namespace without any interface, where the kernel permits that. Bars (AUD-4): 60 s
and 512 MB on two cores, a flipped bit named by its index.

``--staged SECONDS`` runs 32 writers and a sequencer on the embedded servers
(AUD-2). ``--crashes N`` kills -9 at N random points (AUD-5).
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from audit.bundle.writing import FILE, Range, Writer, write_rest
from audit.checkpoints import TreeHead, sign
from audit.leaves import canonical, instant
from crypto import signatures
from crypto.merkle import CompactRange, leaf_hashes

ENTRIES = 10_000_000
SIGN_EVERY = 10_000
"""Entries between checkpoints."""
SECONDS_BAR = 60.0
MEGABYTES_BAR = 512.0
ORIGIN = "tawny.example/bench"
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a run took: on the clock, of all cores, and the most memory at one moment."""

    seconds: float
    cpu_seconds: float
    megabytes: float


def leaf(n: int) -> bytes:
    """Return an entry as the sequencer writes it, about 400 bytes."""
    at = instant(BEGUN + timedelta(milliseconds=5 * n))
    return canonical(
        {
            "schema": 1, "id": f"0190a1b2-0000-7000-8000-{n:012x}", "source": "default",
            "sequenced": at, "time": at, "event": "staff.read",
            "actor": {"kind": "staff", "id": "0190a1b2-0000-7000-8000-000000000001"},
            "tenant": f"0190a1b2-0000-7000-8000-{n % 97:012x}", "resource": f"alert/{n}",
            "outcome": "success", "reason": "ticket 17", "request_id": "",
            "detail": {"rows": n % 9},
        }
    )  # fmt: skip


def made(folder: Path, entries: int) -> str:
    """Write the bundle as a stream; return the key's line."""
    signer = signatures.generate(ORIGIN)
    tree = CompactRange()
    notes = []
    with Writer(folder) as writer:
        for first in range(0, entries, SIGN_EVERY):
            leaves = [leaf(n) for n in range(first, min(first + SIGN_EVERY, entries))]
            hashes = leaf_hashes(leaves)
            for n, (content, digest) in enumerate(zip(leaves, hashes, strict=True), first):
                writer.add(n, content, digest)
            tree = tree.extend(hashes)
            notes.append(sign(TreeHead(origin=ORIGIN, size=tree.size, root=tree.root()), signer))
    span = Range(before=CompactRange(), stop=entries)
    key = signer.verifying
    write_rest(folder, span=span, origin=ORIGIN, key=key, notes=notes, documents={})
    return key.encode()


def alone() -> list[str]:
    """Return what runs a program without a network: nothing where the kernel permits none."""
    for prefix in (["unshare", "-n"], ["unshare", "-rn"]):
        tried = subprocess.run([*prefix, "true"], capture_output=True, check=False)  # noqa: S603 -- util-linux
        if tried.returncode == 0:
            return prefix
    return []


def verified(folder: Path, vkey: str) -> tuple[Any, Measured]:
    """Run the program alone; return its answer and what it took, all of its processes together."""
    begun = time.monotonic()
    command = [sys.executable, "-I", str(folder / "verify.py"), str(folder), "--json"]
    with subprocess.Popen(  # noqa: S603 -- our own program
        [*alone(), *command, "--vkey", vkey], stdout=subprocess.PIPE, text=True
    ) as running:
        most, ticks = 0, dict[int, int]()
        while running.poll() is None:
            most = max(most, resident(running.pid, ticks))
            time.sleep(0.2)
        said = json.loads(running.stdout.read() if running.stdout else "{}")
    cpu = sum(ticks.values()) / os.sysconf("SC_CLK_TCK")
    return said, Measured(
        seconds=time.monotonic() - begun, cpu_seconds=cpu, megabytes=most / (1 << 20)
    )


def resident(pid: int, ticks: dict[int, int]) -> int:
    """Return the octets that a process and its children hold, and note their processor time."""
    page = os.sysconf("SC_PAGE_SIZE")
    total = 0
    try:
        total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks[pid] = int(told[11]) + int(told[12])
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            total += resident(int(child), ticks)
    except (OSError, IndexError):  # it ended while we looked
        return total
    return total


def flipped(folder: Path, index: int) -> None:
    """Change one bit of one entry's bytes in its file."""
    path = folder / f"entries-{index // FILE:04}.ndjson.gz"
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    line = bytearray(lines[index % FILE])
    line[100] ^= 1
    lines[index % FILE] = bytes(line)
    path.write_bytes(gzip.compress(b"".join(lines), 1))


def checked(entries: int) -> dict[str, Any]:
    """Make a bundle, check it, flip a bit, check it again."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begun = time.monotonic()
        vkey = made(folder, entries)
        making = time.monotonic() - begun
        disk = sum(each.stat().st_size for each in folder.iterdir()) / (1 << 20)
        whole, took = verified(folder, vkey)
        index = entries * 2 // 3
        flipped(folder, index)
        bad, _ = verified(folder, vkey)
    met = (
        whole["ok"]
        and took.seconds <= SECONDS_BAR
        and took.megabytes <= MEGABYTES_BAR
        and bad["first_bad"] == index
    )
    return {
        "entries": entries, "checkpoints": whole["checkpoints"], "seconds": round(took.seconds, 1),
        "cpu_seconds": round(took.cpu_seconds, 1), "megabytes": round(took.megabytes),
        "network": " ".join(alone()) or "not cut off: the kernel permits no namespace",
        "flipped": index, "named": bad["first_bad"], "making_seconds": round(making, 1),
        "disk_megabytes": round(disk), "load": os.getloadavg()[0], "met": met,
    }  # fmt: skip


def main() -> int:
    """Measure and print a JSON object a line; 1 when a bar is not met."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--events", type=int, default=ENTRIES, help="0: leave the check out")
    asked.add_argument("--staged", type=float, default=0, help="seconds of writing")
    asked.add_argument("--crashes", type=int, default=0, help="random points of kill -9")
    asked.add_argument("--seed", type=int, default=5)
    given = asked.parse_args()
    runs: list[dict[str, Any]] = []
    if given.events:
        runs.append(checked(given.events))
    if given.staged:
        from bench.audit_load import staged  # noqa: PLC0415 -- needs the servers

        runs.append(staged(given.staged))
    if given.crashes:
        from bench.audit_load import crashed  # noqa: PLC0415 -- needs the servers

        runs.append(crashed(given.crashes, seed=given.seed))
    for each in runs:
        sys.stdout.write(json.dumps(each) + "\n")
    return 0 if all(each["met"] for each in runs) else 1


if __name__ == "__main__":
    sys.exit(main())
