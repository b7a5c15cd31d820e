"""A tenant's series for research: asked for, recorded, disguised, and only while it is allowed.

The consent is looked at before each segment is opened. Where it was withdrawn meanwhile the export
ends there and leaves nothing. The folder tells neither whose it is nor when it was made.
"""

import gzip
import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
from django.db import transaction

from analytics.actions.exports import segments
from analytics.ingest.events import KINDS, Kind
from analytics.series import store
from analytics.series.disguise import Disguise, Public
from audit.actors import Actor
from audit.events import EventType
from audit.record import record
from crypto.digests import sha256_of
from crypto.random import random_bytes
from tenants import research
from tenants.errors import UnfitTerms
from tenants.scope import tenant_scope

FORMAT = 1
LEVEL = 6
Progress = Callable[[str, int], object]
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Researched:
    """What was written: lines by kind."""

    export: UUID
    lines: dict[str, int]


def export_research(
    *,
    tenant: UUID,
    folder: Path,
    public: Public,
    actor: Actor,
    reason: str,
    now: datetime,
    progress: Progress,
) -> Researched:
    """Write a tenant's de-identified series into a new folder.

    Raises `NoConsent` where the tenant does not allow it, or no more; then nothing stays of the
    folder. Fails closed: the audit row is committed before the first row is read.
    """
    if folder.exists():
        raise UnfitTerms(f"{folder} exists already")
    export = uuid4()  # version 7 would tell when it was made
    with transaction.atomic():
        consent = research.require(tenant)
        record(
            event=EventType.RESEARCH_EXPORTED, actor=actor, now=now, tenant=tenant, reason=reason,
            resource=f"export:{export}", detail={"consent": str(consent)},
        )  # fmt: skip
    partial = folder.with_name(folder.name + ".partial")
    partial.mkdir(mode=0o700)
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, partial)
        disguise = Disguise.new(random=random_bytes, public=public)
        lines = {
            kind.name: _write(partial, kind, tenant, disguise, progress) for kind in KINDS.values()
        }
        research.require(tenant)
        _finish(partial, export, lines)
        undo.pop_all()
    partial.rename(folder)
    return Researched(export=export, lines=lines)


def _write(folder: Path, kind: Kind, tenant: UUID, disguise: Disguise, progress: Progress) -> int:
    """Write a kind's rows, a segment in memory at a time; return how many there were."""
    total = 0
    path = folder / f"{kind.name}.ndjson.gz"
    with (
        path.open("xb") as raw,
        gzip.GzipFile(fileobj=raw, filename="", mode="wb", compresslevel=LEVEL, mtime=0) as out,
        tenant_scope(tenant),
    ):
        for row in segments(kind):
            research.require(tenant)
            for each in disguise.rows(store.open_segment(row, kind), kind):
                out.write(_encode(each) + b"\n")
                total += 1
            progress(kind.name, total)
    return total


def _finish(folder: Path, export: UUID, lines: dict[str, int]) -> None:
    """Write the manifest, and give every file the same time of no meaning."""
    files = {}
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            files[path.name] = sha256_of(file).hex()
    manifest = {"format": FORMAT, "export": export, "lines": lines, "files": files}
    (folder / "manifest.json").write_bytes(msgspec.json.format(_encode(manifest), indent=1))
    for path in (*folder.iterdir(), folder):
        os.utime(path, (0, 0))
