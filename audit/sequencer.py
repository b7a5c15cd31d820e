"""The one process that puts deeds in order and signs the order.

A step is one transaction on the log's database: committed rows of every source, in commit order,
become leaves; the head and the positions move with them; and now and then the head is signed. A
crash at any point leaves either the step before or the step after. The tamper window follows from
the numbers: a row is unsequenced for as long as a step takes, unsigned for `SIGN_EVERY`.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from django.db import OperationalError, connections
from psycopg.errors import LockNotAvailable

from audit import checkpoints, log
from audit.actors import system
from audit.checkpoints import TreeHead
from audit.errors import AnotherSequencer, Inconsistent, NoSuchCheckpoint, RolledBack
from audit.events import EventType, Outcome
from audit.log import Signed
from audit.nodes import Filled, fill
from audit.places import Places
from audit.record import REASON_LIMIT, RESOURCE_LIMIT, excerpt, record
from audit.scope import all_tenants_audit, bulk_cursor
from audit.staging import Cursor, next_batch
from audit.tallies import close_minutes
from crypto.errors import CryptoError
from crypto.merkle import CompactRange
from crypto.signatures import SigningKey

SIGN_EVERY = timedelta(seconds=60)
"""How long a sequenced row may stay unsigned while the sequencer runs."""

BATCH = 5000
"""Rows that a step takes from each source: below a second of work and a few megabytes."""

PARTITION_DAYS = 8
"""Days made ahead, today included: a week without a sequencer costs nothing."""

HALF_LOG_PARTITION = 1 << 19
"""Leaves: twice in each of the log's partitions we look whether the next one is there."""

PARTITION_RETRY = timedelta(minutes=1)
"""After a lock was not to be had; each try may make inserts wait up to two seconds."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What a step did: rows appended, leaves in all, whether it signed, whether more is waiting."""

    rows: int
    size: int
    signed: bool
    more: bool


