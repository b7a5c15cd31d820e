"""Checks a log from its leaves, its signed heads and the public key, and nothing else.

Pure: it reads no database, and its clock is an argument. Every leaf is hashed again and the tree
built again, so that each checkpoint's root is compared with the leaves before it; roots of the same
leaves are consistent with each other by construction. A change that was hidden by rewriting the
stored hashes shows at the next checkpoint, which names the range between two checkpoints; every
other change names its index. What came after the last checkpoint is signed by nothing and may be
anybody's invention: a finding, unless it is so young that the sequencer need not have signed it.
"""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from types import MappingProxyType

import msgspec

from audit.checkpoints import TreeHead, opened
from audit.completion import grown
from audit.errors import NoSuchCheckpoint
from audit.leaves import Stamp, instant, read_stamp
from crypto.errors import CryptoError
from crypto.merkle import CompactRange, MalformedTree, leaf_hashes
from crypto.signatures import VerifyingKey

Row = tuple[int, bytes, bytes, str, str, str | None, str]
"""A row of the log: index, leaf, leaf hash, then stage id, event, tenant and time as the leaf
writes them. A plain tuple, because a class would cost a third of the check."""

_IDX, _LEAF, _HASH = (operator.itemgetter(n) for n in range(3))
_COLUMNS = operator.itemgetter(slice(3, 7))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCheckpoint:
    """A checkpoint as the database keeps it."""

    size: int
    root: bytes
    nodes: bytes
    note: str


