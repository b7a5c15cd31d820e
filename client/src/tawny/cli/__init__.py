"""The ``tawny`` command."""

import sys
from collections.abc import Sequence
from importlib import import_module

import click

from tawny._version import __version__
from tawny.cli.connection import DEFAULT_URL, Connection
from tawny.cli.terminal import complain
from tawny.errors import TawnyError
from tawny.exits import Exit, exit_for

COMMANDS = ("doctor", "send", "alerts", "lookup", "open-export", "completion")

EPILOG = """\b
Examples:
  tawny send zeek /opt/zeek/logs/2024-04-19
  zcat conn.log.gz | tawny send zeek -
  tawny alerts --follow --min-severity 3
  tawny alerts --json | jq .detection
  tawny lookup bad.example 192.0.2.7
  tawny doctor

\b
Exit codes: 0 done; 2 only a part was, or wrong usage; 3 the key is unknown or not allowed;
4 a quota is used up or the service overloaded; 1 the service was not reached or failed.
Colours: none with NO_COLOR set, or where the output is not a terminal.
"""


class Commands(click.Group):
    """Finds the command ``x`` in ``tawny.cli.x``, and imports no other: it starts at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order in which one comes to need them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        found: click.Command = getattr(import_module(f"tawny.cli.{name}"), name)
        return found


@click.group(cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--url",
    envvar="TAWNY_URL",
    default=DEFAULT_URL,
    show_default=True,
    show_envvar=True,
    help="Where the service is.",
)
@click.option("--key", envvar="TAWNY_KEY", show_envvar=True, help="The API key.")
@click.version_option(__version__, prog_name="tawny")
@click.pass_context
def cli(context: click.Context, url: str, key: str | None) -> None:
    """Send network telemetry to Tawny, read its alerts, ask what it knows of a destination."""
    context.obj = Connection(url=url, key=key or "")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and leave with its exit code."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command; give its exit code. What went wrong is on standard error."""
    try:
        code = cli.main(arguments, prog_name="tawny", standalone_mode=False)
    except click.Abort:
        complain("interrupted")
        return Exit.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except TawnyError as error:
        complain(str(error))
        return exit_for(error)
    return int(code or 0)
