"""Reads an archive of retired leaves back, and holds it against the trees that were kept."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

from audit.bundle.writing import FILE
from audit.errors import ArchiveRefused
from audit.models import Epoch
from crypto.digests import sha256_of
from crypto.merkle import CompactRange, leaf_hashes

AT_ONCE = 5000


def check_archive(folder: Path, *, start: CompactRange, stop: CompactRange) -> None:
    """Hash the leaves from `start` to `stop` out of a bundle's files; `ArchiveRefused` if others.

    Whoever has the kept trees needs no signature for it: the second is the first and these leaves,
    or it is not. Where it is not, the first leaf that differs from its stored hash is named.
    """
    tree, batch = start, []
    try:
        for leaf in _leaves(folder, start=start.size, stop=stop.size):
            batch.append(leaf)
            if len(batch) == AT_ONCE:
                tree, batch = tree.extend(leaf_hashes(batch)), []
    except (OSError, EOFError, ValueError) as error:
        raise ArchiveRefused(f"{folder}: {error}") from error
    tree = tree.extend(leaf_hashes(batch))
    if tree != stop:
        raise ArchiveRefused(f"{folder}: its leaves to {tree.size} do not make the kept tree")


def check_kept_archive(folder: Path) -> tuple[int, int]:
    """Hold an archive against the retired epochs whose leaves it has; return their bounds.

    Raises `ArchiveRefused` where it has no whole epoch, or other leaves.
    """
    try:
        about = json.loads((folder / "bundle.json").read_bytes())
        first, end = int(about["start"]), int(about["size"])
    except (OSError, ValueError, LookupError) as error:
        raise ArchiveRefused(f"{folder}: no archive: {error!r}") from error
    epochs = list(Epoch.objects.filter(start__gte=first, stop__lte=end).order_by("start"))
    if not epochs:
        raise ArchiveRefused(f"{folder}: it has no retired epoch whole")
    for each in epochs:
        before = Epoch.objects.filter(stop=each.start).first()
        check_archive(
            folder,
            start=CompactRange() if before is None else _tree(before),
            stop=_tree(each),
        )
    return epochs[0].start, epochs[-1].stop


def _tree(epoch: Epoch) -> CompactRange:
    return CompactRange.decode(size=epoch.stop, encoded=bytes(epoch.nodes))


def digest_of(folder: Path) -> bytes:
    """Return the SHA-256 of an archive's ``SHA256SUMS``, which stands for every file of it."""
    with (folder / "SHA256SUMS").open("rb") as file:
        return sha256_of(file)


def _leaves(folder: Path, *, start: int, stop: int) -> Iterator[bytes]:
    begins = json.loads((folder / "bundle.json").read_bytes())["start"]
    for number in range(start // FILE, (stop + FILE - 1) // FILE):
        hashes = (folder / f"hashes-{number:04}.bin").read_bytes()
        expected = max(begins, number * FILE)
        offset = expected
        with gzip.open(folder / f"entries-{number:04}.ndjson.gz") as packed:
            for line in packed:
                head = b'{"idx":%d,"leaf":' % expected
                if not line.startswith(head) or not line.endswith(b"}\n"):
                    raise ValueError(f"leaf {expected} is not where it should be")
                leaf, place = line[len(head) : -2], (expected - offset) * 32
                if leaf_hashes([leaf])[0] != hashes[place : place + 32]:
                    raise ValueError(f"leaf {expected} does not have its stored hash")
                if start <= expected < stop:
                    yield leaf
                expected += 1
