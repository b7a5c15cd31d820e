"""Text for terminals: standard error for what is said, nothing that a log can steer."""

import os

import click
from rich.console import Console
from rich.text import Text

PIPE_COLUMNS = 160  # of a table that goes into a file or a pipe: long names stay in one piece


def printable(text: str) -> str:
    r"""Replace control characters by ``\xNN``: names in alerts are chosen by attackers."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else _escaped(character) for character in text
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


def cell(text: str, style: str = "") -> Text:
    """Give text for a table, in which brackets are no markup."""
    return Text(printable(text), style=style)


def complain(message: str) -> None:
    """Say something on standard error."""
    click.echo(f"tawny: {printable(message)}", err=True)


def console(*, stderr: bool = False) -> Console:
    """Open the console; colours only on a terminal, and not with ``NO_COLOR``."""
    screen = Console(stderr=stderr, highlight=False, soft_wrap=False)
    if not screen.is_terminal and "COLUMNS" not in os.environ:
        screen.width = PIPE_COLUMNS
    return screen
