"""How fast a stranger checks the audit log: 10 million entries, by the bundle's own program.

The bundle is made straight to files, without a database. ``ENTRIES`` changes the number. Bars
(AUD-4): 60 s and 512 MB on two cores, a flipped bit named by its index.
"""

import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from audit.bundle.writing import FILE, Range, Writer, write_rest
from audit.checkpoints import TreeHead, sign
from audit.leaves import canonical, instant
from crypto import signatures
from crypto.merkle import CompactRange, leaf_hashes

ENTRIES = int(os.environ.get("ENTRIES", "10000000"))
SIGN_EVERY = 10_000
"""Entries between checkpoints."""
SECONDS_BAR = 60.0
MEGABYTES_BAR = 512.0
ORIGIN = "tawny.example/bench"
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


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


def made(folder: Path) -> str:
    """Write the bundle; return the key's line."""
    signer = signatures.generate(ORIGIN)
    tree = CompactRange()
    notes = []
    with Writer(folder) as writer:
        for first in range(0, ENTRIES, SIGN_EVERY):
            leaves = [leaf(n) for n in range(first, min(first + SIGN_EVERY, ENTRIES))]
            hashes = leaf_hashes(leaves)
            for n, (content, digest) in enumerate(zip(leaves, hashes, strict=True), first):
                writer.add(n, content, digest)
            tree = tree.extend(hashes)
            notes.append(sign(TreeHead(origin=ORIGIN, size=tree.size, root=tree.root()), signer))
    span = Range(before=CompactRange(), stop=ENTRIES)
    key = signer.verifying
    write_rest(folder, span=span, origin=ORIGIN, key=key, notes=notes, documents={})
    return key.encode()


def verified(folder: Path, vkey: str) -> tuple[Any, float, float]:
    """Run the program alone; return its answer, seconds, and the largest process's megabytes."""
    begun = time.monotonic()
    done = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-I", str(folder / "verify.py"), str(folder), "--json", "--vkey", vkey],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    seconds = time.monotonic() - begun
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return json.loads(done.stdout), seconds, used


def flipped(folder: Path, index: int) -> None:
    """Change one bit of one entry's bytes in its file."""
    path = folder / f"entries-{index // FILE:04}.ndjson.gz"
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    line = bytearray(lines[index % FILE])
    line[100] ^= 1
    lines[index % FILE] = bytes(line)
    path.write_bytes(gzip.compress(b"".join(lines), 1))


def main() -> int:
    """Measure and print one JSON object; 1 when a bar is not met."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        vkey = made(folder)
        whole, seconds, megabytes = verified(folder, vkey)
        index = ENTRIES * 2 // 3
        flipped(folder, index)
        bad = verified(folder, vkey)[0]
    met = (
        whole["ok"]
        and seconds <= SECONDS_BAR
        and megabytes <= MEGABYTES_BAR
        and bad["first_bad"] == index
    )
    figures = {
        "entries": ENTRIES, "checkpoints": whole["checkpoints"], "seconds": round(seconds, 1),
        "megabytes_of_the_largest_process": round(megabytes), "flipped": index,
        "named": bad["first_bad"], "met": met,
    }  # fmt: skip
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
