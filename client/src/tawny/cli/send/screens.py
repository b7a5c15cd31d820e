"""What a run shows while it goes on: on a terminal a bar or a line, elsewhere nothing."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from tawny.cli.terminal import complain, console, printable
from tawny.sending.logs import Watcher
from tawny.sending.runs import Standing
from tawny.sending.sources import Source

NAME_SHOWN = 40  # characters of a file's name, its end
RATE_SECONDS = 10.0  # over which events a second are counted


class Silent:
    """Watches where nobody looks on: only what must be said is said."""

    def began(self, source: Source) -> None:
        """Say nothing."""

    def read(self, position: int) -> None:
        """Say nothing."""

    def said(self, message: str) -> None:
        """Say it on standard error."""
        complain(message)

    def show(self, standing: Standing) -> None:
        """Say nothing."""


class Bar:
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
            self._task, completed=self._before, description=printable(source.label)[-NAME_SHOWN:]
        )

    def read(self, position: int) -> None:
        """Move the bar."""
        self._progress.update(self._task, completed=self._before + position)

    def said(self, message: str) -> None:
        """Say it above the bar."""
        self._progress.console.print(f"tawny: {printable(message)}", markup=False)


class Ticker:
    """Keeps one line up to date that tells how a run with a state stands."""

    def __init__(self, progress: Progress, task: TaskID, *, ticks: Callable[[], float]) -> None:
        self._progress = progress
        self._task = task
        self._ticks = ticks
        self._lately: deque[tuple[float, int]] = deque()

    def said(self, message: str) -> None:
        """Say it above the line."""
        self._progress.console.print(f"tawny: {printable(message)}", markup=False)

    def show(self, standing: Standing) -> None:
        """Show how it stands."""
        rate = self._rate(standing.acknowledged)
        self._progress.update(self._task, description=line(standing, rate=rate))

    def _rate(self, acknowledged: int) -> float:
        tick = self._ticks()
        self._lately.append((tick, acknowledged))
        while self._lately[0][0] < tick - RATE_SECONDS:
            self._lately.popleft()
        then, before = self._lately[0]
        return (acknowledged - before) / (tick - then) if tick > then else 0.0


def line(standing: Standing, *, rate: float) -> str:
    """Put a run's standing into words; ``rate`` is events a second."""
    parts = [
        f"{size(standing.read)} read",
        f"{size(standing.behind)} behind",
        f"{standing.acknowledged:,} events taken ({rate:,.0f}/s)",
    ]
    if standing.rejected:
        parts.append(f"{standing.rejected:,} rejected")
    if standing.parcels:
        parts.append(f"{size(standing.spooled)} in the spool")
    if standing.outage:
        parts.append("the service is away")
    if standing.waits_for:
        parts.append(f"waiting for {standing.waits_for}")
    return ", ".join(parts)


def size(count: float) -> str:
    """Write a number of bytes with its unit."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


@contextmanager
def bar(total: int) -> Iterator[Watcher]:
    """Show a bar over ``total`` bytes, if anybody looks on."""
    screen = console(stderr=True)
    if not screen.is_terminal:
        yield Silent()
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=screen, transient=True) as progress:
        yield Bar(progress, progress.add_task("", total=total or None))


@contextmanager
def ticker(*, ticks: Callable[[], float]) -> Iterator[Ticker | Silent]:
    """Show a line that tells how a run stands, if anybody looks on."""
    screen = console(stderr=True)
    if not screen.is_terminal:
        yield Silent()
        return
    columns = SpinnerColumn(), TextColumn("{task.description}", markup=False)
    with Progress(*columns, console=screen, transient=True) as progress:
        yield Ticker(progress, progress.add_task("", total=None), ticks=ticks)
