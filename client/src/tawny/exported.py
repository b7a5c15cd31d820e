"""An opened archive of an account: a tar whose last member says what all the others hold."""

import io
import json
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from tawny.sealed import Identity, Unopened, fingerprint, opened

MANIFEST = "manifest.json"
MOST = (
    64 << 20
)  # octets of a member: sixteen times what a part has; the manifest may be the longest


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """What was in an archive: lines by section, and its manifest."""

    lines: dict[str, int]
    manifest: dict[str, Any]


class _Pieces(io.RawIOBase):
    """A stream's pieces as a file that tarfile reads."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        taken = self._rest[: len(into)]
        into[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)


def unpack(file: BinaryIO, by: str | Identity, into: Path | None) -> Unpacked:
    """Open an archive, hold every member against the manifest, and write them into a new folder.

    Without a folder nothing is written. What does not open whole leaves nothing: raises `Unopened`.
    """
    if into is None:
        return _walked(file, by, None)
    if into.exists():
        raise Unopened(f"{into} exists already")
    partial = into.with_name(into.name + ".partial")
    partial.mkdir(mode=0o700)
    try:
        done = _walked(file, by, partial)
    except BaseException:
        shutil.rmtree(partial)
        raise
    partial.rename(into)
    return done


def _walked(file: BinaryIO, by: str | Identity, folder: Path | None) -> Unpacked:
    seen: list[dict[str, Any]] = []
    manifest: dict[str, Any] | None = None
    pieces = io.BufferedReader(_Pieces(opened(file, by)), 1 << 16)
    try:
        with tarfile.open(fileobj=pieces, mode="r|") as tar:
            for member in tar:
                content = _content(tar, member)
                if folder is not None:
                    path = folder / member.name
                    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    path.write_bytes(content)
                if member.name == MANIFEST:
                    manifest = json.loads(content)
                else:
                    seen.append({"name": member.name, "octets": len(content),
                                 "sha256": fingerprint(content)})  # fmt: skip
        while pieces.read(1 << 16):  # to the last piece, which alone shows that nothing is missing
            pass
    except (tarfile.TarError, ValueError) as error:
        raise Unopened(f"the archive is no tar of ours: {error}") from error
    if manifest is None:
        raise Unopened("the archive has no manifest")
    return Unpacked(lines=_checked(manifest, seen), manifest=manifest)


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    parts = member.name.split("/")
    taken = tar.extractfile(member) if member.isreg() and member.size <= MOST else None
    if taken is None or any(part in {"", ".", ".."} for part in parts) or "\\" in member.name:
        raise Unopened(f"the archive has a member that is none of ours: {member.name!r:.80}")
    return taken.read()


def _checked(manifest: dict[str, Any], seen: list[dict[str, Any]]) -> dict[str, int]:
    """Hold the members that were met against the manifest's list, in its order."""
    try:
        said = [{name: each[name] for name in ("name", "octets", "sha256")}
                for each in manifest["members"]]  # fmt: skip
        lines = {str(name): int(count) for name, count in manifest["sections"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unopened("the manifest cannot be read") from error
    if said != seen:
        raise Unopened("the members are not those of the manifest")
    return lines
