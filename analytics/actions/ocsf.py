"""A change of an alert as an OCSF 1.5 Detection Finding (class 2004). Pure.

Activity, status, time and severity are those of the change; everything else is the alert as it
stands when it is read. What OCSF has no place for is in ``unmapped``, under our own names.

Source: https://schema.ocsf.io/1.5.0/classes/detection_finding
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from analytics import catalogue
from analytics.actions.attack import attack_of
from analytics.actions.changes import Change
from analytics.actions.findings import AlertContent
from analytics.actions.ocsf_evidence import evidence_of, observables_of
from analytics.detectors import beacon, failed_contact, listed, sessions
from analytics.detectors.explanation import HUNDREDTHS
from analytics.ingest.times import render_time
from analytics.models import ChangeKind
from analytics.series.shards import nanoseconds

OCSF_VERSION = "1.5.0"
CATEGORY = 2
CLASS = 2004
PRODUCT = "Tawny"
SEVERITIES = ("Unknown", "Informational", "Low", "Medium", "High", "Critical")
CONFIDENCES = ("Unknown", "Low", "Medium", "High")
MILLISECONDS = 10**6
"""Nanoseconds of OCSF's unit of time."""
SECONDS = 10**9
"""Nanoseconds of the unit that the vendor's feed is in."""
FULL_RISK = 100


class _Stage(NamedTuple):
    activity: int
    activity_name: str
    status: int
    status_name: str
    alert: bool


_STAGES = {
    ChangeKind.OPENED: _Stage(1, "Create", 1, "New", alert=True),
    ChangeKind.RAISED: _Stage(2, "Update", 1, "New", alert=True),
    ChangeKind.UPDATED: _Stage(2, "Update", 1, "New", alert=True),
    ChangeKind.WITHDRAWN: _Stage(3, "Close", 4, "Resolved", alert=False),
}


class _Analytic(NamedTuple):
    """How a detection reasons, and from how many points one may be confident: medium, high."""

    type_id: int
    type: str
    medium: float
    high: float


_NEVER = float("inf")
_ANALYTICS = {
    # nats: beyond STRONG chance is out of the question
    beacon.DETECTION: _Analytic(3, "Statistical", beacon.ALERT, beacon.STRONG),
    # that the contacts fail is sure; that somebody malicious makes them is not
    failed_contact.DETECTION: _Analytic(2, "Behavioral", 0.0, _NEVER),
    # a duration is measured, not inferred
    sessions.DETECTION: _Analytic(2, "Behavioral", 0.0, 0.0),
    # Wisdom's own scale: suspicious from 25 points, malicious from 50
    listed.DETECTION: _Analytic(1, "Rule", 25.0, 50.0),
}
_UNKNOWN = _Analytic(0, "Unknown", 0.0, _NEVER)


def record_of(change: Change, *, tenant: UUID, unit: int = MILLISECONDS) -> dict[str, Any]:
    """Return one record; `unit` is `MILLISECONDS` or `SECONDS`, of every number that is a time."""
    content, stage = change.content, _STAGES[change.kind]
    found = nanoseconds(change.at)
    evidence = evidence_of(content)
    confidence = _confidence(content)
    record: dict[str, Any] = {
        "activity_id": stage.activity,
        "activity_name": stage.activity_name,
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Detection Finding",
        "type_uid": CLASS * 100 + stage.activity,
        "type_name": f"Detection Finding: {stage.activity_name}",
        "severity_id": change.severity,
        "severity": SEVERITIES[change.severity],
        "status_id": stage.status,
        "status": stage.status_name,
        "is_alert": stage.alert,
        "confidence_id": confidence,
        "confidence": CONFIDENCES[confidence],
        "risk_score": min(FULL_RISK, max(0, round(content.score / HUNDREDTHS))),
        "time": found // unit,
        "time_dt": _written(change.at),
        "start_time": content.first // unit,
        "end_time": content.last // unit,
        "count": content.count,
        "message": _message(content),
        "metadata": _metadata(change, tenant),
        "finding_info": _finding_info(change, unit),
        "evidences": [evidence],
        "observables": observables_of(evidence),
        "unmapped": _unmapped(content),
    }
    if content.flags or content.labels or content.domain:
        record["enrichments"] = [_enrichment(content)]
    return record


