"""What a detector hands back: a finding whose points can be added up by hand."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from analytics.detectors.directions import Direction

Plain = int | float | str
"""What evidence may hold: a number or a string, nothing nested."""

HUNDREDTHS = 100
"""Points are integers; one point of a score is this many of them."""

SIGNIFICANT = 6
"""Digits of a real number in evidence: enough to redo the sum, the same on every machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """One named part of a score, in hundredths of a point."""

    feature: str
    value: Plain
    baseline: Plain
    points: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A contribution before its points are rounded."""

    feature: str
    value: Plain
    baseline: Plain
    points: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Contributions whose points add up to the score exactly, both in hundredths."""

    contributions: tuple[Contribution, ...]

    @property
    def score(self) -> int:
        """The sum of the contributions' points: there is no second number to disagree with."""
        return sum(part.points for part in self.contributions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One detection in one pair's day, before prevalence and suppressions are weighed.

    Attributes
    ----------
    detection, threats
        Catalogue ids; `threats` holds at least the detection's own.
    key
        What tells two findings of one detection and subject apart; given by the caller.
    severity
        1 (informational) to 5 (critical), from strength and direction alone.
    first, last
        Earliest and latest contact that counted, nanoseconds since 1970 UTC.
    count
        Contacts that counted.
    evidence
        Plain numbers and strings from which the score can be redone.
    material
        The measured series itself in a fixed byte order, so that a digest binds it.

    """

    detection: str
    threats: tuple[str, ...]
    key: tuple[str, ...]
    severity: int
    direction: Direction
    first: int
    last: int
    count: int
    explanation: Explanation
    evidence: Mapping[str, Plain]
    material: bytes = b""

    @property
    def score(self) -> int:
        """The score in hundredths of a point."""
        return self.explanation.score

    def digest_input(self) -> bytes:
        """Return the bytes that a digest of the evidence is taken over.

        Canonical JSON of every field (keys sorted, no spaces), a newline, then `material`.
        Equal findings give equal bytes; JSON holds no newline, so the split is unique.
        """
        document = {
            "detection": self.detection,
            "threats": list(self.threats),
            "key": list(self.key),
            "severity": self.severity,
            "direction": self.direction.value,
            "first": self.first,
            "last": self.last,
            "count": self.count,
            "score": self.score,
            "contributions": [
                [part.feature, part.value, part.baseline, part.points, part.reason]
                for part in self.explanation.contributions
            ],
            "evidence": dict(self.evidence),
        }
        text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return text.encode() + b"\n" + self.material


def explain(parts: Sequence[Part]) -> Explanation:
    """Round the parts to hundredths so that they add up to the rounded total.

    Largest-remainder rounding: every part is floored, and the hundredths still missing go
    to the parts that lost most, earlier parts first. No part moves by a hundredth or more.
    """
    exact = [part.points * HUNDREDTHS for part in parts]
    floors = [math.floor(points) for points in exact]
    missing = round(math.fsum(exact)) - sum(floors)
    losses = sorted(range(len(parts)), key=lambda i: (floors[i] - exact[i], i))
    for i in losses[:missing]:
        floors[i] += 1
    return Explanation(
        contributions=tuple(
            Contribution(
                feature=part.feature,
                value=plain(part.value),
                baseline=plain(part.baseline),
                points=points,
                reason=part.reason,
            )
            for part, points in zip(parts, floors, strict=True)
        )
    )


def evidence(**values: Plain) -> Mapping[str, Plain]:
    """Return a read-only mapping with real numbers cut to `SIGNIFICANT` digits."""
    return MappingProxyType({name: plain(value) for name, value in values.items()})


def plain(value: Plain) -> Plain:
    """Cut a real number to `SIGNIFICANT` digits; whole numbers and strings stay."""
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT}g}")
    return value
