"""What a run found: the shape of the JSON, and the same as text tables."""

from collections.abc import Iterator, Mapping

import msgspec

from bench.meter import Machine, Spent

SCHEMA = 1
PHASES = ("accept", "effect", "evaluate", "sequence")
SMALLEST = 0.005
"""Microseconds an event below which a stage is not worth a line of the table."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """What a stretch of work cost, and events per second of one core and of the clock."""

    cpu_seconds: float
    wall_seconds: float
    database_cpu_seconds: float
    events_per_cpu_second: float
    events_per_wall_second: float


class Floor(Pace, frozen=True, kw_only=True):
    """Inflating and decoding alone; megabytes are 10^6 inflated bytes."""

    megabytes_per_cpu_second: float


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Events sent, received, accepted and in effect, and what became of them."""

    requests: int
    sent: int
    received: int
    accepted: int
    effective: int
    segments: int
    days: int
    alerts: int


class Ratios(msgspec.Struct, frozen=True, kw_only=True):
    """Events per CPU second as a share of the floor's."""

    accepted_to_floor: float
    processed_to_floor: float


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """Sealed bytes an event; identities and inbox are counted apart from the series."""

    segments: float
    identities: float
    inbox: float


class Memory(msgspec.Struct, kw_only=True):
    """Resident bytes of this process: before, and the largest while accepting and after."""

    before: int
    accept: int
    process: int


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """CPU microseconds an event of one stage of one phase, its callees' own stages left out."""

    phase: str
    stage: str
    cpu_us_per_event: float