class Sequencer:
    """Takes staged deeds into the log and signs its head.

    Parameters
    ----------
    signer
        The log's key. Its name in the notes is the signer's own; by convention the origin.
    origin
        The log's name: one per deployment, the same for ever.
    checkpoint_path
        The file outside the database that holds the newest checkpoint. The verifying key is
        written beside it, with ``.pub``.
    now
        The clock: returns an aware time.
    log_database, sources
        The database that holds the log, and those whose staging tables it drains.
    places
        Where else the newest checkpoint is kept; they hold up nothing.

    """

    def __init__(
        self,
        *,
        signer: SigningKey,
        origin: str,
        checkpoint_path: Path,
        now: Callable[[], datetime],
        log_database: str = "default",
        sources: Sequence[str] = ("default", "wisdom"),
        places: Places | None = None,
    ) -> None:
        self._signer = signer
        self._origin = origin
        self._path = checkpoint_path
        self._now = now
        self._database = log_database
        self._sources = tuple(sources)
        self._places = places or Places(())
        self._filled = Filled()
        self._published_size: int | None = None
        self._partitioned: tuple[date, int] | None = None
        self._size = 0
        self._partition_retry_at: datetime | None = None

    def step(self, *, flush: bool = False) -> Progress:
        """Take one batch of committed rows from each source; sign if it is time, or on `flush`.

        `flush` signs whatever grew; it does not close the running minute. Call again at once while
        ``more``.

        Raises
        ------
        AnotherSequencer
            Another process is in a step of this log.
        Inconsistent
            What would be signed does not continue what was signed; nothing was written, and
            nothing will be until somebody looks. `RolledBack` when the database is older than the
            checkpoint file.

        """
        now = self._now()
        self._make_partitions(now)
        for source in self._sources:
            close_minutes(using=source, now=now)
        with (
            all_tenants_audit("sequencer", using=self._database),
            bulk_cursor(using=self._database) as cursor,
        ):
            if not log.locked(cursor):
                raise AnotherSequencer("another sequencer is in a step of this log")
            before = log.load_head(cursor)
            head, more = self._take(cursor, before, now)
            newest = log.newest_checkpoint(cursor)
            signed = self._sign(cursor, newest=newest, head=head, now=now, flush=flush)
            filled = fill(cursor, self._filled, size=head.size)
        self._filled = filled
        self._publish(signed or newest)
        self._places.offer((signed or newest).note, now=now)
        self._tell_of_places(now)
        self._size = head.size
        return Progress(
            rows=head.size - before.size, size=head.size, signed=signed is not None, more=more
        )

    def _take(self, cursor: Cursor, head: CompactRange, now: datetime) -> tuple[CompactRange, bool]:
        more = False
        for source in self._sources:
            position = log.load_position(cursor, source)
            batch = next_batch(
                source,
                position,
                limit=BATCH,
                now=now,
                taken=lambda stages: log.already_taken(cursor, stages),
            )
            if batch.leaves:
                head = log.append(cursor, head, batch.leaves)
            if batch.position != position:
                log.save_position(cursor, source, batch.position)
            more = more or batch.more
        return head, more

    def _sign(
        self, cursor: Cursor, *, newest: Signed, head: CompactRange, now: datetime, flush: bool
    ) -> Signed | None:
        """Sign `head` if it grew and it is time, once it is shown to continue what was signed."""
        due = head.size != newest.range.size and (flush or _due(newest, now))
        if due or self._published_size is None:
            self._require_file_in_log(cursor, newest)
        if not due:
            return None
        log.require_continuation(
            cursor, before=newest, head=head, key=self._signer.verifying, origin=self._origin
        )
        tree = TreeHead(origin=self._origin, size=head.size, root=head.root())
        signed = Signed(range=head, note=checkpoints.sign(tree, self._signer), signed_at=now)
        log.save_checkpoint(cursor, signed)
        return signed

    def _require_file_in_log(self, cursor: Cursor, newest: Signed) -> None:
        """Refuse to go on from a database that has forgotten what the file says was signed.

        The file is written after the database commits, so that it is never ahead of it by itself.
        """
        try:
            note = self._path.read_text("utf-8")
        except FileNotFoundError:
            return
        try:
            outside = checkpoints.opened(note, key=self._signer.verifying, origin=self._origin)
        except (CryptoError, NoSuchCheckpoint) as error:
            raise Inconsistent(f"{self._path} is no checkpoint of this log and key") from error
        if outside.size > newest.range.size:
            raise RolledBack(
                f"{outside.size} leaves were signed ({self._path}), the database knows of"
                f" {newest.range.size}: an older state was restored. See docs/operating.md"
            )
        if log.root_signed_at(cursor, outside.size) != outside.root:
            raise Inconsistent(f"the log holds another tree than {self._path} of that size")

    def _publish(self, newest: Signed) -> None:
        """Write the newest checkpoint and the key beside it, also after a crash between the two."""
        if newest.range.size == self._published_size:
            return
        if newest.note:
            public = self._signer.verifying.encode() + "\n"
            checkpoints.write_atomically(checkpoints.public_key_path(self._path), public)
            checkpoints.write_atomically(self._path, newest.note)
        self._published_size = newest.range.size

    def _tell_of_places(self, now: datetime) -> None:
        for news in self._places.news():
            kept = news.event is EventType.CHECKPOINT_KEPT
            record(
                event=news.event,
                actor=system("sequencer"),
                now=now,
                resource=excerpt(news.place, limit=RESOURCE_LIMIT),
                outcome=Outcome.SUCCESS if kept else Outcome.FAILURE,
                reason=excerpt(news.reason, limit=REASON_LIMIT),
                using=self._database,
            )

    def _make_partitions(self, now: datetime) -> None:
        """Make the coming days' partitions, and the log's next; until then the default serves."""
        wanted = (now.date(), self._size // HALF_LOG_PARTITION)
        if wanted == self._partitioned:
            return
        if self._partition_retry_at is not None and now < self._partition_retry_at:
            return
        try:
            for source in {self._database, *self._sources}:
                with connections[source].cursor() as cursor:
                    cursor.execute("SELECT audit_partitions(%s, %s)", [now.date(), PARTITION_DAYS])
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            _log.warning("audit partitions not made yet: %s", error)
            self._partition_retry_at = now + PARTITION_RETRY
            return
        self._partitioned = wanted


def _due(newest: Signed, now: datetime) -> bool:
    """Say whether a minute passed since the last signature; a clock set back counts as passed."""
    if newest.signed_at is None:
        return True
    return not timedelta(0) <= now - newest.signed_at < SIGN_EVERY
