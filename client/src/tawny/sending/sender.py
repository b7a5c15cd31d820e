"""Sends the spool's parcels, oldest first, one request at a time.

What the service has taken is passed in the checkpoint; what it will never take is set aside; for
all else the parcel stays where it is and is sent again.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tawny.answers import Receipt
from tawny.errors import (
    Forbidden,
    Refused,
    TawnyError,
    TooLarge,
    Unauthenticated,
    Untrusted,
)
from tawny.formats.events import Kind
from tawny.retries import Attempts, Retry, seconds_asked_for
from tawny.sending.account import Account
from tawny.sending.checkpoints import Checkpoint
from tawny.sending.parcels import Parcel, Part, TornParcel, halves
from tawny.sending.spool import Spool

NEVER_TAKEN = frozenset({400, 413, 415, 422})  # statuses that say that the request itself is wrong
LONGEST_WAIT = 900.0  # seconds: who asks for more is asked again after a quarter of an hour
SAVE_SECONDS = 1.0  # between two checkpoints while parcels wait: each is written to the disk

PATIENT = Retry(retries=1 << 62, patience=float("inf"))


@dataclass(slots=True, kw_only=True)
class Sender:
    """Delivers one parcel after the other; ``step`` makes one attempt.

    ``deliver`` sends one request and does not try again itself. ``retry`` says how often to try
    before giving up with ``failure``; a key or a certificate that is not trusted is a failure at
    once. ``clock`` gives epoch seconds, for ``Retry-After`` dates.
    """

    spool: Spool
    checkpoint: Checkpoint
    account: Account
    deliver: Callable[[Kind, Part], Receipt]
    said: Callable[[str], None]
    random: Random
    clock: Callable[[], float]
    retry: Retry = PATIENT
    failure: TawnyError | None = None
    outage: bool = False
    acknowledged: int = 0  # events, in this run
    _sequence: int = 0
    _parcel: Parcel | None = None
    _parts: deque[tuple[int, Part]] = field(default_factory=deque)
    _attempts: Attempts | None = None
    _due: float = 0.0
    _saved: float = float("-inf")
    _unsaved: bool = False
    _disk_full: bool = False

    def step(self, *, tick: float) -> float | None:
        """Send the next request if it is due; give the seconds to the next one, None if none."""
        if self.failure is not None:
            return None
        if tick < self._due:
            return self._due - tick
        if not self._load():
            self._save(tick=tick, at_once=True)
            return None
        if self._parts:
            self._send(tick=tick)
        if not self._parts and tick >= self._due:
            self._pass(tick=tick)
        return max(0.0, self._due - tick)

    def _load(self) -> bool:
        """Take the oldest parcel up; False if there is none."""
        while self._parcel is None:
            sequence = self.spool.oldest()
            if sequence is None:
                return False
            try:
                self._parcel = self.spool.read(sequence)
            except (TornParcel, FileNotFoundError) as error:
                path = self.spool.put_away(sequence)
                self.account.damaged[path] = str(error)
                self.said(f"{path}: {error}")
                continue
            self._sequence = sequence
            self._parts = deque(enumerate(self._parcel.parts))
        return True

    def _send(self, *, tick: float) -> None:
        number, part = self._parts[0]
        try:
            receipt = self.deliver(part.kind, part)
        except (Unauthenticated, Forbidden, Untrusted) as error:
            self.failure = error
        except TooLarge as error:
            self._split(number, part, error, tick=tick)
        except Refused as error:
            if error.status in NEVER_TAKEN:
                self._set_aside(number, part, str(error), tick=tick)
            else:
                self._wait(error, tick=tick)
        except TawnyError as error:
            self._wait(error, tick=tick)
        else:
            self._parts.popleft()
            self.account.deliver(part.kind, receipt)
            self.acknowledged += receipt.received
            self._relieved()

    def _split(self, number: int, part: Part, error: TooLarge, *, tick: float) -> None:
        if part.events < 2:
            self._set_aside(number, part, str(error), tick=tick)
            return
        self._parts.popleft()
        self._parts.extendleft((number, half) for half in reversed(halves(part)))

    def _set_aside(self, number: int, part: Part, reason: str, *, tick: float) -> None:
        """Keep what will never be taken; it is told what became of it, and the run goes on."""
        place = 1000 * number + len(self._parts)
        try:
            path = self.spool.set_aside(self._sequence, place, part, reason)
        except OSError as error:
            self._wait_for_disk(error, tick=tick)
            return
        self._parts.popleft()
        self.account.set_aside[reason] += part.events
        self.said(f"{part.events} {part.kind} events will not be taken ({reason}): {path}")
        self._relieved()

    def _wait(self, error: TawnyError, *, tick: float) -> None:
        """Try again later, or give up."""
        if self._attempts is None:
            self._attempts = Attempts(retry=self.retry, random=self.random)
        header = error.retry_after if isinstance(error, Refused) else None
        asked = seconds_asked_for(header, epoch=self.clock())
        asked = None if asked is None else min(asked, LONGEST_WAIT)
        delay = self._attempts.delay(retry_after=asked)
        self.outage = True
        if delay is None:
            self.failure = error
            return
        self._due = tick + delay
        self.said(f"{error}; trying again in {delay:.1f} s")

    def _relieved(self) -> None:
        self._attempts = None
        self.outage = False

    # What was taken

    def _pass(self, *, tick: float) -> None:
        """Go behind a parcel of which nothing is left to send."""
        assert self._parcel is not None
        try:
            self.spool.took(self._sequence)
        except OSError as error:
            self._wait_for_disk(error, tick=tick)
            return
        self.checkpoint.acknowledge(self._sequence, self._parcel.marks)
        self._parcel = None
        self._unsaved = True
        self._save(tick=tick, at_once=self.spool.oldest() is None)

    def _save(self, *, tick: float, at_once: bool) -> None:
        if not self._unsaved or (not at_once and tick - self._saved < SAVE_SECONDS):
            return
        try:
            self.checkpoint.save()
            self.spool.forget()
        except OSError as error:
            self.spool.hollow()
            self._say_disk(error)
            return
        self._unsaved = False
        self._disk_full = False
        self._saved = tick

    def _wait_for_disk(self, error: OSError, *, tick: float) -> None:
        self._say_disk(error)
        self._due = tick + SAVE_SECONDS

    def _say_disk(self, error: OSError) -> None:
        if not self._disk_full:
            self._disk_full = True
            self.said(f"the state cannot be written ({error.strerror or error}); nothing is lost")

    def save(self, *, tick: float) -> bool:
        """Save the checkpoint; False if the disk does not take it."""
        self._save(tick=tick, at_once=True)
        return not self._unsaved
