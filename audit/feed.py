"""One tenant's own entries in the order of the log, with proofs that the log holds them.

Called inside the tenant's scope: row-level security decides which entries there are, and the
tenant is named besides. Proofs need hashes of other tenants' entries, which say nothing of what
they hash (an entry has 74 random bits); they alone are read past the policy.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from audit import log
from audit.bookmarks import FROM_THE_START, Bookmark, parse
from audit.epochs import kept_from
from audit.errors import UnknownBookmark
from audit.leaves import Leaf
from audit.models import Entry, Head
from audit.nodes import Prover
from audit.scope import all_tenants_audit, bulk_cursor

EPOCH = 1
"""Which order bookmarks are of. It changes when indices are given out anew, that is never."""
PAGE_LIMIT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An entry: its index, its canonical bytes, what they say, and its proof if one was wanted."""

    index: int
    leaf: bytes
    content: Leaf
    proof: tuple[bytes, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Entries in the order of the log, the index to go on from, and whether more wait.

    ``checkpoint`` is the newest signed one, "" before the first; proofs are against it. Entries
    exist from index ``begins`` on: retention took the earlier ones away.
    """

    entries: Sequence[Shown]
    begins: int
    follow: int
    more: bool
    checkpoint: str


def place_of(text: str) -> int:
    """Return the index that a bookmark goes on from, or raise `UnknownBookmark`."""
    if text in FROM_THE_START:
        return 0
    bookmark = parse(text)
    if bookmark is None or bookmark.epoch != EPOCH or bookmark.offset:
        raise UnknownBookmark("follow is the value of an earlier answer, or absent")
    return bookmark.place


def bookmark_of(place: int) -> str:
    """Return the bookmark of an index."""
    return str(Bookmark(epoch=EPOCH, place=place))


def page(
    tenant: UUID, *, place: int, limit: int, events: Collection[str] = (), proofs: bool = False
) -> Page:
    """Return a tenant's entries from index `place` on, at most `limit`, inside its scope.

    With `proofs` only entries that the newest checkpoint covers are told; the others are at most a
    minute away from that. `events` keeps entries of these events alone.
    """
    with bulk_cursor(using="default") as cursor:
        signed = log.newest_checkpoint(cursor)
        begins = kept_from(cursor).size
    stop = signed.range.size if proofs else _size()  # read first: every entry below is committed
    rows = Entry.objects.filter(tenant=tenant, idx__gte=place, idx__lt=stop).order_by("idx")
    if events:
        rows = rows.filter(event__in=events)
    found = list(rows[: limit + 1])
    more = len(found) > limit
    found = found[:limit]
    proved = _proofs([each.idx for each in found], signed) if proofs and found else {}
    entries = [
        Shown(
            index=each.idx,
            leaf=bytes(each.leaf),
            content=each.content(),
            proof=proved.get(each.idx),
        )
        for each in found
    ]
    follow = found[-1].idx + 1 if more else max(place, stop)
    return Page(entries=entries, begins=begins, follow=follow, more=more, checkpoint=signed.note)


def _size() -> int:
    head = Head.objects.first()
    return 0 if head is None else head.size


def _proofs(indices: Sequence[int], signed: log.Signed) -> dict[int, tuple[bytes, ...]]:
    with (
        all_tenants_audit("reader", using="default"),
        bulk_cursor(using="default") as cursor,
    ):
        prover = Prover(cursor, signed.range)
        return {index: tuple(prover.proof(index)) for index in indices}
