"""What is known of a destination, for people: a line, and under it the reasons."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from tawny.answers import Lookup, Reason
from tawny.cli.alert_table import points
from tawny.cli.terminal import cell

VERDICT_STYLES = {"malicious": "bold red", "suspicious": "yellow", "noted": "cyan"}
DATE = 10  # characters of an RFC 3339 time that are its date


class LookupTable:
    """Prints destinations as they come, under one heading; columns keep their places."""

    def __init__(self, screen: Console) -> None:
        self._screen = screen
        self._headed = False

    def show(self, what: str, found: Lookup) -> None:
        """Print what is known of one destination."""
        table = Table(
            box=None, expand=True, padding=(0, 1, 0, 0), pad_edge=False,
            show_header=not self._headed,
        )  # fmt: skip
        table.add_column("destination", ratio=4, overflow="fold")
        table.add_column("verdict", width=10)
        table.add_column("score", width=6, justify="right")
        table.add_column("flags", ratio=3, overflow="fold")
        table.add_column("labels", ratio=3, overflow="fold")
        style = VERDICT_STYLES.get(found.verdict, "")
        table.add_row(
            cell(what, style),
            cell(found.verdict or ("flagged" if found.flags else "unflagged"), style),
            cell("" if found.score is None else points(found.score), style),
            cell(", ".join(found.flags) or "-"),
            cell(", ".join(found.labels) or "-"),
        )
        self._headed = True
        self._screen.print(table)
        for line in _under(found):
            self._screen.print(cell(f"    {line}", "dim"), soft_wrap=True)


def _under(found: Lookup) -> Iterator[str]:
    yield from (reason_line(reason) for reason in found.reasons)
    if found.note:
        yield found.note


def reason_line(reason: Reason) -> str:
    """Write which source says what of which indicator, since when; points first."""
    label = ":".join(filter(None, (reason.flag, reason.family)))
    said = ", ".join(filter(None, (reason.indicator, label, _when(reason))))
    return f"{points(reason.points):>8} {reason.title or reason.source or reason.kind}: {said}"


def _when(reason: Reason) -> str:
    first, last = (reason.first_seen or "")[:DATE], (reason.last_seen or "")[:DATE]
    seen = f"seen {first} to {last}" if first and last and first != last else ""
    if not seen and (first or last):
        seen = f"seen {first or last}"
    listed = f"list of {reason.as_of[:DATE]}" if reason.as_of else ""
    return ", ".join(filter(None, (seen, listed)))
