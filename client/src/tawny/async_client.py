"""The client that awaits, on asyncio; each method does what ``Client``'s of the same name does."""

import asyncio
import time
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
)
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


class AsyncClient:
    """``Client`` for asyncio: the same arguments, methods, answers and errors.

    Use it as an asynchronous context manager, or await ``aclose``. Tasks of one loop may share it.
    Compression and checkpoints work in a thread. ``events`` of ``send_events`` may be asynchronous.
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
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
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
            self._http = httpx.AsyncClient(**self._target.settings(timeout))

    def __repr__(self) -> str:
        return f"AsyncClient({self.url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def send(self, kind: Kind, events: bytes) -> Receipt:
        """Send JSON events in one compressed request; see ``Client.send``."""
        return await self._run(self._operations.send(kind, events))

    async def send_packed(self, kind: Kind, packed: bytes) -> Receipt:
        """Send one body that is gzip already; see ``Client.send_packed``."""
        return await self._run(self._operations.send_packed(kind, packed))

    async def send_events(
        self,
        kind: Kind,
        events: Iterable[AnyEvent] | AsyncIterable[AnyEvent],
        *,
        batch_events: int = BODY_EVENTS,
        batch_bytes: int = BODY_BYTES,
    ) -> Receipt:
        """Send events in as many requests as needed; see ``Client.send_events``."""
        packer = Packer(kind=kind, events=batch_events, size=batch_bytes)
        return await self._run(self._operations.send_events(kind, events, packer))

    async def page(self, *, follow: str = "", min_severity: int | None = None) -> AlertPage:
        """Give the alerts after the ``follow`` of an earlier page, or the oldest ones."""
        return await self._run(
            self._operations.ask(calls.alerts(follow, min_severity=min_severity))
        )

    def pages(
        self, *, follow: str = "", min_severity: int | None = None
    ) -> AsyncIterator[AlertPage]:
        """Give pages, one at least, until the service has no more."""
        return self._stream(self._operations.pages(follow, min_severity).once())

    def alerts(
        self,
        *,
        follow: str = "",
        min_severity: int | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> AsyncIterator[Alert]:
        """Give every alert there is now, oldest first, after ``follow`` or the checkpoint."""
        return self._stream(self._operations.alerts(follow, min_severity, checkpoint).once())

    def follow(
        self,
        *,
        checkpoint: Checkpoint | None = None,
        interval: float = POLL_SECONDS,
        follow: str = "",
        min_severity: int | None = None,
    ) -> AsyncIterator[Alert]:
        """Give alerts for ever; see ``Client.follow``."""
        reader = self._operations.alerts(follow, min_severity, checkpoint)
        return self._stream(reader.for_ever(interval))

    def findings(
        self,
        *,
        schema: str = "ocsf",
        max_age: float | None = None,
        follow: str = "",
        checkpoint: Checkpoint | None = None,
    ) -> AsyncIterator[Finding]:
        """Give findings; see ``Client.findings``."""
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
    ) -> AsyncIterator[Finding]:
        """Give findings for ever; see ``Client.follow_findings``."""
        reader = self._operations.findings(follow, schema, max_age, checkpoint)
        return self._stream(reader.for_ever(interval))

    async def lookup(self, what: str) -> Lookup:
        """Tell what is known of a name, an address, ``tcp:[2001:db8::1]:443`` or a URL."""
        return await self._run(self._operations.ask(calls.lookup(what)))

    async def status(self) -> Status:
        """Tell how the account of this key stands."""
        return await self._run(self._operations.ask(calls.status()))

    async def flags(self) -> dict[str, Flag]:
        """Give every flag that a destination may have, by name."""
        return await self._run(self._operations.ask(calls.flags()))

    async def threats(self) -> dict[str, Threat]:
        """Give every threat that an alert may name, by id."""
        return await self._run(self._operations.ask(calls.threats()))

    async def _run(self, script: Script[Answer]) -> Answer:
        came: Any = None
        while True:
            try:
                step = script.send(came)
            except StopIteration as end:
                answer: Answer = end.value
                return answer
            came = await self._take(step)

    async def _stream(self, script: Stream[Item]) -> AsyncIterator[Item]:
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
                came = await self._take(step)

    async def _take(self, step: Step) -> Any:
        match step:
            case Attempt(call):
                return await self._attempt(call)
            case Wait(seconds):
                return await self._sleep(seconds)
            case Work(do):
                return await asyncio.to_thread(do)
            case Draw(source, count):
                return await _drawn(source, count)

    async def _attempt(self, call: calls.Call[Any]) -> Reply | TawnyError:
        try:
            return self._target.reply(await self._http.send(built(self._http, call)))
        except httpx.HTTPError as error:
            return self._target.failure(error)


async def _drawn(source: Iterator[Item] | AsyncIterator[Item], count: int) -> list[Item]:
    if isinstance(source, Iterator):
        return list(islice(source, count))
    drawn: list[Item] = []
    while len(drawn) < count:
        try:
            drawn.append(await anext(source))
        except StopAsyncIteration:
            break
    return drawn
