"""What a run tells at its end, to people or as JSON."""

import click
import msgspec
from rich.table import Table

from tawny.cli.send.screens import size
from tawny.cli.terminal import cell, complain, console
from tawny.errors import TooLarge
from tawny.formats.parsing import Tally
from tawny.sending.account import Account

NAMES_SHOWN = 3  # names of files on the terminal; --json has them all


def tell(account: Account, *, as_json: bool) -> None:
    """Tell what became of it all."""
    name_files("skipped, no log of this format", account.foreign)
    name_files("times before 1980 counted from when the log was opened", account.clockless)
    if account.kept:
        kept = account.kept
        complain(f"{kept.parcels:,} requests ({size(kept.bytes)}) wait in {kept.folder}/spool")
    if account.failure:
        hint = "; try a smaller --batch-events" if isinstance(account.failure, TooLarge) else ""
        complain(f"{account.failure}{hint}")
    if as_json:
        click.echo(msgspec.json.encode(account.as_json()).decode())
    else:
        _print(account)


def name_files(what: str, names: list[str]) -> None:
    """Say something of files on standard error, the first few by name."""
    if names:
        more = len(names) - NAMES_SHOWN
        shown = ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
        complain(f"{what}: {shown}")


def logs_table(tally: Tally) -> Table:
    """Give the rows by log as a table."""
    logs = Table("log", box=None, pad_edge=False)
    for name in ("read", "mapped", "malformed", "skipped"):
        logs.add_column(name, justify="right")
    for log in sorted(tally.mapped.keys() | tally.malformed.keys() | tally.skipped.keys()):
        mapped, malformed, skipped = tally.mapped[log], tally.malformed[log], tally.skipped[log]
        read = mapped + malformed + skipped
        logs.add_row(cell(log), f"{read:,}", f"{mapped:,}", f"{malformed:,}", f"{skipped:,}")
    return logs


def _print(account: Account) -> None:
    screen = console()
    sent = Table("events", box=None, pad_edge=False)
    for name in ("received", "accepted", "rejected"):
        sent.add_column(name, justify="right")
    for kind, delivered in sorted(account.sent.items()):
        rejected = delivered.rejected.total()
        sent.add_row(kind, f"{delivered.received:,}", f"{delivered.accepted:,}", f"{rejected:,}")
    screen.print(f"{account.files:,} files read", markup=False)
    screen.print(logs_table(account.tally))
    screen.print(sent)
    for reason, count in sorted(account.tally.reasons.items()):
        screen.print(cell(f"malformed here: {reason} {count:,}"))
    for kind, delivered in sorted(account.sent.items()):
        for reason, count in sorted(delivered.rejected.items()):
            screen.print(cell(f"rejected by the service: {kind} {reason} {count:,}"))
    for reason, count in sorted(account.set_aside.items()):
        screen.print(cell(f"refused by the service and kept: {count:,} events, {reason}"))
