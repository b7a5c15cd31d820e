"""The client that waits in the calling thread."""

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from random import Random, SystemRandom
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from tawny import calls
from tawny.answers import (
    Alert,
    AlertPage,
    Finding,
    Flag,
    Lookup,
    Receipt,
    Status,
    Threat,
)
from tawny.asking import Asking
from tawny.checkpoints import Checkpoint
from tawny.errors import TawnyError
from tawny.formats.events import Kind
from tawny.operations import POLL_SECONDS, Operations
from tawny.packing import BODY_BYTES, BODY_EVENTS, AnyEvent, Packer
from tawny.retries import Pause, Retry
from tawny.steps import Attempt, Draw, Give, Reply, Script, Step, Stream, Wait, Work
from tawny.transport import ANSWER_SECONDS, Target, built, checked, usable_proxies

Answer = TypeVar("Answer")
Item = TypeVar("Item")


class Client:
    """A connection to one service with one API key.

    ``send`` may be called again with the same bytes: events take effect once. Errors are those of
    :mod:`tawny.errors`. Use it as a context manager, or call ``close``. One thread at a time
    should use it.

    Parameters
    ----------
    url
        Where the service is, such as ``https://tawny.example``; no user name in it.
    key
        The tenant's API key. It is never shown: neither by ``repr`` nor in an error.
    retry
        How often and how long to try again after transport errors, 429 and 5xx.
    on_pause
        Called before each wait that something went wrong for.
    timeout
        Seconds without a byte of the answer after which it counts as lost.
    random, sleep, clock
        Source of the jitter, the way to wait (seconds), the epoch time for ``Retry-After`` dates.

    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        retry: Retry | None = None,
        on_pause: Callable[[Pause], None] | None = None,
        timeout: float = ANSWER_SECONDS,
        random: Random | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.url = checked(url)
        self._target = Target(url=self.url, key=key)
        self._sleep = sleep
        self._operations = Operations(
            Asking(
                retry=retry or Retry(),
                random=random or SystemRandom(),
                clock=clock,
                on_pause=on_pause,
            )
        )
        with usable_proxies():
            self._http = httpx.Client(**self._target.settings(timeout))

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(self, kind: Kind, events: bytes) -> Receipt:
        """Send JSON events, one a line or an array, in one compressed request.

        A repeated attempt sends the same bytes, which the service takes once.
        """
        return self._run(self._operations.send(kind, events))

    def send_packed(self, kind: Kind, packed: bytes) -> Receipt:
        """Send one request whose body is gzip over JSON events already; see ``send``."""
        return self._run(self._operations.send_packed(kind, packed))

    def send_events(
        self,
        kind: Kind,
        events: Iterable[AnyEvent],
        *,
        batch_events: int = BODY_EVENTS,
        batch_bytes: int = BODY_BYTES,
    ) -> Receipt:
        """Send events, structs of ``tawny.formats.events`` or dicts, in as many requests as needed.

        They go in their order, equal ones that are near each other in one request, because equal
        events of two requests count as one sent twice. Limits are per request, ``batch_bytes``
        before compression; both may be exceeded up to twice for equal events. The receipt is the
        sum. Sending all of it again after an error is harmless.
        """
        packer = Packer(kind=kind, events=batch_events, size=batch_bytes)
        return self._run(self._operations.send_events(kind, events, packer))

    def page(self, *, follow: str = "", min_severity: int | None = None) -> AlertPage:
        """Give the alerts after the ``follow`` of an earlier page, or the oldest ones."""
        return self._run(self._operations.ask(calls.alerts(follow, min_severity=min_severity)))

    def pages(self, *, follow: str = "", min_severity: int | None = None) -> Iterator[AlertPage]:
        """Give pages, one at least, until the service has no more."""
        return self._stream(self._operations.pages(follow, min_severity).once())

    def alerts(
        self,
        *,
        follow: str = "",
        min_severity: int | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> Iterator[Alert]:
        """Give every alert there is now, oldest first, after ``follow`` or the checkpoint."""
        return self._stream(self._operations.alerts(follow, min_severity, checkpoint).once())

    def follow(
        self,
        *,
        checkpoint: Checkpoint | None = None,
        interval: float = POLL_SECONDS,
        follow: str = "",
        min_severity: int | None = None,
    ) -> Iterator[Alert]:
        """Give alerts for ever: those there are, then new ones, looking every ``interval`` seconds.

        The checkpoint moves when the caller has taken the last alert of a page and asks for the
        next: nothing is lost by a break, a part of a page may come again. A service that is away
        for a while is waited for.
        """
        reader = self._operations.alerts(follow, min_severity, checkpoint)
        return self._stream(reader.for_ever(interval))

    def findings(
        self,
        *,
        schema: str = "ocsf",
        max_age: float | None = None,
        follow: str = "",
        checkpoint: Checkpoint | None = None,
    ) -> Iterator[Finding]:
        """Give every change of every alert as an OCSF finding, none older than ``max_age`` seconds.

        With ``follow`` or a checkpoint those after it.
        """
        reader = self._operations.findings(follow, schema, max_age, checkpoint)
        return self._stream(reader.once())

    def follow_findings(
        self,
        *,
        schema: str = "ocsf",
        max_age: float | None = None,
        checkpoint: Checkpoint | None = None,
        interval: float = POLL_SECONDS,
        follow: str = "",
    ) -> Iterator[Finding]:
        """Give findings for ever, as ``follow`` gives alerts."""
        reader = self._operations.findings(follow, schema, max_age, checkpoint)
        return self._stream(reader.for_ever(interval))

    def lookup(self, what: str) -> Lookup:
        """Tell what is known of a name, an address, ``tcp:[2001:db8::1]:443`` or a URL."""
        return self._run(self._operations.ask(calls.lookup(what)))

    def status(self) -> Status:
        """Tell how the account of this key stands."""
        return self._run(self._operations.ask(calls.status()))

    def flags(self) -> dict[str, Flag]:
        """Give every flag that a destination may have, by name."""
        return self._run(self._operations.ask(calls.flags()))

    def threats(self) -> dict[str, Threat]:
        """Give every threat that an alert may name, by id."""
        return self._run(self._operations.ask(calls.threats()))

    def _run(self, script: Script[Answer]) -> Answer:
        came: Any = None
        while True:
            try:
                step = script.send(came)
            except StopIteration as end:
                answer: Answer = end.value
                return answer
            came = self._take(step)

    def _stream(self, script: Stream[Item]) -> Iterator[Item]:
        came: Any = None
        while True:
            try:
                step = script.send(came)
            except StopIteration:
                return
            if isinstance(step, Give):
                yield step.item
                came = None
            else:
                came = self._take(step)

    def _take(self, step: Step) -> Any:
        match step:
            case Attempt(call):
                return self._attempt(call)
            case Wait(seconds):
                return self._sleep(seconds)
            case Work(do):
                return do()
            case Draw(source, count):
                return list(islice(source, count))  # type: ignore[arg-type]  # never asynchronous here

    def _attempt(self, call: calls.Call[Any]) -> Reply | TawnyError:
        try:
            return self._target.reply(self._http.send(built(self._http, call)))
        except httpx.HTTPError as error:
            return self._target.failure(error)
