"""The ``tawny`` command."""

import sys
from collections.abc import Sequence

import click

from tawny._version import __version__
from tawny.cli.alerts import alerts
from tawny.cli.completion import completion
from tawny.cli.connection import DEFAULT_URL, Connection
from tawny.cli.send import send
from tawny.cli.terminal import complain
from tawny.errors import TawnyError
from tawny.sending.account import Exit, exit_for

EPILOG = """\b
Examples:
  tawny send zeek /opt/zeek/logs/2024-04-19
  zcat conn.log.gz | tawny send zeek -
  tawny alerts --follow --min-severity 3
  tawny alerts -o json | jq .detection

\b
Exit codes: 0 done; 2 some rows were malformed or rejected;
3 the service was not reached or failed; 4 wrong usage or key.
"""


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
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
    """Send network telemetry to Tawny and read its alerts."""
    context.obj = Connection(url=url, key=key or "")


cli.add_command(send)
cli.add_command(alerts)
cli.add_command(completion)


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
        return Exit.USAGE
    except TawnyError as error:
        complain(str(error))
        return exit_for(error)
    return int(code or 0)
