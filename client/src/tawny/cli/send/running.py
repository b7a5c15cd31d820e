"""Runs of ``tawny send``: once over the logs, with a state, or only looking."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from threading import Event as Flag
from types import FrameType
from typing import Any, cast

import click

from tawny.answers import Receipt
from tawny.cli.connection import connect, target
from tawny.cli.send.checking import check
from tawny.cli.send.options import Options
from tawny.cli.send.screens import bar, ticker
from tawny.cli.send.summary import tell
from tawny.client import Client
from tawny.errors import TawnyError
from tawny.formats.events import Kind
from tawny.retries import Retry
from tawny.sending import runs
from tawny.sending.account import Account
from tawny.sending.batches import Batch
from tawny.sending.checkpoints import state_folder, state_name
from tawny.sending.courier import Courier
from tawny.sending.logs import send_logs
from tawny.sending.parcels import Part
from tawny.sending.sender import PATIENT
from tawny.sending.sources import Source, find
from tawny.sending.tails import LogFormat

ONE_ATTEMPT = Retry(retries=0, patience=0.0)  # the sender waits itself, and reads on meanwhile


def run(context: click.Context, log_format: LogFormat, **given: Any) -> int:
    """Do what the options ask for; give the exit code."""
    options = Options(**given)
    options.validate(context)
    if options.check:
        return check(options, log_format, in_order(options.paths, log_format))
    send = _remembered if options.remembers else _once
    account = send(context, log_format, options)
    tell(account, as_json=options.as_json)
    return account.exit


def in_order(paths: tuple[str, ...], log_format: LogFormat) -> list[Source]:
    """Give the files of each argument so that a log comes after those that it refers to."""
    sources: list[Source] = []
    seen: set[object] = set()
    for path in paths:
        found = [source for source in find([path]) if _key(source) not in seen]
        seen.update(map(_key, found))
        sources += sorted(found, key=lambda source: log_format.order(source.name))
    return sources


def _key(source: Source) -> object:
    return source.path.resolve() if source.path is not None else object()


def _once(context: click.Context, log_format: LogFormat, options: Options) -> Account:
    account = Account()
    sources = in_order(options.paths, log_format)
    total = sum(source.size or 0 for source in sources)
    with (
        connect(context, url=options.url, key=options.key, retry=options.retry) as client,
        bar(total) as watcher,
    ):
        try:
            with Courier(_delivery(client, account)) as courier:
                send_logs(
                    sources,
                    parser=log_format.parser,
                    put=courier.put,
                    account=account,
                    watcher=watcher,
                    stdin=cast("BufferedReader[Any]", sys.stdin.buffer),
                    batch_events=options.batch_events,
                )
        except TawnyError as error:
            account.failure = error
    account.no_log = bool(account.files) and account.files == len(account.foreign)
    return account


def _delivery(client: Client, account: Account) -> Callable[[Batch], None]:
    def deliver(batch: Batch) -> None:
        account.deliver(batch.kind, client.send(batch.kind, batch.body))

    return deliver


def _remembered(context: click.Context, log_format: LogFormat, options: Options) -> Account:
    """Send what no earlier run has sent, from a spool on the disk."""
    chosen = target(context, url=options.url, key=options.key)
    root = options.state or state_folder(os.environ)
    name = state_name(url=chosen.url, key=chosen.key, log_format=log_format.name)
    account = Account()
    with (
        Client(chosen.url, chosen.key, retry=ONE_ATTEMPT) as client,
        ticker(ticks=time.monotonic) as screen,
        _stopping() as stopped,
    ):

        def deliver(kind: Kind, part: Part) -> Receipt:
            return client.send_packed(kind, part.packed)

        with runs.opened(
            state=root / name,
            paths=options.paths,
            log_format=log_format,
            deliver=deliver,
            account=account,
            said=screen.said,
            again=options.again,
            following=options.follow,
            retry=PATIENT if options.follow else options.retry,
            spool_bytes=options.spool_bytes,
            batch_events=options.batch_events,
        ) as prepared:
            go = runs.follow if options.follow else runs.resume
            go(prepared, stopped=stopped, show=screen.show)
    return account


@contextmanager
def _stopping() -> Iterator[Callable[[float], bool]]:
    """Give a way to wait so many seconds that ends, true, when the user wants the run to stop.

    A second signal is the usual one, which ends the run where it is: nothing is lost by it.
    """
    flag = Flag()
    before: dict[int, Any] = {}

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        signal.signal(number, before[number])
        flag.set()

    for wanted in (signal.SIGINT, signal.SIGTERM):
        before[wanted] = signal.signal(wanted, stop)
    try:
        yield flag.wait
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
