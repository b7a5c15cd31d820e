"""Snapshots of everything listed: built whole, swapped atomically, read from memory maps."""

from wisdom.index.build import KEPT, build
from wisdom.index.reader import Lookup, Match, Snapshot, Snapshots
from wisdom.index.records import Manifest, SnapshotFeed

__all__ = [
    "KEPT",
    "Lookup",
    "Manifest",
    "Match",
    "Snapshot",
    "SnapshotFeed",
    "Snapshots",
    "build",
]
