"""``tawny open-export``: opens the sealed archive of an account, without any service."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tawny.cli.terminal import printable
from tawny.errors import TawnyError
from tawny.exits import Exit

if TYPE_CHECKING:
    from tawny.sealed import Identity

EXAMPLES = """\b
Examples:
  tawny open-export --new identity.txt     prints the recipient to give to whoever exports
  tawny open-export archive.tawny --identity identity.txt --into archive/
  tawny open-export archive.tawny          asks for the passphrase, checks, writes nothing

\b
Exit codes: 0 it opened whole; 1 it did not, and nothing was written; 2 wrong usage.
"""


@click.command(epilog=EXAMPLES, short_help="Open the sealed archive of an account.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--new", type=click.Path(path_type=Path), help="Make an identity and keep it there.")
@click.option(
    "--identity",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The file that --new made.",
)
@click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file whose first line is the passphrase; else it is asked for.",
)
@click.option("--into", type=click.Path(path_type=Path), help="A new folder for what is inside.")
@click.option("--json", "as_json", is_flag=True, help="The manifest's counts as one JSON object.")
def open_export(
    file: Path | None,
    *,
    new: Path | None,
    identity: Path | None,
    passphrase_file: Path | None,
    into: Path | None,
    as_json: bool,
) -> int:
    """Open an archive and hold every member against its manifest."""
    from tawny.exported import unpack  # noqa: PLC0415 -- needs cryptography, as no other command
    from tawny.sealed import Identity  # noqa: PLC0415 -- see above

    if new is not None:
        return _new(Identity.new(), new)
    if file is None:
        raise click.UsageError("name the archive, or --new")
    by = _by(identity, passphrase_file)
    with click.open_file(str(file), "rb") as archive:
        done = unpack(archive, by, into)
    if as_json:
        told = {"tenant": done.manifest.get("tenant"), "sections": done.lines}
        sys.stdout.write(json.dumps(told) + "\n")
        return Exit.DONE
    for section, lines in done.lines.items():
        click.echo(f"{printable(section)}: {lines:,}")
    return Exit.DONE


def _by(identity: Path | None, passphrase_file: Path | None) -> "str | Identity":
    from tawny.sealed import Identity  # noqa: PLC0415 -- see open_export

    if identity is not None:
        return Identity.parse(identity.read_text("utf-8"))
    if passphrase_file is not None:
        return passphrase_file.read_text("utf-8").partition("\n")[0].strip()
    words: str = click.prompt("Passphrase", hide_input=True, err=True)
    return words


def _new(identity: "Identity", path: Path) -> int:
    content = f"# opens archives that are sealed to {identity.recipient}\n{identity.encode()}\n"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise TawnyError(f"{path} exists already") from None
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
    click.echo(identity.recipient)
    return Exit.DONE
