"""``tawny doctor``: what stands between this machine and its alerts."""

import os
import sys
from collections.abc import Iterable

import click
import msgspec
from rich.console import Console
from rich.text import Text

from tawny._version import __version__
from tawny.checkup import Check, Examination, State
from tawny.cli.connection import Connection, connection_options
from tawny.cli.terminal import cell, console
from tawny.exits import Exit
from tawny.sending.checkpoints import state_folder

MARKS = {State.OK: "✓", State.WARNING: "!", State.FAILED: "✗", State.SKIPPED: "-"}
WORDS = {State.OK: "ok  ", State.WARNING: "warn", State.FAILED: "FAIL", State.SKIPPED: "-   "}
STYLES = {State.OK: "green", State.WARNING: "yellow", State.FAILED: "bold red"}
NAME = 12  # characters of the longest name of a check

EXAMPLES = """\b
Examples:
  tawny doctor
  tawny doctor --url https://tawny.example
  tawny doctor --json | jq '.checks[] | select(.state == "failed")'

\b
Exit codes: 0 nothing fails, though there may be warnings; else by the first failure:
3 the key; 4 the service is overloaded; 2 the address or no key; 1 anything else.
"""


@click.command(epilog=EXAMPLES, short_help="Check the way to the service, the key and the clocks.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@connection_options
@click.pass_context
def doctor(context: click.Context, *, as_json: bool, url: str | None, key: str | None) -> int:
    """Check the way to the service, the key, the account and the clocks, one by one.

    Each check says in a line what to do. The key is sent to the service alone, and never shown.
    """
    given: Connection = context.obj
    where = (url or given.url).strip()
    examination = Examination(
        url=where,
        key=(key or given.key).strip(),
        environment=os.environ,
        state=state_folder(os.environ),
    )
    made: list[Check] = []
    sheet = Sheet(console())
    for check in examination.checks():
        made.append(check)
        if not as_json:
            sheet.show(check)
    if as_json:
        _print_json(where, made)
    return next((check.exit for check in made if check.state is State.FAILED), Exit.DONE)


class Sheet:
    """Prints checks as they come, with marks that the output's encoding has."""

    def __init__(self, screen: Console) -> None:
        self._screen = screen
        self._marks = MARKS if _can_show("".join(MARKS.values()), screen.encoding) else WORDS

    def show(self, check: Check) -> None:
        """Print a check, and under it what to do."""
        style = STYLES.get(check.state, "dim")
        said = Text.assemble((self._marks[check.state], style), f" {check.name:<{NAME}} ")
        self._screen.print(said.append(cell(check.said)), soft_wrap=True)
        if check.todo:
            margin = " " * (len(self._marks[check.state]) + NAME + 2)
            self._screen.print(Text(margin).append(cell(f"-> {check.todo}", style)), soft_wrap=True)


def _can_show(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _print_json(url: str, made: Iterable[Check]) -> None:
    checks = [
        {"name": check.name, "state": check.state, "said": check.said, "todo": check.todo}
        for check in made
    ]
    fine = all(check["state"] != State.FAILED for check in checks)
    told = {"ok": fine, "url": url, "version": __version__, "checks": checks}
    sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
