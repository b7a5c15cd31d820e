"""Every body of the corpus sent through the real view, or to a server that runs.

    python -m bench.malformed [--url URL --key KEY] [--only TEXT] [--json]

Without ``--url`` it runs from the repository's root on servers of its own, which go away with it,
and says how far each body made the process grow. The exit status is the verdict: 0 if every answer
is the one that is due and no body grew the process by 64 MiB, else 1. A key of its own is best: a
limit of requests or of events a day answers 503, which no body of the corpus may get.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence

import msgspec

from bench.corpus import CASES, Case
from bench.corpus.asking import can_be_sent, send
from bench.corpus.judging import MOST_GROWTH, Answer, fault_of
from bench.home import throwaway
from bench.meter import begin_peak, peak
from config.embedded.errors import EmbeddedError
from config.embedded.progress import on_stderr

FAILED = 1

Door = Callable[[Case, bytes], Answer]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one body. `growth_bytes` is none where another process read it."""

    name: str
    encoding: str
    octets: int
    status: int
    received: int
    accepted: int
    rejected: dict[str, int]
    seconds: float
    growth_bytes: int | None
    fault: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, and the verdict."""

    sound: bool
    bodies: int
    left_out: list[str]
    growth_bytes: int | None
    rows: list[Row]


def main(arguments: Sequence[str] | None = None) -> int:
    """Send as the command line says; return the verdict."""
    options = _parser().parse_args(arguments)
    cases = [case for case in CASES if options.only in case.name]
    if options.url:
        report = over_http(cases, url=options.url, key=options.key)
    else:
        try:
            report = in_process(cases)
        except EmbeddedError as failure:
            on_stderr().say(f"bench: {failure}")
            return failure.exit_status
    text = msgspec.json.encode(report).decode() + "\n" if options.json else as_text(report)
    sys.stdout.write(text)
    return 0 if report.sound else FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.malformed",
        description="Send every body that should not be, and check each answer.",
    )
    parser.add_argument(
        "--url", default=os.environ.get("TAWNY_URL", ""), help="a server that runs (TAWNY_URL)"
    )
    parser.add_argument(
        "--key", default=os.environ.get("TAWNY_KEY", ""), help="its key (TAWNY_KEY)"
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="bodies whose name has it")
    parser.add_argument(
        "--json", action="store_true", help="write one JSON object, the last line of stdout"
    )
    return parser


def over_http(cases: Iterable[Case], *, url: str, key: str) -> Report:
    """Send to a server that runs; what no web server passes on is left out, and named."""
    chosen = list(cases)
    rows = [
        _row(case, lambda case, body: send(case, body, url=url, key=key), here=False)
        for case in chosen
        if can_be_sent(case)
    ]
    return _report(rows, [case.name for case in chosen if not can_be_sent(case)], grown=None)


def in_process(cases: Iterable[Case]) -> Report:
    """Send through the view, on servers that go away."""
    with throwaway(on_stderr()):
        from bench.corpus.door import open_door  # noqa: PLC0415 -- needs the servers' settings

        door = open_door()
        _row(CASES[0], door, here=True)  # what is imported or connected once is no body's growth
        before = begin_peak()
        largest, rows = before, []
        for case in cases:
            rows.append(_row(case, door, here=True))
            largest = max(largest, peak())
    return _report(rows, [], grown=largest - before)


def _row(case: Case, door: Door, *, here: bool) -> Row:
    body = case.body()
    before = begin_peak()
    begun = time.perf_counter()
    answer = door(case, body)
    seconds = time.perf_counter() - begun
    members = answer.members
    rejected = members.get("rejected")
    return Row(
        name=case.name,
        encoding=case.encoding,
        octets=len(body),
        status=answer.status,
        received=_count(members.get("received")),
        accepted=_count(members.get("accepted")),
        rejected=rejected if isinstance(rejected, dict) else {},
        seconds=seconds,
        growth_bytes=max(0, peak() - before) if here else None,
        fault=fault_of(case, answer),
    )


def _count(member: object) -> int:
    return member if isinstance(member, int) else 0


def _report(rows: list[Row], left_out: list[str], *, grown: int | None) -> Report:
    small = grown is None or grown < MOST_GROWTH
    return Report(
        sound=small and bool(rows) and not any(row.fault for row in rows),
        bodies=len(rows),
        left_out=left_out,
        growth_bytes=grown,
        rows=rows,
    )


def as_text(report: Report) -> str:
    """Write the table for a person."""
    lines = [f"{'body':<52}{'octets':>10} status  accepted{'seconds':>9}{'MiB':>6}  rejected"]
    for row in report.rows:
        grown = "" if row.growth_bytes is None else f"{row.growth_bytes / (1 << 20):.1f}"
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in row.rejected.items())
        lines.append(
            f"{row.name:<52}{row.octets:>10,}{row.status:>7}{row.accepted:>10,}"
            f"{row.seconds:>9.2f}{grown:>6}  {reasons}"
        )
        if row.fault:
            lines.append(f"  WRONG: {row.fault}")
    lines += [f"left out: {name}" for name in report.left_out]
    wrong = sum(bool(row.fault) for row in report.rows)
    grown = "" if report.growth_bytes is None else f", grown by {report.growth_bytes >> 20} MiB"
    lines.append(f"{report.bodies} bodies, {wrong} answered wrongly{grown}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
