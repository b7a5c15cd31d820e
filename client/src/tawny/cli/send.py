"""``tawny send``: logs to the service."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from typing import Any, cast

import click
import msgspec
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from tawny.cli.connection import connect, connection_options
from tawny.cli.terminal import cell, complain, console, printable
from tawny.client import Client
from tawny.errors import TawnyError, TooLarge
from tawny.formats import zeek as zeek_format
from tawny.formats.parsing import LogParser
from tawny.retries import Retry
from tawny.sending.account import Account
from tawny.sending.batches import BATCH_EVENTS, Batch
from tawny.sending.courier import Courier
from tawny.sending.logs import Watcher, send_logs
from tawny.sending.sources import Source, find

NAMES_SHOWN = 3  # names of files on the terminal; --json has them all
STORED_TOGETHER = 65_536  # rows the service keeps as one unit: larger batches gain nothing

EXAMPLES = """\b
Examples:
  tawny send zeek /opt/zeek/logs/2024-04-19
  tawny send zeek conn.log dns.log.gz --json
  zcat conn.*.log.gz | tawny send zeek -
"""


@click.group()
def send() -> None:
    """Send logs to the service."""


def sending_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that sending has for every format."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="End with one JSON object on stdout."),
        click.option(
            "--batch-events",
            type=click.IntRange(1, STORED_TOGETHER),
            default=BATCH_EVENTS,
            show_default=True,
            help="Events in one request, up to twice that to keep equal times together.",
        ),
        click.option(
            "--retries",
            type=click.IntRange(0),
            default=Retry().retries,
            show_default=True,
            help="Further attempts at a request that failed.",
        ),
        click.option(
            "--patience",
            type=click.FloatRange(0),
            default=Retry().patience,
            show_default=True,
            help="Seconds to wait for a service that asks for patience, for each request.",
        ),
        connection_options,
    ):
        command = option(command)
    return command


@send.command("zeek", epilog=EXAMPLES)
@click.argument(
    "paths",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, allow_dash=True),
    metavar="PATH...",
)
@sending_options
@click.pass_context
def zeek(context: click.Context, /, paths: tuple[str, ...], **options: Any) -> int:
    """Send Zeek logs, TSV or JSON, plain or gzip.

    PATH is a file, a folder (read with its subfolders, in the order of the paths) or - for standard
    input. conn and open_conn become ip events, dns becomes dns events; other logs are skipped. The
    service takes an event once: sending a log again, whole or after a break, does no harm.
    """
    return _send(context, paths, _zeek_parser, **options)


def _zeek_parser(name: str) -> LogParser:
    return zeek_format.Parser(file_name=name)


def _send(
    context: click.Context,
    paths: tuple[str, ...],
    parser: Callable[[str], LogParser],
    *,
    as_json: bool,
    batch_events: int,
    retries: int,
    patience: float,
    url: str | None,
    key: str | None,
) -> int:
    account = Account()
    retry = Retry(retries=retries, patience=patience)
    sources = list(find(paths))
    with connect(context, url=url, key=key, retry=retry) as client, _watching(sources) as watcher:
        try:
            with Courier(_delivery(client, account)) as courier:
                send_logs(
                    sources,
                    parser=parser,
                    put=courier.put,
                    account=account,
                    watcher=watcher,
                    stdin=cast("BufferedReader[Any]", sys.stdin.buffer),
                    batch_events=batch_events,
                )
        except TawnyError as error:
            account.failure = error
    _tell(account, as_json=as_json)
    return account.exit


def _delivery(client: Client, account: Account) -> Callable[[Batch], None]:
    def deliver(batch: Batch) -> None:
        account.deliver(batch.kind, client.send(batch.kind, batch.body))

    return deliver


class _Silent:
    """Watches where nobody looks on: only what must be said is said."""

    def began(self, source: Source) -> None:
        """Say nothing."""

    def read(self, position: int) -> None:
        """Say nothing."""

    def said(self, message: str) -> None:
        """Say it on standard error."""
        complain(message)


class _Bar:
    """Moves a progress bar over the bytes of all files on disk."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task
        self._before = 0
        self._size = 0

    def began(self, source: Source) -> None:
        """Name the file; what was left of the one before is done."""
        self._before += self._size
        self._size = source.size or 0
        self._progress.update(
            self._task, completed=self._before, description=printable(source.label)[-40:]
        )

    def read(self, position: int) -> None:
        """Move the bar."""
        self._progress.update(self._task, completed=self._before + position)

    def said(self, message: str) -> None:
        """Say it above the bar."""
        self._progress.console.print(f"tawny: {printable(message)}", markup=False)


@contextmanager
def _watching(sources: list[Source]) -> Iterator[Watcher]:
    screen = console(stderr=True)
    if not screen.is_terminal:
        yield _Silent()
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    total = sum(source.size or 0 for source in sources) or None
    with Progress(*columns, console=screen, transient=True) as progress:
        yield _Bar(progress, progress.add_task("", total=total))


def _tell(account: Account, *, as_json: bool) -> None:
    _name_files("skipped, no log of this format", account.foreign)
    _name_files("times before 1980 counted from when the log was opened", account.clockless)
    if account.failure:
        hint = "; try a smaller --batch-events" if isinstance(account.failure, TooLarge) else ""
        complain(f"{account.failure}{hint}")
    if as_json:
        click.echo(msgspec.json.encode(account.as_json()).decode())
    else:
        _print_summary(account)


def _name_files(what: str, names: list[str]) -> None:
    if names:
        more = len(names) - NAMES_SHOWN
        shown = ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
        complain(f"{what}: {shown}")


def _print_summary(account: Account) -> None:
    screen = console()
    tally = account.tally
    logs = Table("log", box=None, pad_edge=False)
    for name in ("read", "mapped", "malformed", "skipped"):
        logs.add_column(name, justify="right")
    for log in sorted(tally.mapped.keys() | tally.malformed.keys() | tally.skipped.keys()):
        mapped, malformed, skipped = tally.mapped[log], tally.malformed[log], tally.skipped[log]
        read = mapped + malformed + skipped
        logs.add_row(cell(log), f"{read:,}", f"{mapped:,}", f"{malformed:,}", f"{skipped:,}")
    sent = Table("events", box=None, pad_edge=False)
    for name in ("received", "accepted", "rejected"):
        sent.add_column(name, justify="right")
    for kind, delivered in sorted(account.sent.items()):
        rejected = delivered.rejected.total()
        sent.add_row(kind, f"{delivered.received:,}", f"{delivered.accepted:,}", f"{rejected:,}")
    screen.print(f"{account.files:,} files read", markup=False)
    screen.print(logs)
    screen.print(sent)
    for reason, count in sorted(tally.reasons.items()):
        screen.print(cell(f"malformed here: {reason} {count:,}"))
    for kind, delivered in sorted(account.sent.items()):
        for reason, count in sorted(delivered.rejected.items()):
            screen.print(cell(f"rejected by the service: {kind} {reason} {count:,}"))
