"""``tawny lookup``: what is known of names and addresses."""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

import click
import msgspec

from tawny.answers import Lookup
from tawny.cli.connection import connect, connection_options
from tawny.cli.lookup_table import LookupTable
from tawny.cli.terminal import complain, console
from tawny.client import Client
from tawny.errors import Refused
from tawny.exits import Exit

BAD_REQUEST = 400
STDIN = "-"

EXAMPLES = """\b
Examples:
  tawny lookup bad.example
  tawny lookup 192.0.2.7 tcp:192.0.2.7:443 'tcp:[2001:db8::1]:443' https://bad.example/x
  tawny lookup --json - < destinations.txt | jq -r 'select(.score > 5000) | .query'

\b
Exit codes: 0 all were looked up, whatever is known of them; 2 one was not a destination;
3 the key is unknown or may not look up; 4 too many look-ups; 1 not reached or failed.
"""


@click.command(epilog=EXAMPLES, short_help="Say what is known of destinations.")
@click.argument("destinations", nargs=-1, required=True, metavar="DESTINATION...")
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a line, as the service says."
)
@connection_options
@click.pass_context
def lookup(
    context: click.Context,
    destinations: tuple[str, ...],
    *,
    as_json: bool,
    url: str | None,
    key: str | None,
) -> int:
    """Say what is known of destinations: flags, score, and which source says so since when.

    DESTINATION is a name, an address, protocol:address:port (tcp, udp, icmp; IPv6 in brackets) or
    a URL; - reads them from standard input, one a line.
    """
    code = Exit.DONE
    table = None if as_json else LookupTable(console())
    with connect(context, url=url, key=key) as client:
        for what in _wanted(destinations):
            found = _looked_up(client, what)
            if isinstance(found, Refused):
                code = Exit.PARTLY
            if table is None:
                _print_json(what, found)
            elif isinstance(found, Lookup):
                table.show(what, found)
            else:
                complain(found.message)
    return code


def _wanted(arguments: Iterable[str]) -> Iterator[str]:
    for argument in arguments:
        if argument == STDIN:
            yield from (line.strip() for line in sys.stdin if line.strip())
        else:
            yield argument


def _looked_up(client: Client, what: str) -> Lookup | Refused:
    """Give what is known, or why the service says that this is no destination."""
    try:
        return client.lookup(what)
    except Refused as error:
        if error.status != BAD_REQUEST:
            raise
        return error


def _print_json(what: str, found: Lookup | Refused) -> None:
    told: dict[str, Any] = {"query": what}
    if isinstance(found, Lookup):
        told |= msgspec.json.decode(found.raw)
    else:
        told["error"] = {"code": found.problem or found.code, "message": found.message}
    sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
    sys.stdout.flush()
