"""Which service and which key: a command's options, else the group's, else the environment."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import click

from tawny.cli.terminal import complain
from tawny.client import Client, Pause
from tawny.retries import Retry

DEFAULT_URL = "http://127.0.0.1:8000"

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where to and as whom; the key stays out of every representation."""

    url: str
    key: str = field(repr=False)


def connection_options(command: Command) -> Command:
    """Give a command ``--url`` and ``--key`` of its own."""
    url = click.option("--url", help=f"Where the service is.  [env: TAWNY_URL; {DEFAULT_URL}]")
    key = click.option("--key", help="The API key.  [env: TAWNY_KEY]")
    return url(key(command))


def connect(
    context: click.Context, *, url: str | None, key: str | None, retry: Retry | None = None
) -> Client:
    """Open the client that the options, the group's options and the environment agree on."""
    given: Connection = context.obj
    chosen = (key or given.key).strip()
    if not chosen:
        raise click.UsageError("no API key: set TAWNY_KEY or give --key", context)
    return Client(url or given.url, chosen, retry=retry, on_pause=_say_pause)


def _say_pause(pause: Pause) -> None:
    complain(f"{pause.reason}; trying again in {pause.seconds:.1f} s")
