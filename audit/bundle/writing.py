"""Writes a bundle: every entry of a range, the signed heads, the key, and what to check them with.

Files are cut at each 2^16th index, so that each is a subtree of its own and they can be hashed side
by side. ``hashes-NNNN.bin`` holds the stored hash of each leaf (32 bytes), by which a change is
named by its index. Rows are written as they are found: a log that was tampered with makes a bundle
that does not verify.
"""

import base64
import gzip
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from crypto.digests import sha256_of
from crypto.merkle import CompactRange
from crypto.signatures import VerifyingKey

FILE = 1 << 16
"""Entries of a file, by index."""
LEVEL = 5
"""Of gzip: a third smaller than 1, twice as fast as 9."""
FORMAT = 1
VERIFIER = Path(__file__).with_name("verify.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """What a bundle holds: leaves from the end of ``before`` (a signed tree) up to ``stop``."""

    before: CompactRange
    stop: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A signed tree from before the bundle, and the subtree roots that make it the base."""

    tree: CompactRange
    then: tuple[bytes, ...]


class Writer:
    """Writes leaves into the files of a folder, in the order in which they come.

    A context: leaving it finishes the files. Indices are those of the rows, whatever they are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = -1
        self._entries: gzip.GzipFile | None = None
        self._hashes: BinaryIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._close()

    def add(self, idx: int, leaf: bytes, leaf_hash: bytes) -> None:
        """Append one entry; its file is named by its index."""
        if idx // FILE != self._number or self._entries is None or self._hashes is None:
            self._open(idx // FILE)
        assert self._entries is not None
        assert self._hashes is not None
        self._entries.write(b'{"idx":%d,"leaf":%b}\n' % (idx, leaf))
        self._hashes.write(leaf_hash)

    def _open(self, number: int) -> None:
        self._close()
        self._number = number
        path = self._folder / f"entries-{number:04}.ndjson.gz"
        self._entries = gzip.GzipFile(path, "xb", compresslevel=LEVEL, mtime=0)
        self._hashes = (self._folder / f"hashes-{number:04}.bin").open("xb")

    def _close(self) -> None:
        for each in (self._entries, self._hashes):
            if each is not None:
                each.close()
        self._entries = self._hashes = None


def write_rest(
    folder: Path,
    *,
    span: Range,
    origin: str,
    key: VerifyingKey,
    notes: Iterable[str],
    documents: dict[str, object],
    earlier: Iterable[Earlier] = (),
) -> None:
    """Write everything but the entries; ``SHA256SUMS`` comes last and names every file."""
    about = {
        "format": FORMAT, "origin": origin, "start": span.before.size, "size": span.stop,
        "nodes": _texts(span.before.nodes),
    }  # fmt: skip
    _document(folder / "bundle.json", about)
    for name, content in documents.items():
        _document(folder / name, content)
    (folder / "vkey").write_text(key.encode() + "\n", "ascii")
    with (folder / "checkpoints.ndjson").open("x", encoding="ascii") as file:
        file.writelines(json.dumps({"note": note}) + "\n" for note in notes)
    before = {str(each.tree.size): (_texts(each.tree.nodes), _texts(each.then)) for each in earlier}
    _document(folder / "earlier.json", before)
    shutil.copyfile(VERIFIER, folder / "verify.py")
    write_sums(folder)


def write_sums(folder: Path) -> None:
    """Write ``SHA256SUMS`` over every file in a folder and below it."""
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    sums = [f"{_digest(each)}  {each.relative_to(folder)}\n" for each in files]
    (folder / "SHA256SUMS").write_text("".join(sums), "utf-8")


def _texts(hashes: Iterable[bytes]) -> list[str]:
    return [base64.b64encode(each).decode() for each in hashes]


def make_folder(folder: Path) -> None:
    """Make the folder for its owner alone; `FileExistsError` where it holds something."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty")
    folder.chmod(0o700)


def span_of(heads: Sequence[CompactRange], *, first: int | None, stop: int | None) -> Range:
    """Return the range to write so that leaves `first` to `stop` are between two signed heads.

    `heads` are the signed trees. None is the beginning, or the largest of them, which also stands
    for a `stop` that none reaches: what comes after it is signed by nothing.
    """
    before = CompactRange()
    if first is not None:
        before = max(
            (each for each in heads if each.size <= first),
            key=lambda each: each.size,
            default=before,
        )
    end = max((each.size for each in heads), default=0)
    if stop is not None:
        end = min((each.size for each in heads if each.size >= stop), default=end)
    return Range(before=before, stop=max(end, before.size))


def _document(path: Path, content: object) -> None:
    text = json.dumps(content, indent=1, sort_keys=True)
    path.write_text(text + "\n", "ascii")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return sha256_of(file).hex()
