"""Listed destinations: contacts with a place that somebody reported.

Formula
    score = the report's own points, reason by reason, plus the context's: +5 where the
    destination answered, 0 where every attempt failed.
Reading
    The severity is that of the worst flag (`THREATS`), less one where nothing answered and
    the flag is a mere listing, and at most 3 for contacts from outside: an address on a
    list that knocks on a public server is weather. An attempt to call command and control
    is an infection whether or not it was let in, so it loses nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from analytics.detectors.beacon.detection import material
from analytics.detectors.contacts import Contacts, PairDay, contacts
from analytics.detectors.directions import Direction
from analytics.detectors.explanation import HUNDREDTHS, Finding, Part, evidence, explain
from analytics.detectors.states import Outcome

DETECTION = "listed_destination"

ANSWERED_POINTS = 5.0
"""Points for an answer: a channel that opened is worth more than one that was refused."""

INBOUND_SEVERITY = 3
"""Most severity for contacts from outside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Threat:
    """The threat that a flag raises, its severity, and whether a failed attempt counts less."""

    id: str
    severity: int
    softens: bool


THREATS = {
    "c2": Threat(id="c2_communication", severity=5, softens=False),
    "ransomware": Threat(id="ransomware_destination", severity=5, softens=False),
    "apt": Threat(id="c2_communication", severity=5, softens=False),
    "botnet": Threat(id="c2_communication", severity=4, softens=False),
    "sinkholed": Threat(id="sinkholed_destination", severity=4, softens=False),
    "dropper": Threat(id="malware_distribution", severity=4, softens=True),
    "capture": Threat(id="credential_capture", severity=4, softens=True),
    "phishing": Threat(id="phishing_destination", severity=4, softens=True),
    "imposter": Threat(id="imposter_destination", severity=4, softens=True),
    "cryptomining": Threat(id="cryptomining", severity=4, softens=False),
    "oast": Threat(id="oast_destination", severity=4, softens=True),
    "malicious_js": Threat(id="malicious_javascript", severity=3, softens=True),
    "tor": Threat(id="anon_circuit", severity=3, softens=True),
    "blocklist": Threat(id=DETECTION, severity=3, softens=True),
    "dns_block": Threat(id=DETECTION, severity=3, softens=True),
    "dshield": Threat(id=DETECTION, severity=2, softens=True),
}
"""Flags that make a destination a listed one. Others (young, parked, hosting, ...) are
properties, which never alert alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason of a report: its flag, source and date (ISO 8601), and hundredths of points."""

    flag: str
    source: str
    date: str
    points: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is known of a destination; `points` of the reasons add up to its score."""

    destination: str
    flags: tuple[str, ...]
    labels: tuple[str, ...]
    reasons: tuple[Reason, ...]


def detect(
    day: PairDay, *, direction: Direction, reports: Sequence[Report], key: tuple[str, ...] = ()
) -> Finding | None:
    """Find contacts with a listed destination in a pair's day."""
    return find(contacts(day), direction=direction, reports=reports, key=key)


def find(
    pair: Contacts, *, direction: Direction, reports: Sequence[Report], key: tuple[str, ...] = ()
) -> Finding | None:
    """Do what `detect` does for contacts that are grouped already.

    Order and repetition among the reports change nothing.
    """
    flags = sorted({flag for report in reports for flag in report.flags} & THREATS.keys())
    if not flags or pair.times.size == 0:
        return None
    answered = int((pair.outcomes == Outcome.ANSWERED).sum())
    worst = max(flags, key=lambda flag: (severity(flag, answered, direction), flag))
    threats = sorted({THREATS[flag].id for flag in flags})
    return Finding(
        detection=DETECTION,
        threats=tuple(threats),
        key=key,
        severity=severity(worst, answered, direction),
        direction=direction,
        first=int(pair.times[0]),
        last=int(pair.times[-1]),
        count=pair.times.size,
        explanation=explain(_parts(reports, pair.times.size, answered)),
        evidence=evidence(
            destinations=_joined({report.destination for report in reports}),
            flags=_joined({flag for report in reports for flag in report.flags}),
            labels=_joined({label for report in reports for label in report.labels}),
            worst_flag=worst,
            contacts=pair.times.size,
            answered=answered,
            failed=int((pair.outcomes == Outcome.FAILED).sum()),
        ),
        material=material(pair.times),
    )


def severity(flag: str, answered: int, direction: Direction) -> int:
    """Return 1 to 5 for a flag of `THREATS`, given how many contacts were answered."""
    threat = THREATS[flag]
    level = threat.severity - (1 if threat.softens and answered == 0 else 0)
    return min(level, INBOUND_SEVERITY) if direction is Direction.IN else level


def _parts(reports: Sequence[Report], count: int, answered: int) -> list[Part]:
    reasons = sorted(
        {
            (reason.flag, reason.source, reason.date, reason.points, reason.text)
            for report in reports
            for reason in report.reasons
        }
    )
    parts = [
        Part(
            feature=f"report:{flag}",
            value=source,
            baseline=date,
            points=points / HUNDREDTHS,
            reason=text,
        )
        for flag, source, date, points, text in reasons
    ]
    parts.append(
        Part(
            feature="answered_contacts",
            value=answered,
            baseline=count,
            points=ANSWERED_POINTS if answered else 0.0,
            reason="the destination answered" if answered else "every attempt failed",
        )
    )
    return parts


def _joined(values: set[str]) -> str:
    return ",".join(sorted(values))
