"""Findings of one day of one shard: rows in, alerts' contents out.

Everything here is a function of the rows and of the reports on their destinations, so that two runs
over the same events agree whatever the order and the cuts in which the events came.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from analytics import catalogue
from analytics.detectors import evaluate, listed, sessions
from analytics.detectors.explanation import Finding
from analytics.series.contacted import endpoint
from analytics.series.pairs import Pairs, pairs_of
from crypto.digests import sha256
from destinations import addresses, names
from destinations.networks import Direction, Networks
from destinations.report import Destination, Report

Ask = Callable[[frozenset[Destination]], Mapping[Destination, Report]]
"""Answers destinations with their reports; what could not be asked is absent."""


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an explanation, in hundredths of a point."""

    feature: str
    value: str | float
    baseline: str | float
    points: int
    reason: str


class AlertContent(msgspec.Struct, frozen=True, kw_only=True):
    """What an alert says; the whole of it is sealed."""

    detection: str
    threats: list[str]
    severity: int
    score: int
    direction: str
    kind: str
    source: str
    destination: str
    first: int
    last: int
    count: int
    contributions: list[Explained]
    evidence: dict[str, Any]
    digest: str
    flags: list[str]
    labels: list[str]
    domain: str
    event: dict[str, Any]
    versions: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A finding before its alert: whose it is, and which row of which table shows it best."""

    finding: Finding
    kind: str
    source: str
    destination: str
    row: int
    reports: tuple[Report, ...] = ()


def find_in_connections(table: pa.Table, *, home: Networks, ask: Ask) -> list[Found]:
    """Run the detectors of `ip` events over one day's rows (`pairs.COLUMNS`)."""
    pairs = pairs_of(table, home=home)
    reports = _reports_by_pair(pairs, ask)
    found = [
        (pair, finding)
        for pair, finding in evaluate.pairs(pairs.rows, pairs.offsets, pairs.directions)
    ]
    for pair, about in reports.items():
        rows = evaluate.rows(pairs.rows, int(pairs.offsets[pair]), int(pairs.offsets[pair + 1]))
        finding = listed.detect(
            rows, direction=pairs.directions[pair], reports=[known(each) for each in about]
        )
        if finding is not None:
            found.append((pair, finding))
    return [
        Found(
            finding=finding,
            kind="ip",
            source=addresses.render(pairs.sources[pair]),
            destination=addresses.render(pairs.destinations[pair]),
            row=_showing(table, pairs.rows_of(pair), finding),
            reports=tuple(reports.get(pair, ())),
        )
        for pair, finding in found
    ]


def is_listed(report: Report | None) -> bool:
    """Say whether a report has a flag that alone makes an alert."""
    return report is not None and not listed.THREATS.keys().isdisjoint(report.flags)


def known(report: Report) -> listed.Report:
    """Return a report as the detector takes it."""
    return listed.Report(
        destination=_text(report.destination),
        flags=report.flags,
        labels=report.labels,
        reasons=tuple(
            listed.Reason(
                flag=reason.flag,
                source=reason.title,
                date=f"{reason.as_of:%Y-%m-%d}" if reason.as_of else "",
                points=reason.points,
                text=f"{reason.title} lists {reason.indicator}"
                if reason.indicator
                else reason.title,
            )
            for reason in report.reasons
        ),
    )


def content_of(found: Found, event: dict[str, Any]) -> AlertContent:
    """Return what the alert of a finding says."""
    finding = found.finding
    flags = {flag for report in found.reports for flag in report.flags}
    if finding.detection.startswith("beacon"):
        flags.add("beacon")
    return AlertContent(
        detection=finding.detection,
        threats=list(finding.threats),
        severity=finding.severity,
        score=finding.score,
        direction=finding.direction.value,
        kind=found.kind,
        source=found.source,
        destination=found.destination,
        first=finding.first,
        last=finding.last,
        count=finding.count,
        contributions=[
            Explained(
                feature=part.feature,
                value=part.value,
                baseline=part.baseline,
                points=part.points,
                reason=part.reason,
            )
            for part in finding.explanation.contributions
        ],
        evidence=dict(finding.evidence),
        digest=sha256(finding.digest_input()).hex(),
        flags=sorted(flags),
        labels=sorted({label for report in found.reports for label in report.labels}),
        domain=next((report.domain for report in found.reports if report.domain), ""),
        event=event,
        versions={
            "catalogue": catalogue.VERSION,
            "snapshot": next((report.snapshot for report in found.reports), ""),
            "psl": names.PSL_VERSION,
        },
    )


def wanted_of(pairs: Pairs, pair: int) -> frozenset[Destination]:
    """Return what Wisdom is asked about a pair: with ports where the destination is not ours."""
    packed = pairs.destinations[pair]
    if pairs.directions[pair] in {Direction.IN, Direction.INSIDE}:
        return frozenset({Destination.of_address(packed)})
    start, end = int(pairs.offsets[pair]), int(pairs.offsets[pair + 1])
    ports = pairs.rows.ports[start:end]
    protocols = pairs.rows.protocols
    numbers = protocols[start:end] if protocols is not None else np.zeros(end - start, np.uint8)
    return frozenset(
        endpoint(packed, int(port), int(number))
        for port, number in {*zip(ports.tolist(), numbers.tolist(), strict=True)}
    )


def _reports_by_pair(pairs: Pairs, ask: Ask) -> dict[int, list[Report]]:
    """Return the reports of each pair whose destination is listed."""
    wanted = [wanted_of(pairs, pair) for pair in range(len(pairs.destinations))]
    answers = ask(frozenset().union(*wanted))
    if not any(is_listed(report) for report in answers.values()):
        return {}
    by_pair = {
        pair: [answers[each] for each in sorted(about, key=_text) if is_listed(answers.get(each))]
        for pair, about in enumerate(wanted)
    }
    return {pair: reports for pair, reports in by_pair.items() if reports}


def _text(destination: Destination) -> str:
    if destination.port is None:
        return destination.value
    return f"{destination.value}:{destination.port}/{destination.protocol or '-'}"


def _showing(table: pa.Table, rows: NDArray[np.int64], finding: Finding) -> int:
    """Return the row that shows a finding: the longest session, else the earliest contact."""
    if finding.detection == sessions.DETECTION:
        durations = np.nan_to_num(table.column("duration").to_numpy()[rows], nan=-1.0)
        rows = rows[durations == durations.max()]
    return earliest(table, rows)


def earliest(table: pa.Table, rows: NDArray[np.int64]) -> int:
    """Return the earliest of some rows; of equal ones, that which any run would take."""
    times = table.column("ts").to_numpy()[rows]
    first = rows[times == times.min()]
    if len(first) == 1:
        return int(first[0])
    return int(min(first, key=lambda row: str(table.slice(int(row), 1).to_pylist()[0])))
