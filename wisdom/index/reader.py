"""Read snapshots: map the current one, notice when it is replaced, answer look-ups."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import lmdb
import msgspec
import structlog

from crypto.digests import sha256
from wisdom.errors import SnapshotDamaged
from wisdom.index import records
from wisdom.index.records import Entry, Form, Manifest, Offered, SnapshotFeed

LOOK_EVERY = 1.0  # seconds between two looks at the pointer

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that a destination matches, with its feed."""

    entry: Entry
    feed: SnapshotFeed


class Lookup:
    """Look-ups inside one read transaction; entries past their time are left out."""

    def __init__(self, transaction: lmdb.Transaction, manifest: Manifest, *, now: int) -> None:
        self._get = transaction.get
        self._cursor = transaction.cursor()
        self._feeds = manifest.feeds
        self._now = now

    def name(self, name: str, domain: str | None) -> list[Match]:
        """Find what lists say of a name, or of a parent down to its registered ``domain``."""
        found = self._entries(records.name_key(name))
        parent = name
        while domain is not None:
            found += self._entries(records.domain_key(parent))
            if parent == domain or "." not in parent:
                break
            parent = parent.partition(".")[2]
        return found

    def address(self, packed: bytes, port: int | None) -> list[Match]:
        """Find what lists say of an address: with its port, alone, and of networks around it."""
        found = self._entries(records.address_key(packed))
        if port is not None:
            found = self._entries(records.address_port_key(packed, port)) + found
        return found + self._networks(packed)

    def offered(self, flag: str, form: Form, *, family: str = "") -> list[Offered]:
        """Give what of a category anybody may have, in the snapshot's own order."""
        value = self._get(records.offered_key(flag, form, family))
        found = () if value is None else records.decode_offered(value)
        return [entry for entry in found if entry.until > self._now]

    def families(self, flag: str) -> tuple[str, ...]:
        """Give the families of a category that anybody may know, in the alphabet's order."""
        value = self._get(records.families_key(flag))
        return () if value is None else records.decode_families(value)

    def _entries(self, key: bytes) -> list[Match]:
        value = self._get(key)
        return [] if value is None else self._matches(records.decode_entries(value))

    def _networks(self, packed: bytes) -> list[Match]:
        """Find the last segment that begins at or before the address; it holds it or none does."""
        key = records.segment_key(packed)
        if self._cursor.set_range(key):
            placed = self._cursor.key() == key or self._cursor.prev()
        else:
            placed = self._cursor.last()
        if not placed or self._cursor.key()[:1] != key[:1]:
            return []
        segment = records.decode_segment(self._cursor.value())
        return self._matches(segment.entries) if packed <= segment.last else []

    def _matches(self, entries: tuple[Entry, ...]) -> list[Match]:
        return [
            Match(entry, self._feeds[entry.feed]) for entry in entries if entry.until > self._now
        ]


class Snapshot:
    """One immutable snapshot, mapped into memory and shared by all threads of the process."""

    def __init__(self, folder: Path) -> None:
        """Map a snapshot; ``SnapshotDamaged`` unless it is what its manifest says."""
        try:
            self.manifest = records.decode_manifest((folder / records.MANIFEST).read_bytes())
            found = sha256((folder / records.DATA).read_bytes()).hex()
            if self.manifest.schema != records.SCHEMA or found != self.manifest.file:
                raise SnapshotDamaged(f"{folder.name} is not what its manifest says")
            self._environment = lmdb.open(
                str(folder / records.DATA),
                subdir=False,
                readonly=True,
                lock=False,
                readahead=False,
                max_spare_txns=8,
            )
        except (OSError, msgspec.MsgspecError, lmdb.Error) as error:
            raise SnapshotDamaged(f"{folder.name}: {error}") from error

    @property
    def version(self) -> str:
        """The version that reports name."""
        return self.manifest.version

    @contextmanager
    def lookup(self, *, now: int) -> Iterator[Lookup]:
        """Open a transaction for the look-ups of one request; ``now`` in Unix seconds."""
        with self._environment.begin() as transaction:
            yield Lookup(transaction, self.manifest, now=now)


class Snapshots:
    """The current snapshot of a directory; looks for a new one at most once a second."""

    def __init__(self, directory: Path) -> None:
        self._pointer = directory / records.POINTER
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._seen: tuple[int, int] | None = None
        self._current: Snapshot | None = None

    def current(self) -> Snapshot | None:
        """Give the newest usable snapshot; a damaged new one leaves the last good one in place.

        None as long as there has never been a usable one.
        """
        if time.monotonic() - self._looked < LOOK_EVERY:
            return self._current
        with self._lock:
            if time.monotonic() - self._looked >= LOOK_EVERY:
                self._look()
                self._looked = time.monotonic()
            return self._current

    def manifest(self) -> Manifest | None:
        """Read the current snapshot's manifest alone, without mapping anything."""
        try:
            version = self._pointer.read_text("ascii").strip()
            content = (self._pointer.parent / version / records.MANIFEST).read_bytes()
            return records.decode_manifest(content)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None

    def _look(self) -> None:
        try:
            found = self._pointer.stat()
            seen = (found.st_mtime_ns, found.st_ino)
            if seen == self._seen:
                return
            version = self._pointer.read_text("ascii").strip()
        except FileNotFoundError:
            return
        self._seen = seen
        if self._current is not None and self._current.version == version:
            return
        try:
            # The old one is let go, not closed: a request may be reading from it.
            self._current = Snapshot(self._pointer.parent / version)
        except SnapshotDamaged as error:
            log.exception("snapshot", code=error.code)
