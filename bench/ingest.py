"""How many events a core accepts and processes, and how near that is to reading them at all.

    python -m bench.ingest [--data PATH...] [--events N] [--seed N] [--json]

Runs from the repository's root on servers of its own, which go away with it. docs/benchmarks.md
says how to read each figure.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench import served, synthetic, zeek
from bench.bodies import GZIP_LEVEL, KINDS, Body, Kind
from bench.home import throwaway
from bench.meter import Meter, machine
from bench.probes import Stages
from bench.report import SCHEMA, Input, KindReport, Report, Served, as_text, mix
from config.embedded.errors import EmbeddedError
from config.embedded.progress import Progress, on_stderr

EVENTS = 262_140
"""Synthetic events of each kind, four requests: some seconds of work, so that a hundredth of it is
still seen."""
BATCH = 65_535
"""Events of a request: the most that an existing client sends in one."""
SEED = 1
WARM_UP, WARM_UP_SEED = 2_000, 0xFFFF
"""Events of each kind that warm up, of a seed that nobody measures with by chance."""
FAILED, NO_INPUT = 1, 2


@dataclass(frozen=True, slots=True)
class Options:
    """The command line."""

    data: list[Path] = field(default_factory=list)
    events: int = EVENTS
    seed: int = SEED
    batch: int = BATCH
    by_file: bool = False
    http: bool = True
    json: bool = False


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure as the command line says; return the exit status."""
    options = _options(arguments)
    progress = on_stderr()
    begun = time.monotonic()
    try:
        with progress.step("Making requests"):
            bodies = _bodies(options)
    except OSError as error:
        progress.say(f"bench: {error}")
        return NO_INPUT
    if not bodies:
        progress.say("bench: no dns or ip event was found there")
        return NO_INPUT
    try:
        report = _measured(options, bodies, progress, begun=begun)
    except EmbeddedError as failure:
        progress.say(f"bench: {failure}")
        return failure.exit_status
    if report is None:
        return FAILED
    if options.json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        sys.stdout.write(as_text(report))
    return 0


def _options(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m bench.ingest",
        description="Measure accepting and processing of events on throwaway servers.",
        epilog="How to read each figure: docs/benchmarks.md",
    )
    parser.add_argument(
        "--data", nargs="+", type=Path, default=[], metavar="PATH",
        help="Zeek logs, or folders of them, instead of synthetic events",
    )  # fmt: skip
    parser.add_argument(
        "--events", type=_positive, default=EVENTS, metavar="N",
        help=f"synthetic events of each kind ({EVENTS:,})",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=int, default=SEED, metavar="N", help=f"of the synthetic events ({SEED})"
    )
    parser.add_argument(
        "--batch", type=_positive, default=BATCH, metavar="N",
        help=f"events of a request at most ({BATCH:,})",
    )  # fmt: skip
    parser.add_argument(
        "--by-file", action="store_true",
        help="with --data: no request holds events of two files, as the client sends them",
    )  # fmt: skip
    parser.add_argument(
        "--no-http", dest="http", action="store_false",
        help="leave out the web server with one and with two processes",
    )  # fmt: skip
    parser.add_argument(
        "--json", action="store_true", help="write one JSON object, the last line of stdout"
    )
    return Options(**vars(parser.parse_args(arguments)))


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not positive")
    return number


def _bodies(options: Options) -> dict[Kind, list[Body]]:
    """Return the requests of each kind that there are events of."""
    made: dict[Kind, list[Body]] = {kind: [] for kind in KINDS}
    if options.data:
        for body in zeek.bodies(options.data, batch=options.batch, by_file=options.by_file):
            made[body.kind].append(body)
    else:
        for kind in KINDS:
            made[kind] += synthetic.bodies(
                kind, events=options.events, seed=options.seed, batch=options.batch
            )
    return {kind: bodies for kind, bodies in made.items() if bodies}


def _measured(
    options: Options, bodies: dict[Kind, list[Body]], progress: Progress, *, begun: float
) -> Report | None:
    """Measure each kind; ``None`` when the product failed, which is then said."""
    kinds: dict[str, KindReport] = {}
    missing: list[str] = []
    with throwaway(progress) as postmaster:
        from bench import measure  # noqa: PLC0415 -- the models need the servers' settings

        try:
            with progress.step("Warming up"):
                measure.warm_up([_sample(kind) for kind in KINDS])
            for kind, requests in bodies.items():
                events = sum(body.events for body in requests)
                with progress.step(f"Measuring {events:,} {kind} events"):
                    stages = Stages()
                    kinds[kind] = measure.measure(
                        kind, requests, meter=Meter(postmaster), stages=stages
                    )
                    missing = stages.missing
            over_http = _served(bodies, progress, postmaster) if options.http else []
        except (measure.BenchFailed, served.ServingFailed) as failure:
            progress.say(f"bench: {failure}")
            return None
    total = sum(each.counts.sent for each in kinds.values())
    return Report(
        schema=SCHEMA,
        measured_at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",  # noqa: TID251 -- a command
        machine=machine(),
        input=_described(options),
        wisdom="none",
        run_wall_seconds=time.monotonic() - begun,
        kinds=kinds,
        mix=mix(
            kinds,
            {kind: each.counts.sent / total for kind, each in kinds.items()}
            if options.data
            else synthetic.SHARE,
        ),
        served=over_http,
        missing_probes=missing,
    )


def _served(bodies: dict[Kind, list[Body]], progress: Progress, postmaster: int) -> list[Served]:
    """Measure the web server with each number of processes, each kind to a tenant of its own."""
    from bench import measure  # noqa: PLC0415 -- the models need the servers' settings

    found = []
    for kind, requests in bodies.items():
        for processes in served.PROCESSES:
            subject = measure.Subject(f"{kind} over HTTP, {processes}")
            with progress.step(f"Serving {kind} with {processes} web processes"):
                found.append(
                    served.measure(
                        requests,
                        key=subject.key,
                        home=Path(os.environ["TAWNY_HOME"]),
                        processes=processes,
                        postmaster=postmaster,
                    )
                )
    return found


def _described(options: Options) -> Input:
    return Input(
        source="logs" if options.data else "synthetic",
        seed=None if options.data else options.seed,
        batch=options.batch,
        by_file=options.by_file,
        gzip_level=GZIP_LEVEL,
    )


def _sample(kind: Kind) -> Body:
    """Return the body that warms up: other events than any that are measured."""
    return next(synthetic.bodies(kind, events=WARM_UP, seed=WARM_UP_SEED, batch=WARM_UP))


if __name__ == "__main__":
    sys.exit(main())
