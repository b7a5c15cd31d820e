"""``tawny send``: logs to the service."""

from typing import Any

import click

from tawny.cli.send import formats
from tawny.cli.send.options import PATHS, sending_options
from tawny.cli.send.running import run
from tawny.formats.events import KINDS

ZEEK_EXAMPLES = """\b
Examples:
  tawny send zeek /opt/zeek/logs/2024-04-19
  tawny send zeek conn.log dns.log.gz --json
  zcat conn.*.log.gz | tawny send zeek -
  tawny send zeek /opt/zeek/logs/current --follow
  tawny send zeek conn.log --check
"""
EVE_EXAMPLES = """\b
Examples:
  tawny send eve /var/log/suricata/eve.json --follow
  tawny send eve eve.json.1.gz --check
"""
NDJSON_EXAMPLES = """\b
Examples:
  tawny send ndjson events.ndjson --kind dns
  jq -c .[] questions.json | tawny send ndjson - --kind dns
"""
CSV_EXAMPLES = """\b
Examples:
  tawny send csv sessions.csv --kind ip
  tawny send csv fw.csv --kind ip --columns ts=time,srcIP=src,destIP=dst,destPort=dport
"""

_KIND = click.option(
    "--kind",
    type=click.Choice(sorted(KINDS.values())),
    help="What the events are.  [default: what each one's fields say]",
)


@click.group()
def send() -> None:
    """Send logs to the service."""


@send.command("zeek", epilog=ZEEK_EXAMPLES)
@PATHS
@sending_options
@click.pass_context
def zeek(context: click.Context, /, **options: Any) -> int:
    """Send Zeek logs, TSV or JSON, plain or gzip.

    PATH is a file, a folder (read with its subfolders, in the order of the paths) or - for standard
    input. conn, dns, http, ssl (with its certificates of x509) and dhcp become events; other logs
    are skipped. The service takes an event once: sending a log again, whole or after a break, does
    no harm within three days.
    """
    return run(context, formats.zeek(), **options)


@send.command("eve", epilog=EVE_EXAMPLES)
@PATHS
@sending_options
@click.pass_context
def eve(context: click.Context, /, **options: Any) -> int:
    """Send Suricata's EVE JSON, plain or gzip.

    PATH is a file, a folder or - for standard input. flow, dns, http, tls and dhcp records become
    events; others are skipped.
    """
    return run(context, formats.eve(), **options)


@send.command("ndjson", epilog=NDJSON_EXAMPLES)
@PATHS
@_KIND
@sending_options
@click.pass_context
def ndjson(context: click.Context, /, kind: Any, **options: Any) -> int:
    """Send JSON objects with the fields of the API, plain or gzip.

    PATH is a file, a folder or - for standard input. An event without connID that equals another
    one may count once with it.
    """
    return run(context, formats.ndjson(kind=kind), **options)


@send.command("csv", epilog=CSV_EXAMPLES)
@PATHS
@_KIND
@click.option(
    "--columns",
    metavar="NAME=HEADER,...",
    help="Which column holds which field of the API, where their names differ.",
)
@sending_options
@click.pass_context
def csv(context: click.Context, /, kind: Any, columns: str | None, **options: Any) -> int:
    """Send CSV files with a header line, plain or gzip.

    PATH is a file, a folder or - for standard input. An event without connID that equals another
    one may count once with it.
    """
    return run(context, formats.csv(kind=kind, columns=formats.columns(columns)), **options)
