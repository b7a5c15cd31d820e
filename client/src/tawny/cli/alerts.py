"""``tawny alerts``: what the service found."""

import sys
import time
from collections.abc import Iterator
from typing import Protocol

import click
import msgspec

from tawny.answers import Alert, AlertPage
from tawny.cli.alert_table import AlertTable
from tawny.cli.connection import connect, connection_options
from tawny.cli.terminal import complain, console
from tawny.client import Client
from tawny.errors import Overloaded, ServerFault, Unreachable
from tawny.sending.account import Exit

POLL_SECONDS = 5.0

EXAMPLES = """\b
Examples:
  tawny alerts --min-severity 3 --explain
  tawny alerts --follow
  tawny alerts -o json --since 1-2s >> alerts.ndjson
"""


@click.command(epilog=EXAMPLES)
@click.option("--follow", is_flag=True, help="Go on with new alerts until Ctrl-C.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["json", "table"]),
    help="One JSON object a line, or a table.  [default: table on a terminal, else json]",
)
@click.option("--since", metavar="TOKEN", default="", help="Start after this follow token.")
@click.option("--min-severity", type=click.IntRange(0, 5), help="Leave out lesser alerts.")
@click.option(
    "--interval",
    type=click.FloatRange(0, min_open=True),
    default=POLL_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="Time between two looks with --follow.",
)
@click.option("-v", "--explain", is_flag=True, help="Say under each alert what it rests on.")
@connection_options
@click.pass_context
def alerts(
    context: click.Context,
    *,
    follow: bool,
    output: str | None,
    since: str,
    min_severity: int | None,
    interval: float,
    explain: bool,
    url: str | None,
    key: str | None,
) -> int:
    """Print alerts, oldest first.

    Without --since every alert that is kept is read. At the end the follow token for the next
    --since is said on standard error.
    """
    show = _printer(output, explain=explain)
    token = since
    with connect(context, url=url, key=key) as client:
        pages = _followed if follow else _once
        try:
            for page in pages(client, since, min_severity, interval):
                shown = [one for one in page.alerts if one.severity >= (min_severity or 0)]
                show(page, shown)
                token = page.follow
        except KeyboardInterrupt:
            if not follow:
                raise
        finally:
            if token:
                complain(f"continue with --since {token}")
    return Exit.DONE


def _once(
    client: Client, since: str, min_severity: int | None, interval: float
) -> Iterator[AlertPage]:
    del interval
    return client.pages(follow=since, min_severity=min_severity)


def _followed(
    client: Client, since: str, min_severity: int | None, interval: float
) -> Iterator[AlertPage]:
    """Give pages for ever; a service that is away for a while is waited for."""
    while True:
        try:
            for page in client.pages(follow=since, min_severity=min_severity):
                since = page.follow
                yield page
        except (Unreachable, Overloaded, ServerFault) as error:
            complain(f"{error}; looking again in {interval:g} s")
        time.sleep(interval)


class _Printer(Protocol):
    def __call__(self, page: AlertPage, alerts: list[Alert], /) -> None: ...


def _printer(output: str | None, *, explain: bool) -> _Printer:
    screen = console()
    if (output or ("table" if screen.is_terminal else "json")) == "table":
        return AlertTable(screen, explain=explain).show
    return _print_json


def _print_json(page: AlertPage, alerts: list[Alert]) -> None:
    del page
    for alert in alerts:
        sys.stdout.write(msgspec.json.format(bytes(alert.raw), indent=-1).decode() + "\n")
    sys.stdout.flush()
