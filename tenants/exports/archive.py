"""An archive as it is written: a tar of gzipped NDJSON parts inside a sealed stream.

::

    README.txt
    <section>/00000.ndjson.gz, 00001 ...     a JSON object a line
    manifest.json                            every member's lines, octets and SHA-256

A part is made in memory and cut at `PART` octets, compressed; no plaintext lies on a disk, and what
the writer holds does not grow with the tenant but for the manifest: some 150 octets a part. gzip,
not zstd: whoever opens it then needs nothing but a Python or a tar.
"""

import gzip
import io
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any, cast

import msgspec

from crypto.digests import sha256
from crypto.stream import Sealer

FORMAT = 1
PART = 4 << 20
"""Octets of a part, compressed: what is held in memory of it, some 40 MB of NDJSON."""
LEVEL = 6
SAY_EVERY = 10_000
"""Lines between two words on progress."""
Progress = Callable[[str, int], object]
"""Hears of a section's name and how many of its lines are written."""
README = """\
Everything that was kept of one account, as of one moment.

Each folder holds parts of NDJSON: a JSON object a line, gzipped. manifest.json, the last member,
names every member with its lines, octets and SHA-256, and says what is not here and why.
events/KIND is in the form that POST /v1/events/KIND takes: zcat the parts into it, or give them to
`tawny send`. groups is the body of POST /v1/groups/raw. audit/entries are leaves of the log with
their inclusion proofs against audit/checkpoint (RFC 9162, C2SP tlog-checkpoint).
"""

_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Archive:
    """Writes members one after the other; `finish` writes the manifest and ends the stream."""

    sealer: Sealer
    made_at: datetime
    progress: Progress
    members: list[dict[str, Any]] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    _tar: tarfile.TarFile = field(init=False)

    def __post_init__(self) -> None:
        self._tar = tarfile.open(  # noqa: SIM115 -- ended by finish; a stream that failed is not
            fileobj=cast("IO[bytes]", self.sealer), mode="w|", format=tarfile.PAX_FORMAT
        )
        self._add("README.txt", README.encode(), lines=README.count("\n"))

    def section(self, name: str, rows: Iterator[Mapping[str, Any]]) -> int:
        """Write a section's rows as parts; return how many there were. Every section has a part."""
        total, number, more = 0, 0, True
        while more:
            packed = io.BytesIO()
            inside, more = 0, False
            with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=LEVEL, mtime=0) as part:
                for row in rows:
                    part.write(_encode(row) + b"\n")
                    inside += 1
                    if (total + inside) % SAY_EVERY == 0:
                        self.progress(name, total + inside)
                    if packed.tell() >= PART:
                        more = True
                        break
            total += inside
            if inside or not number:
                self._add(f"{name}/{number:05}.ndjson.gz", packed.getvalue(), lines=inside)
            number += 1
        self.lines[name] = total
        self.progress(name, total)
        return total

    def finish(self, about: Mapping[str, Any]) -> None:
        """Write the manifest, end the tar and the stream."""
        manifest = {
            "format": FORMAT, **about, "sections": self.lines, "members": self.members,
        }  # fmt: skip
        self._add("manifest.json", msgspec.json.format(_encode(manifest), indent=1), lines=0)
        self._tar.close()
        self.sealer.close()

    def _add(self, name: str, content: bytes, *, lines: int) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = len(content), 0o600, int(self.made_at.timestamp())
        self._tar.addfile(member, io.BytesIO(content))
        digest = sha256(content).hex()
        self.members.append(
            {"name": name, "lines": lines, "octets": len(content), "sha256": digest}
        )
