"""``make verify``: the bars of the API (docs/security-api.md), on a deployment made for it.

    python -m bench.verify_api [PART...] [--cases N] [--rounds N] [--json]

Starts the embedded product with two web processes in a folder that goes away, measures each part,
and fails where a bar is not met. All parts take some fifteen minutes of an idle machine; ``oracle``
runs on servers of its own. With ``--json`` the last line of stdout is one JSON object.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from bench.api import bombs, credentials, noise, oracle, rates, schema, twins
from bench.api.product import Product, serving
from config.embedded.progress import on_stderr


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How much of each part is measured."""

    cases: int
    rounds: int
    seconds: float
    calls: int
    honest: int


PARTS: dict[str, Callable[[Product, Options], Any]] = {
    "credentials": lambda product, _: credentials.measure(product),
    "twins": lambda product, _: twins.measure(product),
    "rates": lambda product, _: rates.measure(product),
    "bombs": lambda product, options: bombs.measure(product, honest=options.honest),
    "noise": lambda product, options: noise.measure(
        product, rounds=options.rounds, seconds=options.seconds
    ),
    "schema": lambda product, options: schema.measure(product, cases=options.cases),
}
"""By name: what is measured on the running product."""
ORACLE = "oracle"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for, all of it where nothing is named; return the exit status."""
    parser = argparse.ArgumentParser(description="The bars of the API, measured.")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, ORACLE, []], metavar="PART")
    parser.add_argument("--cases", type=int, default=10_000, help="requests of API-4 in all")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of API-8's noise")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each stretch of a round")
    parser.add_argument("--calls", type=int, default=oracle.CALLS, help="of ISO-8 by route")
    parser.add_argument("--honest", type=int, default=bombs.HONEST, help="honest batches of API-2")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    given = parser.parse_args(arguments)
    options = Options(
        cases=given.cases,
        rounds=given.rounds,
        seconds=given.seconds,
        calls=given.calls,
        honest=given.honest,
    )
    asked = given.parts or [*PARTS, ORACLE]
    found: dict[str, Any] = {}
    chosen = [name for name in asked if name in PARTS]
    if chosen:
        with (
            tempfile.TemporaryDirectory(prefix="tawny-verify-") as folder,
            serving(Path(folder) / "home") as product,
        ):
            for name in chosen:
                found[name] = PARTS[name](product, options)
                _say(name, found[name])
    if ORACLE in asked:
        found[ORACLE] = oracle.measure(on_stderr(), calls=options.calls)
        _say(ORACLE, found[ORACLE])
    if given.json:
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    return 0 if all(each.met for each in found.values()) else 1


def _say(name: str, figure: Any) -> None:
    told = msgspec.to_builtins(figure)
    lines = [f"{name}: {'met' if figure.met else 'NOT MET'}"]
    for member, value in told.items():
        if isinstance(value, list):
            lines += [f"  {member}: {msgspec.json.encode(each).decode()}" for each in value]
        else:
            lines.append(f"  {member}: {value}")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