def _metadata(change: Change, tenant: UUID) -> dict[str, Any]:
    return {
        "version": OCSF_VERSION,
        "profiles": ["datetime"],
        "product": {
            "name": PRODUCT,
            "vendor_name": PRODUCT,
            "uid": PRODUCT.lower(),
            "feature": {
                "name": "Analytics Engine catalogue",
                "version": change.content.versions.get("catalogue", catalogue.VERSION),
            },
        },
        "tenant_uid": str(tenant),
        "uid": str(change.id),
        "sequence": change.place,
        "correlation_uid": str(change.alert),
        "event_code": change.content.detection,
        "log_name": "findings",
    }


def _finding_info(change: Change, unit: int) -> dict[str, Any]:
    content = change.content
    return {
        "uid": str(change.alert),
        "title": _title(content),
        "desc": _description(content),
        "types": content.threats,
        "created_time": nanoseconds(change.opened_at) // unit,
        "modified_time": nanoseconds(change.at) // unit,
        "first_seen_time": content.first // unit,
        "last_seen_time": content.last // unit,
        "related_events_count": content.count,
        "data_sources": [content.kind],
        "analytic": _analytic(content),
        "attacks": _attacks(content),
    }


def _analytic(content: AlertContent) -> dict[str, Any]:
    known = _ANALYTICS.get(content.detection, _UNKNOWN)
    entry = catalogue.threats().get(content.detection)
    return {
        "uid": content.detection,
        "name": entry.title if entry else content.detection,
        "type_id": known.type_id,
        "type": known.type,
        "version": content.versions.get("catalogue", catalogue.VERSION),
    }


def _confidence(content: AlertContent) -> int:
    """Return 0 (unknown), 1 (low), 2 (medium) or 3 (high) by the detection's own scale."""
    known = _ANALYTICS.get(content.detection)
    if known is None:
        return 0
    points = content.score / HUNDREDTHS
    return 1 + (points >= known.medium) + (points >= known.high)


def _attacks(content: AlertContent) -> list[dict[str, Any]]:
    entries = catalogue.threats()
    texts = _distinct(
        text
        for threat in [content.detection, *content.threats]
        if threat in entries
        for text in entries[threat].attack
    )
    return [attack_of(text) for text in texts]


def _title(content: AlertContent) -> str:
    """Return the title of the worst threat; of equal ones, of the first."""
    entries = catalogue.threats()
    known = [entries[threat] for threat in content.threats if threat in entries]
    return max(known, key=lambda entry: entry.severity).title if known else content.detection


def _message(content: AlertContent) -> str:
    return f"{_title(content)}: {content.source} to {content.destination}"


def _description(content: AlertContent) -> str:
    reasons = "; ".join(
        f"{part.reason} ({part.points / HUNDREDTHS:+.2f})" for part in content.contributions
    )
    return (
        f"{content.source} contacted {content.destination} {content.count} times between"
        f" {render_time(content.first)} and {render_time(content.last)}."
        f" {content.score / HUNDREDTHS:.2f} points: {reasons}."
    )


def _enrichment(content: AlertContent) -> dict[str, Any]:
    return {
        "name": "destination",
        "value": content.destination,
        "type": "reputation",
        "provider": "Wisdom",
        "data": {"flags": content.flags, "labels": content.labels, "domain": content.domain},
    }


def _unmapped(content: AlertContent) -> dict[str, Any]:
    return {
        "eventType": content.kind,
        "event": content.event,
        "direction": content.direction,
        "explanation": {
            "score": content.score,
            "unit": "hundredths of a point",
            "contributions": content.contributions,
        },
        "evidence": content.evidence,
        "evidenceDigest": content.digest,
        "versions": content.versions,
    }


def _written(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))
