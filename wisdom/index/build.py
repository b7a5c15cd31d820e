"""Build a snapshot from what serves, and put it in the place of the last one."""

import fcntl
import heapq
import os
import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import lmdb
import msgspec

from crypto.digests import sha256
from destinations import addresses, names
from destinations.networks import span
from feeds import values
from feeds.indicators import Indicator, Kind
from feeds.serving import Serving
from wisdom.index import openly, records
from wisdom.index.records import Entry, Manifest, Segment, SnapshotFeed

KEPT = 3  # snapshots left on disk: the current one and two to go back to
_ROOM = 1 << 36  # octets of address space, not of disk: the map may grow to 64 GB
_CHAIN = 1 << 20  # octets hashed at a time
_LOCK = ".lock"


def build(
    directory: Path, served: Iterable[Serving], *, stamp: tuple[str, ...], now: datetime
) -> Manifest:
    """Write a snapshot of what serves, check nothing else publishes, and make it the current one.

    Older snapshots beyond ``KEPT`` are removed; a reader that still maps one keeps it until it
    lets go. Two builders wait for each other. A crash at any point leaves the last one current.

    Returns
    -------
    Manifest
        Of the new snapshot.

    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(directory):
        folder = Path(tempfile.mkdtemp(prefix=".building-", dir=directory))
        try:
            manifest = _write(folder, sorted(served, key=lambda feed: feed.name), stamp, now)
            final = directory / manifest.version
            if final.exists():  # built twice within a second: the same content, by its digest
                shutil.rmtree(final)
            folder.rename(final)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        _point(directory, manifest.version)
        _prune(directory, manifest.version)
    return manifest


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    with (directory / _LOCK).open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _write(
    folder: Path, served: Sequence[Serving], stamp: tuple[str, ...], now: datetime
) -> Manifest:
    entries: defaultdict[bytes, list[Entry]] = defaultdict(list)
    networks: defaultdict[tuple[int, int], list[Entry]] = defaultdict(list)
    counts: Counter[str] = Counter()
    for number, feed in enumerate(served):
        for indicator, until in feed.indicators:
            entry = _entry(number, indicator, until)
            counts[indicator.kind.value] += 1
            if indicator.kind is Kind.NETWORK:
                networks[span(indicator.value)].append(entry)
            else:
                entries[_key(indicator)].append(entry)
    rows = [(key, records.encode(tuple(found))) for key, found in entries.items()]
    rows += [
        (records.segment_key(first), records.encode(segment))
        for first, segment in segments(networks)
    ]
    rows += openly.rows(served, stamp=stamp)
    rows.sort()
    content = _store(folder, rows)
    version = f"{now:%Y%m%dT%H%M%SZ}-{content.hex()[:16]}"
    manifest = Manifest(
        schema=records.SCHEMA,
        version=version,
        built_at=now,
        content=content.hex(),
        file=sha256((folder / records.DATA).read_bytes()).hex(),
        counts=dict(counts),
        feeds=tuple(_feed(feed) for feed in served),
        stamp=stamp,
        psl=names.PSL_VERSION,
    )
    _write_whole(folder / records.MANIFEST, msgspec.json.encode(manifest))
    return manifest


def _entry(feed: int, indicator: Indicator, until: datetime) -> Entry:
    first, last = indicator.first_seen, indicator.last_seen
    return Entry(
        feed=feed,
        kind=indicator.kind.value,
        indicator=indicator.value,
        flag=indicator.flag,
        family=indicator.family,
        first_seen=None if first is None else int(first.timestamp()),
        last_seen=None if last is None else int(last.timestamp()),
        until=int(until.timestamp()),
        reference=indicator.reference,
    )


def _key(indicator: Indicator) -> bytes:
    value = indicator.value
    match indicator.kind:
        case Kind.NAME:
            return records.name_key(value)
        case Kind.DOMAIN:
            return records.domain_key(value)
        case Kind.ADDRESS:
            return records.address_key(addresses.parse(value))
        case Kind.ADDRESS_PORT:
            return records.address_port_key(*values.split_address_port(value))
        case Kind.URL:
            return records.url_key(value)
        case Kind.NETWORK:
            raise ValueError("a network has a segment, not a key")


def segments(
    networks: Mapping[tuple[int, int], Sequence[Entry]],
) -> Iterator[tuple[bytes, Segment]]:
    """Cut overlapping networks into disjoint stretches, each with all networks that cover it.

    Parameters
    ----------
    networks
        Entries by first and last address. Networks nest or are apart, they never cross.

    Yields
    ------
    tuple[bytes, Segment]
        First address and the stretch, ascending. Cost O(n log n), plus the depth of nesting.

    """
    edges = sorted({edge for low, high in networks for edge in (low, high + 1)})
    waiting = sorted(networks)
    open_now: list[tuple[int, int]] = []  # a heap by last address: the narrowest ends first
    place = 0
    for first, beyond in pairwise(edges):
        while open_now and open_now[0][0] < first:
            heapq.heappop(open_now)
        while place < len(waiting) and waiting[place][0] <= first:
            low, high = waiting[place]
            heapq.heappush(open_now, (high, low))
            place += 1
        covering = sorted((high - low, low, high) for high, low in open_now)
        if covering:
            found = tuple(entry for _, low, high in covering for entry in networks[(low, high)])
            last = (beyond - 1).to_bytes(addresses.WIDTH, "big")
            yield first.to_bytes(addresses.WIDTH, "big"), Segment(last, found)


def _store(folder: Path, rows: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Write the rows, ascending, and give the digest of them all."""
    environment = lmdb.open(
        str(folder / records.DATA), subdir=False, map_size=_ROOM, lock=False, metasync=True
    )
    digest, chunk = b"", bytearray()
    try:
        with environment.begin(write=True) as transaction:
            for key, value in rows:
                transaction.put(key, value, append=True)
                chunk += len(key).to_bytes(4, "big") + key + len(value).to_bytes(4, "big") + value
                if len(chunk) >= _CHAIN:
                    digest = sha256(digest + bytes(chunk))
                    chunk.clear()
    finally:
        environment.close()
    return sha256(digest + bytes(chunk))


def _feed(feed: Serving) -> SnapshotFeed:
    return SnapshotFeed(
        name=feed.name,
        title=feed.title,
        origin=feed.origin,
        licence=feed.licence,
        redistribute=feed.redistribute,
        release=feed.release,
        as_of=feed.as_of,
        fetched_at=feed.fetched_at,
        rows=len(feed.indicators),
    )


def _point(directory: Path, version: str) -> None:
    """Swap the pointer: a reader sees the old version or the new one, never half of either."""
    fresh = directory / f".{records.POINTER}-{os.getpid()}"
    _write_whole(fresh, version.encode())
    fresh.replace(directory / records.POINTER)
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_whole(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _prune(directory: Path, current: str) -> None:
    """Remove snapshots beyond the kept ones, and what a crashed builder left (the lock is ours)."""
    versions = sorted(
        (path for path in directory.iterdir() if (path / records.MANIFEST).is_file()),
        key=lambda path: (path.stat().st_mtime_ns, path.name),
        reverse=True,
    )
    kept = {current, *[path.name for path in versions[:KEPT]]}
    for path in directory.iterdir():
        if path.is_dir() and path.name not in kept:
            shutil.rmtree(path)
