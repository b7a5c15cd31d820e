"""Alerts as a table for people, and what each of them rests on."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from tawny.answers import POINT, Alert
from tawny.cli.terminal import cell

EXACT = 2**53  # below, every whole double is written out
SEVERITY_STYLES = ("dim", "dim", "cyan", "yellow", "red", "bold red")  # by severity, 0 to 5


class AlertTable:
    """Prints alerts as they come, under one heading; columns keep their places."""

    def __init__(self, screen: Console, *, explain: bool) -> None:
        self._screen = screen
        self._explain = explain
        self._headed = False

    def show(self, alert: Alert) -> None:
        """Print an alert and, where that is wanted, what it rests on."""
        self._print(alert)
        if self._explain:
            for line in contributions(alert):
                self._screen.print(cell(f"    {line}", "dim"), soft_wrap=True)

    def _print(self, alert: Alert) -> None:
        table = Table(
            box=None,
            expand=True,
            padding=(0, 1, 0, 0),
            pad_edge=False,
            show_header=not self._headed,
        )
        table.add_column("severity", width=8, justify="right")
        table.add_column("title", ratio=3, overflow="fold")
        table.add_column("direction", width=9)
        table.add_column("source -> destination", ratio=4, overflow="fold")
        table.add_column("day", width=10)
        table.add_column("count", width=7, justify="right", overflow="fold")
        table.add_column("score", width=7, justify="right", overflow="fold")
        style = SEVERITY_STYLES[max(0, min(alert.severity, 5))]
        table.add_row(
            cell(str(alert.severity), style),
            cell(alert.title, style),
            cell(alert.direction),
            cell(f"{source(alert)} -> {destination(alert)}"),
            cell(alert.day),
            cell(str(alert.count)),
            cell(points(alert.score)),
        )
        self._headed = True
        self._screen.print(table)


def source(alert: Alert) -> str:
    """Name where the events came from: the host, else the address."""
    return _text(alert.event.get("srcHost")) or _text(alert.event.get("srcIP")) or "?"


def destination(alert: Alert) -> str:
    """Name where they went: the question of a dns event, else the URL, else address and port."""
    event = alert.event
    named = _text(event.get("query" if alert.event_type == "dns" else "url"))
    address, port = _text(event.get("destIP")), _text(event.get("destPort"))
    if address and port not in ("", "0"):
        address = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    other = _text(event.get("host")) or _text(alert.wisdom.get("domain"))
    return named or address or other or "?"


def contributions(alert: Alert) -> Iterator[str]:
    """Give what the score is made of, a line each, and the sum of the lines."""
    parts = alert.explanation.contributions
    for part in parts:
        baseline = _text(part.baseline)
        words = (part.feature, _text(part.value), baseline and f"({baseline})", part.reason)
        yield f"{points(part.points):>8} {' '.join(word for word in words if word)}"
    if parts:
        yield f"{points(sum(part.points for part in parts)):>8} sum"


def points(hundredths: int) -> str:
    """Write hundredths of a point as points."""
    return f"{hundredths / POINT:.2f}"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < EXACT else f"{value:g}"
    return str(value)
