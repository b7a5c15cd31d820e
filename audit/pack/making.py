"""Makes a pack: the bundle, then everything that is counted from its entries, then the reading.

Runs inside `audit.scope.all_tenants_audit("reader")`, after the deed was recorded.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from audit.bundle.making import rows_between, write_bundle
from audit.bundle.writing import make_folder, write_sums
from audit.leaves import instant
from audit.pack.evidence import Evidence
from audit.pack.reading import blocks, markdown, page
from audit.pack.sources import collected
from crypto.signatures import VerifyingKey

FORMAT = 1


def write_pack(
    folder: Path,
    *,
    key: VerifyingKey,
    origin: str,
    since: datetime,
    until: datetime,
    now: datetime,
    versions: Mapping[str, str],
) -> dict[str, object]:
    """Write a pack of a period into a new or empty folder and say what it holds.

    The entries are those of the bundle, which ends at checkpoints and so reaches a little further
    than the period on both sides. Raises `FileExistsError`.
    """
    make_folder(folder)
    bundle = folder / "bundle"
    written = write_bundle(bundle, key=key, origin=origin, since=since, until=until)
    first, stop = int(str(written["start"])), int(str(written["size"]))
    evidence = Evidence()
    evidence.take(rows_between(first, stop))
    sources = collected(now=now)
    coverage = json.loads((bundle / "coverage.json").read_bytes())
    scope = {
        "format": FORMAT,
        "origin": origin,
        "key": key.encode(),
        "since": instant(since),
        "until": instant(until),
        "made": instant(now),
        "first_index": first,
        "last_index": stop - 1,
        "entries": written["entries"],
        "checkpoints": written["checkpoints"],
        "entries_exist_from_index": written["begins"],
        "tenants_with_entries": len(evidence.tenants),
        "unreadable": evidence.unreadable,
        "clock_set_back_at": evidence.clock_back,
        **{f"version_{name}": value for name, value in sorted(versions.items())},
    }
    accesses = {"by_tenant": dict(evidence.by_tenant), "accesses": evidence.accesses}
    controls, gaps = evidence.controls(), coverage["gaps_over_24_h"]
    documents: dict[str, Any] = {
        "scope.json": scope,
        "controls.json": controls,
        "staff-accesses.json": accesses,
        "gaps.json": gaps,
        **{f"{name.replace('_', '-')}.json": content for name, content in sources.items()},
    }
    for name, content in documents.items():
        (folder / name).write_text(json.dumps(content, indent=1, default=str) + "\n", "ascii")
    read = list(blocks(scope, controls, accesses=accesses, gaps=gaps, sources=sources))
    (folder / "report.md").write_text(markdown(read), "utf-8")
    (folder / "report.html").write_text(page(read), "utf-8")
    write_sums(folder)
    return {
        "entries": written["entries"],
        "start": first,
        "size": stop,
        "controls": len(controls),
        "controls_without_entries": sum(1 for each in controls if not each["entries"]),
        "tenants": len(evidence.tenants),
    }