class Fault(StrEnum):
    """What is wrong, as a stable code."""

    HASH = "hash"
    INDEX = "index"
    LEAF = "leaf"
    COLUMNS = "columns"
    ROOT = "root"
    MISSING = "missing"
    CHECKPOINT = "checkpoint"
    UNSIGNED = "unsigned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault: the first and last index it can concern, and a sentence."""

    fault: Fault
    first: int
    last: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the check came to.

    ``size`` leaves were read and their ``root`` computed; ``checkpoints`` signed heads were
    compared; ``unsigned`` leaves follow the last of them, of which ``allowed``, the newest, are
    younger than `UNSIGNED_FOR`. ``findings`` are sorted by index and empty when the log is whole.
    ``clock_back`` are indices at which the sequencer's clock stood earlier than at the leaf before:
    no fault of the log, but somebody may have wanted it so.
    """

    size: int
    root: bytes
    checkpoints: int
    unsigned: int
    allowed: int
    findings: tuple[Finding, ...]
    clock_back: tuple[int, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    @property
    def first_bad(self) -> int | None:
        """The first index that something can be wrong with, or None."""
        return self.findings[0].first if self.findings else None


NOTHING = CompactRange()
NO_COMPLETIONS: Mapping[int, Sequence[bytes]] = MappingProxyType({})


class _Broken(Exception):  # noqa: N818 -- ends the walk; never leaves this module
    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


UNSIGNED_FOR = timedelta(minutes=2)
"""How old a leaf may be that no checkpoint covers: twice the 60 s between two signatures."""

CLOCK_NOTES_LIMIT = 100
"""Indices of `Verdict.clock_back`: enough to see that there is a pattern."""


def verify(
    *,
    pages: Iterable[Sequence[Row]],
    checkpoints: Iterable[StoredCheckpoint],
    key: VerifyingKey,
    origin: str,
    now: Callable[[], datetime],
    outside: Sequence[str] = (),
    before: CompactRange = NOTHING,
    completions: Mapping[int, Sequence[bytes]] = NO_COMPLETIONS,
) -> Verdict:
    """Check a log.

    Parameters
    ----------
    pages
        The log's rows in the order of their index, in pages of any length (thousands are fast).
    checkpoints
        The stored checkpoints, in any order.
    key, origin
        The public key and the name of the log; whoever checks has them from elsewhere.
    now
        The clock by which leaves that no checkpoint covers are young; asked before the first page
        and after the last.
    outside
        Checkpoints (signed notes) that were kept elsewhere. They show a cut tail, an older state
        and a fork, which a log that was rewritten together with its checkpoints cannot show.
    before, completions
        Where retention took leaves away: the tree that was kept of them, and for each checkpoint
        of `outside` from before its end the hashes that make the stored tree of its size that one
        (`audit.epochs.completion`). The leaves in `pages` follow that tree.

    """
    findings: list[Finding] = []
    stored = list(checkpoints)
    heads = _signed_heads(stored, key=key, origin=origin, findings=findings)
    kept = _outside_heads(outside, key=key, origin=origin, findings=findings)
    trees = {each.size: each for each in stored}
    for head in kept:
        if head.size < before.size and not _begins(head, before, trees, completions):
            message = f"the first {head.size} leaves are not shown to be those that were signed"
            findings.append(Finding(fault=Fault.ROOT, first=0, last=head.size - 1, message=message))
    heads = [each for each in heads + kept if each.size >= before.size]
    heads.sort(key=operator.attrgetter("size"))
    walk = _Walk(heads, before, since=instant(now() - UNSIGNED_FOR))
    try:
        for page in pages:
            walk.take(page)
        walk.finish(until=instant(now() + UNSIGNED_FOR))
    except _Broken as broken:
        findings.append(broken.finding)
    unsigned = walk.tree.size - walk.signed_size
    findings.sort(key=operator.attrgetter("first", "last"))
    return Verdict(
        size=walk.tree.size,
        root=walk.tree.root(),
        checkpoints=walk.compared,
        unsigned=unsigned,
        allowed=walk.tree.size - max(walk.old_size, walk.signed_size),
        findings=tuple(findings),
        clock_back=tuple(walk.clock_back),
    )


def _signed_heads(
    checkpoints: Iterable[StoredCheckpoint],
    *,
    key: VerifyingKey,
    origin: str,
    findings: list[Finding],
) -> list[TreeHead]:
    heads = []
    before = 0
    for each in sorted(checkpoints, key=operator.attrgetter("size")):
        try:
            heads.append(_signed_head(each, key=key, origin=origin))
        except (CryptoError, NoSuchCheckpoint) as error:
            message = f"the checkpoint of {each.size} leaves: {error}"
            findings.append(
                Finding(fault=Fault.CHECKPOINT, first=before, last=each.size - 1, message=message)
            )
        before = each.size
    return heads


def _signed_head(stored: StoredCheckpoint, *, key: VerifyingKey, origin: str) -> TreeHead:
    head = opened(stored.note, key=key, origin=origin)
    saved = CompactRange.decode(size=stored.size, encoded=stored.nodes)
    if head != TreeHead(origin=origin, size=stored.size, root=stored.root):
        raise NoSuchCheckpoint("its columns are not what was signed")
    if saved.root() != head.root:
        raise NoSuchCheckpoint("its saved tree is not what was signed")
    return head


def _outside_heads(
    outside: Sequence[str], *, key: VerifyingKey, origin: str, findings: list[Finding]
) -> list[TreeHead]:
    heads = []
    for note in outside:
        try:
            heads.append(opened(note, key=key, origin=origin))
        except (CryptoError, NoSuchCheckpoint) as error:
            message = f"the checkpoint from outside: {error}"
            findings.append(Finding(fault=Fault.CHECKPOINT, first=0, last=0, message=message))
    return heads


def _begins(
    head: TreeHead,
    before: CompactRange,
    trees: Mapping[int, StoredCheckpoint],
    completions: Mapping[int, Sequence[bytes]],
) -> bool:
    """Say whether a signed tree from before the leaves that are left is shown to begin theirs."""
    stored = trees.get(head.size)
    if stored is None or head.size not in completions:
        return False
    try:
        tree = CompactRange.decode(size=stored.size, encoded=stored.nodes)
    except MalformedTree:
        return False
    then = grown(tree, stop=before.size, roots=completions[head.size])
    return tree.root() == head.root and then == before


class _Walk:
    """The tree as it grows, and the signed heads that it has yet to meet."""

    def __init__(self, heads: Sequence[TreeHead], before: CompactRange, *, since: str) -> None:
        by_size = groupby(heads, key=operator.attrgetter("size"))
        self._ahead = [(size, {head.root for head in same}) for size, same in by_size]
        self._ahead.reverse()
        self.tree = before
        self.compared = 0
        self.signed_size = before.size
        self.old_size = before.size
        """Where those begin that may be unsigned: sequenced after `since` and not in the future."""
        self._since = since
        self._latest = ""
        self.clock_back: list[int] = []
        self._sequenced = ""
        self._meet()

    def take(self, page: Sequence[Row]) -> None:
        """Check a page and grow the tree by it, stopping at each signed size on the way."""
        start = 0
        while start < len(page):
            stop = len(page)
            if self._ahead:
                stop = min(stop, start + self._ahead[-1][0] - self.tree.size)
            part = page if (start, stop) == (0, len(page)) else page[start:stop]
            self._grow(part)
            self._meet()
            start = stop

    def finish(self, *, until: str) -> None:
        """Complain when a signed head has more leaves than there are, or leaves have none."""
        if self._ahead:
            signed = self._ahead[0][0]
            raise _Broken(
                Finding(
                    fault=Fault.MISSING,
                    first=self.tree.size,
                    last=signed - 1,
                    message=f"{signed} leaves were signed, the log ends after {self.tree.size}",
                )
            )
        if self._latest > until:  # a stamp that no sequencer can have set yet
            self.old_size = self.tree.size
        if self.old_size > self.signed_size:
            message = "no checkpoint signs these"
            raise _Broken(
                Finding(
                    fault=Fault.UNSIGNED,
                    first=self.signed_size,
                    last=self.old_size - 1,
                    message=message,
                )
            )

    def _grow(self, rows: Sequence[Row]) -> None:
        first = self.tree.size
        leaves = list(map(_LEAF, rows))
        hashes = leaf_hashes(leaves)
        indices = list(map(_IDX, rows))
        if indices != list(range(first, first + len(rows))) or hashes != list(map(_HASH, rows)):
            raise _Broken(_first_difference(rows, hashes, first))
        try:
            stamps = [read_stamp(leaf) for leaf in leaves]
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise _Broken(_first_unreadable(rows)) from None
        seen = [(stamp.id, stamp.event, stamp.tenant, stamp.time) for stamp in stamps]
        if seen != list(map(_COLUMNS, rows)):
            raise _Broken(_first_other_column(rows, seen))
        self._watch_clock(stamps, first)
        if not self._ahead:
            self._watch_age(stamps, first)
        self.tree = self.tree.extend(hashes)

    def _watch_age(self, stamps: Sequence[Stamp], first: int) -> None:
        """Note where the leaves that no head covers are too old to be without."""
        times = [stamp.sequenced for stamp in stamps]
        self._latest = max(self._latest, *times)
        if min(times) < self._since:
            self.old_size = first + max(n for n, at in enumerate(times, 1) if at < self._since)

    def _watch_clock(self, stamps: Sequence[Stamp], first: int) -> None:
        times = [self._sequenced, *(stamp.sequenced for stamp in stamps)]
        self._sequenced = times[-1]
        if times == sorted(times):
            return
        back = [first + n for n in range(len(stamps)) if times[n + 1] < times[n]]
        self.clock_back.extend(back[: CLOCK_NOTES_LIMIT - len(self.clock_back)])

    def _meet(self) -> None:
        while self._ahead and self._ahead[-1][0] == self.tree.size:
            size, roots = self._ahead.pop()
            if roots != {self.tree.root()}:
                raise _Broken(
                    Finding(
                        fault=Fault.ROOT,
                        first=self.signed_size,
                        last=max(size - 1, 0),
                        message=f"the first {size} leaves are not those that were signed",
                    )
                )
            self.compared += len(roots)
            self.signed_size = size


def _at(fault: Fault, idx: int, message: str) -> Finding:
    return Finding(fault=fault, first=idx, last=idx, message=message)


def _first_difference(rows: Sequence[Row], hashes: Sequence[bytes], first: int) -> Finding:
    for n, row in enumerate(rows):
        expected = first + n
        if _IDX(row) != expected:
            message = f"leaf {expected} is missing: after {expected - 1} comes {_IDX(row)}"
            return _at(Fault.INDEX, expected, message)
        if _HASH(row) != hashes[n]:
            return _at(Fault.HASH, expected, f"leaf {expected} does not have its stored hash")
    raise AssertionError("the caller saw a difference")


def _first_unreadable(rows: Sequence[Row]) -> Finding:
    for row in rows:
        try:
            read_stamp(_LEAF(row))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _at(Fault.LEAF, _IDX(row), f"leaf {_IDX(row)} is no entry: {error}")
    raise AssertionError("the caller saw an unreadable leaf")


def _first_other_column(
    rows: Sequence[Row], seen: Sequence[tuple[str, str, str | None, str]]
) -> Finding:
    for row, leaf in zip(rows, seen, strict=True):
        if leaf != _COLUMNS(row):
            return _at(Fault.COLUMNS, _IDX(row), f"the columns of {_IDX(row)} are not what it says")
    raise AssertionError("the caller saw a difference")
