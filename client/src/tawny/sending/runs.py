"""Runs that remember: what was read lies in a spool before it is sent, and a second run goes on."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random, SystemRandom
from threading import Event as Flag, Thread

import msgspec

from tawny.answers import Receipt
from tawny.formats.events import Kind
from tawny.retries import Retry
from tawny.sending.account import Account, Kept
from tawny.sending.batches import BATCH_BYTES, BATCH_EVENTS
from tawny.sending.checkpoints import Checkpoint
from tawny.sending.errors import DiskFull, StateError
from tawny.sending.folders import Folder
from tawny.sending.gathering import Gathered
from tawny.sending.parcels import Part
from tawny.sending.reading import Reader
from tawny.sending.sender import PATIENT, Sender
from tawny.sending.spool import SPOOL_BYTES, Spool
from tawny.sending.tails import LogFormat
from tawny.sending.watch import IDLE_SECONDS, SETTLED_SECONDS, Watch

POLL_SECONDS = 0.5
LOOKING_SHARE = 10  # looking over a large tree takes long; this many of its lengths pass between
BUSY_SECONDS = 0.02  # between two readings while the sender has enough to send
STOP_SECONDS = 10.0  # for sending after a stop: what is not sent then, the next run sends
MEMORY_SECONDS = 600.0  # between two savings of what logs lend each other: up to 40 MB
MEMORY = "memory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a run goes: bytes read, not read and in the spool; events taken; what it waits for."""

    read: int
    behind: int
    acknowledged: int
    rejected: int
    parcels: int
    spooled: int
    waits_for: str
    outage: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The two halves of a run and what lies between them."""

    reader: Reader
    sender: Sender
    spool: Spool
    checkpoint: Checkpoint
    account: Account
    log_format: LogFormat
    state: Folder

    def standing(self) -> Standing:
        """Tell how it goes."""
        sent = list(self.account.sent.values())
        return Standing(
            read=self.reader.read,
            behind=self.reader.behind,
            acknowledged=self.sender.acknowledged,
            rejected=sum(each.rejected.total() for each in sent),
            parcels=self.spool.waiting,
            spooled=self.spool.bytes,
            waits_for=self.reader.waits_for,
            outage=self.sender.outage,
        )

    def save_memory(self) -> None:
        """Keep what logs lend each other; a full disk only costs a later run some joins."""
        if self.log_format.memory is not None:
            with contextlib.suppress(OSError):
                self.state.write(MEMORY, [self.log_format.memory.state()])


@contextlib.contextmanager
def opened(
    *,
    state: Path,
    paths: Sequence[str],
    log_format: LogFormat,
    deliver: Callable[[Kind, Part], Receipt],
    account: Account,
    said: Callable[[str], None],
    again: bool = False,
    following: bool = True,
    retry: Retry = PATIENT,
    spool_bytes: int = SPOOL_BYTES,
    batch_events: int = BATCH_EVENTS,
    batch_bytes: int = BATCH_BYTES,
    random: Random | None = None,
    clock: Callable[[], float] = time.time,
) -> Iterator[Run]:
    """Take a state up where the last run left it; StateError where that cannot be."""
    folder = Folder(state)
    with Checkpoint(folder) as checkpoint:
        spool = Spool(Folder(state / "spool"), Folder(state / "rejected"), limit=spool_bytes)
        try:
            found = spool.open(checkpoint.acknowledged)
        except OSError as error:
            raise StateError(f"{state}: {error.strerror or error}") from error
        for path in spool.damaged:
            account.damaged[path] = "a parcel that the disk has changed"
        for parcel in found:
            if parcel.taken:
                checkpoint.acknowledge(parcel.sequence, parcel.marks)
        checkpoint.forget_gone(now=clock())
        marks = dict(checkpoint.marks)
        marks.update((mark.log, mark) for parcel in found for mark in parcel.marks)
        next_log = max(marks, default=0) + 1
        if again:
            checkpoint.start_again()
            marks = {}
        _restore_memory(folder, log_format)
        sender = Sender(
            spool=spool,
            checkpoint=checkpoint,
            account=account,
            deliver=deliver,
            said=said,
            random=random or SystemRandom(),
            clock=clock,
            retry=retry,
        )
        watch = Watch(
            paths=paths,
            log_format=log_format,
            gathered=lambda: Gathered(limit_events=batch_events, limit_bytes=batch_bytes),
            marks=marks,
            next_log=next_log,
            idle=IDLE_SECONDS if following else SETTLED_SECONDS,
        )
        reader = Reader(
            watch=watch,
            spool=spool,
            account=account,
            outage=lambda: sender.outage,
            said=said,
            unended=not following,
        )
        yield Run(
            reader=reader,
            sender=sender,
            spool=spool,
            checkpoint=checkpoint,
            account=account,
            log_format=log_format,
            state=folder,
        )
        if spool.waiting:
            account.kept = Kept(folder=str(state), parcels=spool.waiting, bytes=spool.bytes)


def _restore_memory(folder: Folder, log_format: LogFormat) -> None:
    """Take up what logs lend each other; nothing where it was never saved or is of another time."""
    if log_format.memory is not None:
        with contextlib.suppress(OSError, msgspec.DecodeError):
            log_format.memory.restore(folder.read(MEMORY))


class Posting:
    """Steps a sender in a thread of its own, so that reading goes on while a request is under way.

    What goes wrong in the thread that is no matter of the service is raised on leaving.
    """

    def __init__(self, sender: Sender, *, ticks: Callable[[], float]) -> None:
        self._sender = sender
        self._ticks = ticks
        self._work = Flag()
        self._draining = Flag()
        self._through_outage = False
        self._error: BaseException | None = None
        # a daemon: a request under way must not hold up the end, and is made again
        self._thread = Thread(target=self._run, name="tawny-sender", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def ended(self) -> bool:
        """True once nothing more will be sent."""
        return not self._thread.is_alive()

    def nudge(self) -> None:
        """Say that there may be something to send."""
        self._work.set()

    def drain(self, *, seconds: float | None, through_outage: bool) -> None:
        """Let it send what there is, for so long at the most, and end.

        ``through_outage`` says whether to go on trying where the service takes nothing.
        """
        self._through_outage = through_outage
        self._draining.set()
        self._work.set()
        self._thread.join(seconds)
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while self._sender.failure is None:
                wait = self._sender.step(tick=self._ticks())
                if self._draining.is_set() and (wait is None or self._gives_up()):
                    return
                self._work.wait(POLL_SECONDS if wait is None else min(wait, POLL_SECONDS))
                self._work.clear()
        except BaseException as error:  # noqa: BLE001 -- kept, and raised in the caller's thread
            self._error = error

    def _gives_up(self) -> bool:
        return self._sender.outage and not self._through_outage


def follow(
    run: Run,
    *,
    stopped: Callable[[float], bool],
    show: Callable[[Standing], None],
    clock: Callable[[], float] = time.time,
    ticks: Callable[[], float] = time.monotonic,
) -> None:
    """Send what logs get until ``stopped``, which waits so many seconds and tells, says so."""
    posting = Posting(run.sender, ticks=ticks)
    posting.start()
    saved = ticks()
    look, pause = saved, 0.0
    while not posting.ended and not stopped(pause):
        tick = ticks()
        if tick >= look:
            run.reader.watch.scan(now=clock())
            look = max(tick + POLL_SECONDS, ticks() + LOOKING_SHARE * (ticks() - tick))
        more = run.reader.go_on(now=clock(), tick=ticks())
        posting.nudge()
        show(run.standing())
        if tick - saved >= MEMORY_SECONDS:
            run.save_memory()
            saved = tick
        pause = BUSY_SECONDS if more else max(BUSY_SECONDS, look - ticks())
    _end(run, posting, seconds=STOP_SECONDS, clock=clock, ticks=ticks)


def resume(
    run: Run,
    *,
    stopped: Callable[[float], bool],
    show: Callable[[Standing], None],
    clock: Callable[[], float] = time.time,
    ticks: Callable[[], float] = time.monotonic,
) -> None:
    """Send what logs hold that was not sent, and end; a stop leaves the rest to the next run."""
    posting = Posting(run.sender, ticks=ticks)
    posting.start()
    pause = 0.0
    halted = False
    run.reader.watch.scan(now=clock())
    while not posting.ended and not run.reader.caught_up:
        halted = stopped(pause)
        if halted:
            break
        run.reader.go_on(now=clock(), tick=ticks())
        posting.nudge()
        show(run.standing())
        pause = BUSY_SECONDS
    _end(run, posting, seconds=STOP_SECONDS if halted else None, clock=clock, ticks=ticks)


def _end(
    run: Run,
    posting: Posting,
    *,
    seconds: float | None,
    clock: Callable[[], float],
    ticks: Callable[[], float],
) -> None:
    """Flush what was read, send it, save all."""
    whole = run.reader.flush(now=clock(), tick=ticks())
    posting.drain(seconds=seconds, through_outage=seconds is None)
    if posting.ended:
        run.sender.save(tick=ticks())
    run.reader.close()
    run.save_memory()
    run.account.failure = run.sender.failure
    if run.account.failure is None and not whole:
        run.account.failure = DiskFull(f"{run.state.path}: {run.reader.waits_for}")
