"""``tawny alerts``: what the service found."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec

from tawny.answers import Alert, Finding
from tawny.checkpoints import Checkpoint, FileCheckpoint
from tawny.cli.alert_table import AlertTable
from tawny.cli.connection import connect, connection_options
from tawny.cli.terminal import complain, console
from tawny.client import Client
from tawny.exits import Exit
from tawny.operations import POLL_SECONDS

EXAMPLES = """\b
Examples:
  tawny alerts --min-severity 3 --explain
  tawny alerts --follow
  tawny alerts --follow --json --checkpoint alerts.place >> alerts.ndjson
  tawny alerts -o ocsf --max-age 3600
  tawny alerts --json --since 1-2s | jq .detection
"""


@click.command(epilog=EXAMPLES)
@click.option("--follow", is_flag=True, help="Go on with new alerts until Ctrl-C.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["json", "table", "ocsf"]),
    help="One JSON object a line, a table, or OCSF findings a line.  "
    "[default: table on a terminal, else json]",
)
@click.option("--json", "output", flag_value="json", help="The same as -o json.")
@click.option("--since", metavar="TOKEN", default="", help="Start after this follow token.")
@click.option(
    "--checkpoint",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Start where FILE says and keep it up to date: a run goes on where the last one ended.",
)
@click.option("--min-severity", type=click.IntRange(0, 5), help="Leave out lesser alerts.")
@click.option(
    "--max-age",
    type=click.IntRange(1),
    metavar="SECONDS",
    help="With -o ocsf and no place to start from: leave out what is older.",
)
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
    checkpoint: Path | None,
    min_severity: int | None,
    max_age: int | None,
    interval: float,
    explain: bool,
    url: str | None,
    key: str | None,
) -> int:
    """Print alerts, oldest first.

    Without --since or --checkpoint every alert that is kept is read. At the end the follow token
    for the next --since is said on standard error, unless a checkpoint keeps it.
    """
    if max_age is not None and output != "ocsf":
        raise click.UsageError("--max-age goes with -o ocsf", context)
    place = _Place(since=since, kept=FileCheckpoint(checkpoint) if checkpoint else None)
    chosen = _Chosen(
        place=place, interval=interval if follow else None, least=min_severity, max_age=max_age
    )
    with connect(context, url=url, key=key) as client:
        try:
            if output == "ocsf":
                _print_findings(client, chosen)
            else:
                _print_alerts(client, chosen, _printer(output, explain=explain))
        except KeyboardInterrupt:
            if not follow:
                raise
        finally:
            place.tell()
    return Exit.DONE


class _Place:
    """Where the reading is: for the user at the end, and in a file if one is given."""

    def __init__(self, *, since: str, kept: Checkpoint | None) -> None:
        self._follow = since
        self._kept = kept

    def load(self) -> str:
        """Give where to start."""
        if self._kept and not self._follow:
            self._follow = self._kept.load()
        return self._follow

    def save(self, follow: str) -> None:
        """Note that everything before was printed."""
        if self._kept:
            self._kept.save(follow)
        self._follow = follow

    def tell(self) -> None:
        """Say how to go on, unless the file says it."""
        if self._follow and not self._kept:
            complain(f"continue with --since {self._follow}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """What to read; ``interval`` is None for what there is now, else the seconds between looks."""

    place: Checkpoint
    interval: float | None
    least: int | None
    max_age: int | None


def _print_alerts(client: Client, chosen: _Chosen, show: Callable[[Alert], None]) -> None:
    found: Iterator[Alert]
    if chosen.interval is None:
        found = client.alerts(min_severity=chosen.least, checkpoint=chosen.place)
    else:
        found = client.follow(
            min_severity=chosen.least, checkpoint=chosen.place, interval=chosen.interval
        )
    for alert in found:
        if alert.severity >= (chosen.least or 0):
            show(alert)


def _print_findings(client: Client, chosen: _Chosen) -> None:
    found: Iterator[Finding]
    if chosen.interval is None:
        found = client.findings(max_age=chosen.max_age, checkpoint=chosen.place)
    else:
        found = client.follow_findings(
            max_age=chosen.max_age, checkpoint=chosen.place, interval=chosen.interval
        )
    for finding in found:
        if finding.severity_id >= (chosen.least or 0):
            _print_line(finding.raw)


def _printer(output: str | None, *, explain: bool) -> Callable[[Alert], None]:
    screen = console()
    if (output or ("table" if screen.is_terminal else "json")) == "table":
        return AlertTable(screen, explain=explain).show
    return lambda alert: _print_line(alert.raw)


def _print_line(raw: msgspec.Raw) -> None:
    """Print an object on a line of its own, and let nothing of it wait in a buffer."""
    sys.stdout.write(msgspec.json.format(bytes(raw), indent=-1).decode() + "\n")
    sys.stdout.flush()
