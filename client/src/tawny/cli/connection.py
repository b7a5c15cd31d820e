"""Which service and which key: a command's options, else the group's, else the environment."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import click

from tawny.cli.terminal import complain
from tawny.client import Client
from tawny.retries import Pause, Retry

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


def target(context: click.Context, *, url: str | None, key: str | None) -> Connection:
    """Give what the options, the group's options and the environment agree on; no key is wrong."""
    given: Connection = context.obj
    chosen = Connection(url=url or given.url, key=(key or given.key).strip())
    if not chosen.key:
        raise click.UsageError("no API key: set TAWNY_KEY or give --key", context)
    return chosen


def connect(
    context: click.Context, *, url: str | None, key: str | None, retry: Retry | None = None
) -> Client:
    """Open the client for ``target``; waits are said on standard error."""
    chosen = target(context, url=url, key=key)
    return Client(chosen.url, chosen.key, retry=retry, on_pause=_say_pause)


def _say_pause(pause: Pause) -> None:
    complain(f"{pause.reason}; trying again in {pause.seconds:.1f} s")