class KindReport(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one kind."""

    counts: Counts
    gzip_bytes: int
    inflated_bytes: int
    floor: Floor
    accepted: Pace
    processed: Pace
    ratios: Ratios
    sealed_bytes_per_event: Sealed
    resident_bytes: Memory
    stages: list[Stage]


class Mix(msgspec.Struct, frozen=True, kw_only=True):
    """Both kinds as one stream: each kind's share of events, and events per CPU second."""

    share: dict[str, float]
    floor_events_per_cpu_second: float
    accepted_events_per_cpu_second: float
    processed_events_per_cpu_second: float
    accepted_to_floor: float
    processed_to_floor: float


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent: ``synthetic`` with its seed, or ``logs``."""

    source: str
    seed: int | None
    batch: int
    by_file: bool
    gzip_level: int


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """What one number of web processes accepted over HTTP; rates are of the clock.

    ``cpu_ratio`` compares CPU seconds an event, which other users of the machine do not move.
    """

    kind: str
    processes: int
    requests: int
    events: int
    wall_seconds: float
    web_cpu_seconds: float
    database_cpu_seconds: float
    floor_cpu_seconds: float
    events_per_second: float
    floor_events_per_second: float
    wall_ratio: float
    cpu_ratio: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run."""

    schema: int
    measured_at: str
    machine: Machine
    input: Input
    wisdom: str
    run_wall_seconds: float
    kinds: dict[str, KindReport]
    mix: Mix
    served: list[Served]
    missing_probes: list[str]


def pace(spent: Spent, events: int) -> Pace:
    """Return what was spent on `events` events as rates."""
    return Pace(
        cpu_seconds=spent.cpu,
        wall_seconds=spent.wall,
        database_cpu_seconds=spent.database,
        events_per_cpu_second=events / spent.cpu,
        events_per_wall_second=events / spent.wall,
    )


def mix(kinds: Mapping[str, KindReport], share: Mapping[str, float]) -> Mix:
    """Return the rates of a stream in which each kind has its share of the events."""

    def rate(paces: Mapping[str, Pace]) -> float:
        return 1 / sum(share[kind] / each.events_per_cpu_second for kind, each in paces.items())

    floor = rate({kind: each.floor for kind, each in kinds.items()})
    accepted = rate({kind: each.accepted for kind, each in kinds.items()})
    processed = rate({kind: each.processed for kind, each in kinds.items()})
    return Mix(
        share=dict(share),
        floor_events_per_cpu_second=floor,
        accepted_events_per_cpu_second=accepted,
        processed_events_per_cpu_second=processed,
        accepted_to_floor=accepted / floor,
        processed_to_floor=processed / floor,
    )


def as_text(report: Report) -> str:
    """Write a report as text tables."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    machine, sent = report.machine, report.input
    yield f"{machine.cpu}, {machine.cores} cores, {machine.python}, {machine.system}"
    source = "Zeek logs" if sent.source == "logs" else f"synthetic events, seed {sent.seed}"
    yield (
        f"{source}; requests of at most {sent.batch:,} events"
        f"{', none of two files' if sent.by_file else ''}, gzip level {sent.gzip_level};"
        f" Wisdom: {report.wisdom}; {report.measured_at}"
    )
    yield ""
    names = [*report.kinds, "mix"]
    yield _row("", names)
    for label, figures in _figures(report):
        yield _row(label, figures)
    if report.served:
        yield ""
        yield from _served_lines(report.served)
    yield ""
    yield _row("CPU microseconds an event", list(report.kinds))
    yield from _stage_lines(report.kinds)
    if report.missing_probes:
        yield ""
        yield "probes whose function is gone (bench/probes.py): " + ", ".join(report.missing_probes)


def _served_lines(served: list[Served]) -> Iterator[str]:
    heads = [f"{each.kind}, {each.processes}" for each in served]
    yield _row("over HTTP, web processes", heads)
    yield _row("accepted, events/s by the clock", [f"{e.events_per_second:,.0f}" for e in served])
    floors = [f"{each.floor_events_per_second:,.0f}" for each in served]
    yield _row("floor in as many processes", floors)
    yield _row("accepted / floor by the clock", [f"{each.wall_ratio:.3f}" for each in served])
    yield _row("accepted / floor by CPU", [f"{each.cpu_ratio:.3f}" for each in served])


def _figures(report: Report) -> Iterator[tuple[str, list[str]]]:
    kinds, both = list(report.kinds.values()), report.mix
    shares = [f"{100 * share:.0f} %" for share in both.share.values()]
    yield "share of the mix", [*shares, "100 %"]
    yield "events sent", [f"{each.counts.sent:,}" for each in kinds]
    yield "events accepted", [f"{each.counts.accepted:,}" for each in kinds]
    yield "events in effect", [f"{each.counts.effective:,}" for each in kinds]
    yield "requests", [f"{each.counts.requests:,}" for each in kinds]
    yield "segments", [f"{each.counts.segments:,}" for each in kinds]
    yield "days evaluated, by shard", [f"{each.counts.days:,}" for each in kinds]
    yield "alerts", [f"{each.counts.alerts:,}" for each in kinds]
    yield (
        "JSON bytes an event, inflated",
        [f"{each.inflated_bytes / each.counts.sent:.0f}" for each in kinds],
    )
    for label, rate, name in (
        ("(a) floor, events/s of a core", both.floor_events_per_cpu_second, "floor"),
        ("(b) accepted, events/s of a core", both.accepted_events_per_cpu_second, "accepted"),
        ("(c) processed, events/s of a core", both.processed_events_per_cpu_second, "processed"),
    ):
        paces: list[Pace] = [getattr(each, name) for each in kinds]
        yield label, [*(f"{each.events_per_cpu_second:,.0f}" for each in paces), f"{rate:,.0f}"]
        yield "    events/s by the clock", [f"{each.events_per_wall_second:,.0f}" for each in paces]
        yield (
            "    PostgreSQL's CPU us an event",
            [
                f"{each.database_cpu_seconds / kind.counts.sent * 1e6:.2f}"
                for each, kind in zip(paces, kinds, strict=True)
            ],
        )
    yield (
        "(b) / (a)",
        [*(f"{e.ratios.accepted_to_floor:.3f}" for e in kinds), f"{both.accepted_to_floor:.3f}"],
    )
    yield (
        "(c) / (a)",
        [*(f"{e.ratios.processed_to_floor:.3f}" for e in kinds), f"{both.processed_to_floor:.3f}"],
    )
    yield from _sizes(kinds)


def _sizes(kinds: list[KindReport]) -> Iterator[tuple[str, list[str]]]:
    for label, name in (
        ("sealed bytes an event, segments", "segments"),
        ("sealed bytes an event, identities", "identities"),
        ("sealed bytes an event, inbox", "inbox"),
    ):
        yield label, [f"{getattr(each.sealed_bytes_per_event, name):.2f}" for each in kinds]
    for label, name in (
        ("resident MiB before", "before"),
        ("resident MiB, peak, accepting", "accept"),
        ("resident MiB, peak, processing", "process"),
    ):
        yield label, [f"{getattr(each.resident_bytes, name) / 2**20:.0f}" for each in kinds]


def _stage_lines(kinds: Mapping[str, KindReport]) -> Iterator[str]:
    costs = {
        name: {(each.phase, each.stage): each.cpu_us_per_event for each in kind.stages}
        for name, kind in kinds.items()
    }
    for phase in PHASES:
        sums = [sum(v for (of, _), v in cost.items() if of == phase) for cost in costs.values()]
        yield _row(phase, [f"{each:.2f}" for each in sums])
        stages = dict.fromkeys(s for cost in costs.values() for (of, s) in cost if of == phase)
        rows = {
            stage: [cost.get((phase, stage), 0.0) for cost in costs.values()] for stage in stages
        }
        for stage, values in sorted(rows.items(), key=lambda row: -sum(row[1])):
            if max(values) >= SMALLEST:
                yield _row(f"    {stage}", [f"{each:.2f}" for each in values])


def _row(label: str, cells: list[str]) -> str:
    return f"{label:<36}" + "".join(f"{cell:>13}" for cell in cells)
