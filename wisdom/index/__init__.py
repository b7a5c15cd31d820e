"""Snapshots of everything listed: built whole, swapped atomically, read from memory maps."""

from wisdom.index.build import KEPT, build
from wisdom.index.reader import Lookup, Match, Snapshot, Snapshots
from wisdom.index.records import Form, Manifest, Offered, SnapshotFeed

__all__ = [
    "KEPT",
    "Form",
    "Lookup",
    "Manifest",
    "Match",
    "Offered",
    "Snapshot",
    "SnapshotFeed",
    "Snapshots",
    "build",
]
