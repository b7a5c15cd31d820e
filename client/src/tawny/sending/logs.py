"""Reads logs, maps them and puts the batches; format and destination are arguments."""

from collections.abc import Callable, Iterable
from io import BufferedReader
from typing import Any, Protocol

from tawny.formats.parsing import LogParser
from tawny.sending.account import Account
from tawny.sending.batches import BATCH_BYTES, BATCH_EVENTS, Batch, Cutter
from tawny.sending.sources import Damaged, Source, pieces


class Watcher(Protocol):
    """Told how a run goes, for whoever looks on."""

    def began(self, source: Source) -> None:
        """Hear that a file is about to be read."""

    def read(self, position: int) -> None:
        """Hear how far into the file on disk the reading has come, in bytes."""

    def said(self, message: str) -> None:
        """Hear something the user should know."""


def send_logs(
    sources: Iterable[Source],
    *,
    parser: Callable[[str], LogParser],
    put: Callable[[Batch], None],
    account: Account,
    watcher: Watcher,
    stdin: "BufferedReader[Any]",
    batch_events: int = BATCH_EVENTS,
    batch_bytes: int = BATCH_BYTES,
) -> None:
    """Send every log; files that are none, and damaged ones, are entered in ``account``.

    A batch never holds events of two files: copies of a log, in one run or in two, then lead to
    requests that repeat each other, which the service takes once.
    """
    for source in sources:
        watcher.began(source)
        account.files += 1
        log = parser(source.name)
        cutter = Cutter(events=batch_events, size=batch_bytes)
        try:
            for piece in pieces(source, stdin=stdin, read=watcher.read):
                for batch in cutter.add(log.feed(piece)):
                    put(batch)
                if log.foreign:
                    break
        except Damaged as error:
            account.damaged[source.label] = str(error)
            watcher.said(f"{source.label}: {error}; the rows before the damage count")
        for batch in cutter.add(log.finish()):
            put(batch)
        for batch in cutter.finish():
            put(batch)
        account.tally.add(log.tally)
        if log.clockless:
            account.clockless.append(source.label)
        if log.foreign:
            account.foreign.append(source.label)
