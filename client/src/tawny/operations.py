"""Everything a client can do, as scripts: both clients run these and add nothing."""

from collections.abc import AsyncIterable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from tawny import calls
from tawny.answers import Alert, AlertPage, Finding, FindingPage, Receipt
from tawny.asking import Asking
from tawny.calls import Call
from tawny.checkpoints import Checkpoint
from tawny.errors import TawnyError
from tawny.formats.events import Kind
from tawny.packing import AnyEvent, Packer
from tawny.reading import Feed, Reader, itself
from tawny.steps import Draw, Script, work

Answer = TypeVar("Answer")

POLL_SECONDS = 5.0
DRAWN = 256  # events taken of the caller's source at a time


@dataclass(frozen=True, slots=True)
class Operations:
    """The scripts of one client."""

    asking: Asking

    def ask(self, call: Call[Answer]) -> Script[Answer]:
        """Make one call."""
        return self.asking.ask(call)

    def send(self, kind: Kind, events: bytes) -> Script[Receipt]:
        """Compress and send one body."""
        packed = yield from work(partial(calls.compressed, events))
        return (yield from self.send_packed(kind, packed))

    def send_packed(self, kind: Kind, packed: bytes) -> Script[Receipt]:
        """Send one body that is compressed already."""
        return (yield from self.asking.ask(calls.send(kind, packed)))

    def send_events(
        self,
        kind: Kind,
        events: Iterable[AnyEvent] | AsyncIterable[AnyEvent],
        packer: Packer,
    ) -> Script[Receipt]:
        """Cut events into bodies and send these; an error notes what was taken before it."""
        total = Receipt(received=0, accepted=0)
        source = aiter(events) if isinstance(events, AsyncIterable) else iter(events)
        try:
            drawn: list[AnyEvent] = yield Draw(source, DRAWN)
            while drawn:
                for body in packer.add(drawn):
                    total += yield from self.send(kind, body)
                drawn = yield Draw(source, DRAWN)
            for body in packer.finish():
                total += yield from self.send(kind, body)
        except TawnyError as error:
            error.add_note(f"{total.accepted} events were accepted before")
            raise
        return total

    def alerts(
        self, follow: str, min_severity: int | None, checkpoint: Checkpoint | None
    ) -> Reader[AlertPage, Alert]:
        """Read alerts one by one."""
        feed = Feed(call=_alerts(min_severity), items=lambda page: page.alerts)
        return self._reader(feed, follow, checkpoint)

    def pages(self, follow: str, min_severity: int | None) -> Reader[AlertPage, AlertPage]:
        """Read pages of alerts."""
        feed: Feed[AlertPage, AlertPage] = Feed(call=_alerts(min_severity), items=itself)
        return self._reader(feed, follow, None)

    def findings(
        self, follow: str, schema: str, max_age: float | None, checkpoint: Checkpoint | None
    ) -> Reader[FindingPage, Finding]:
        """Read findings one by one."""
        call = partial(calls.findings, schema=schema, max_age=max_age)
        feed = Feed(call=call, items=lambda page: page.records)
        return self._reader(feed, follow, checkpoint)

    def _reader(
        self, feed: Feed[Any, Any], follow: str, checkpoint: Checkpoint | None
    ) -> Reader[Any, Any]:
        return Reader(asking=self.asking, feed=feed, follow=follow, checkpoint=checkpoint)


def _alerts(min_severity: int | None) -> "partial[Call[AlertPage]]":
    return partial(calls.alerts, min_severity=min_severity)
