"""The formats that can be sent, as sending wants to know them; each is loaded when it is asked for.

Their parsers differ in what they take; here they become one kind of value.
"""

from collections.abc import Mapping

import click

from tawny.formats.events import Kind
from tawny.sending.tails import LogFormat

LENDING = ("ssl", "x509")  # Zeek logs to whose rows those of others refer


def zeek() -> LogFormat:
    """Zeek logs; those of one run share what they say of each other."""
    from tawny.formats import zeek as log_format  # noqa: PLC0415 -- only what is asked for

    joins = log_format.Joins()
    return LogFormat(
        name="zeek",
        parser=lambda name: log_format.Parser(file_name=name, joins=joins),
        order=log_format.reading_order,
        primes=_lends,
        memory=joins,
    )


def _lends(name: str) -> bool:
    file = name.rpartition("/")[2]
    return any(log in file for log in LENDING)


def eve() -> LogFormat:
    """Suricata's EVE."""
    from tawny.formats import eve as log_format  # noqa: PLC0415 -- only what is asked for

    joins = log_format.Joins()
    return LogFormat(
        name="eve",
        parser=lambda name: log_format.Parser(file_name=name, joins=joins),
        primes=lambda _name: True,
        memory=joins,
    )


def ndjson(*, kind: Kind | None) -> LogFormat:
    """JSON objects with the fields of the API."""
    from tawny.formats import ndjson as log_format  # noqa: PLC0415 -- only what is asked for

    return LogFormat(
        name="ndjson" if kind is None else f"ndjson.{kind}",
        parser=lambda name: log_format.Parser(file_name=name, kind=kind),
    )


def csv(*, kind: Kind | None, columns: Mapping[str, str] | None) -> LogFormat:
    """CSV with a header line."""
    from tawny.formats import csv as log_format  # noqa: PLC0415 -- only what is asked for

    return LogFormat(
        name="csv" if kind is None else f"csv.{kind}",
        parser=lambda name: log_format.Parser(file_name=name, kind=kind, columns=columns),
    )


def columns(given: str | None) -> dict[str, str] | None:
    """Read ``name=header,...``; wrong usage if it is not that."""
    if given is None:
        return None
    pairs = [each.partition("=") for each in given.split(",")]
    if any(not (name and header) for name, _, header in pairs):
        raise click.BadParameter("write name=header,...", param_hint="--columns")
    return {name.strip(): header.strip() for name, _, header in pairs}
