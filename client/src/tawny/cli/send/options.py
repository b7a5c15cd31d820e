"""The options that sending has for every format."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from tawny.cli.connection import connection_options
from tawny.retries import Retry
from tawny.sending.batches import BATCH_EVENTS
from tawny.sending.sources import STDIN
from tawny.sending.spool import SPOOL_BYTES

STORED_TOGETHER = 65_536  # rows the service keeps as one unit: larger batches gain nothing
LEAST_SPOOL = 1 << 20  # bytes: a few parcels

PATHS = click.argument(
    "paths",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, allow_dash=True),
    metavar="PATH...",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user asked for."""

    paths: tuple[str, ...]
    follow: bool
    resume: bool
    again: bool
    check: bool
    state: Path | None
    spool_bytes: int
    as_json: bool
    batch_events: int
    retries: int
    patience: float
    url: str | None
    key: str | None

    @property
    def remembers(self) -> bool:
        """True where the run keeps a state."""
        return self.follow or self.resume

    @property
    def retry(self) -> Retry:
        """How often and how long to try again."""
        return Retry(retries=self.retries, patience=self.patience)

    def validate(self, context: click.Context) -> None:
        """Refuse what does not go together."""
        if self.check and (self.remembers or self.again):
            raise click.UsageError("--check sends nothing: it goes without the others", context)
        if self.follow and self.resume:
            raise click.UsageError("--follow goes on after the last run anyway", context)
        if self.again and not self.remembers:
            raise click.UsageError("--again goes with --follow or --resume", context)
        if self.remembers and STDIN in self.paths:
            raise click.UsageError("standard input cannot be followed or resumed", context)


def sending_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that sending has for every format."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return connection_options(command)


_OPTIONS = (
    click.option("--follow", is_flag=True, help="Go on with what the logs get, until stopped."),
    click.option("--resume", is_flag=True, help="Send only what no earlier run has sent."),
    click.option("--again", is_flag=True, help="With these: send from the start of every log."),
    click.option("--check", is_flag=True, help="Map the logs, tell what is wrong, send nothing."),
    click.option(
        "--state",
        type=click.Path(file_okay=False, path_type=Path),
        help="Where runs remember what was sent.  [default: ~/.local/state/tawny]",
    ),
    click.option(
        "--spool-bytes",
        type=click.IntRange(LEAST_SPOOL),
        default=SPOOL_BYTES,
        show_default=True,
        help="Bytes on disk that may wait for a service that is away.",
    ),
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
        help="Further attempts at a request that failed; --follow never gives up.",
    ),
    click.option(
        "--patience",
        type=click.FloatRange(0),
        default=Retry().patience,
        show_default=True,
        help="Seconds to wait for a service that asks for patience, for each request.",
    ),
)
