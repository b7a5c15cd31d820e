"""A tenant's alerts as staff read them: under a live grant, and only after that is on record.

Everything here is called inside `reading`, in which row-level security itself asks for the grant.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import Http404

from analytics import catalogue
from analytics.actions.alerts import open_alert
from analytics.actions.findings import AlertContent, Explained
from analytics.models import Alert
from audit.actors import Actor
from tenants import grants
from tenants.errors import NoGrant
from tenants.grants import GrantScope, staff_scope
from tenants.models import AccessGrant, Tenant

ALERTS_PER_PAGE = 50
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The grant that a page is read under, as its banner says it."""

    id: UUID
    tenant: UUID
    name: str
    reason: str
    ticket: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """An alert as the list shows it; `score` in points."""

    id: UUID
    day: date
    title: str
    detection: str
    severity: int
    state: str
    source: str
    destination: str
    score: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One line of an explanation; `points` in points."""

    feature: str
    value: str
    baseline: str
    points: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSight:
    """An alert's own page."""

    row: AlertRow
    first: datetime
    last: datetime
    count: int
    direction: str
    threats: str
    flags: str
    labels: str
    domain: str
    parts: list[Part]
    evidence: list[tuple[str, str]]
    event: list[tuple[str, str]]
    versions: list[tuple[str, str]]
    digest: str


@contextmanager
def reading(
    grant: UUID, *, staff: UUID, actor: Actor, resource: str, now: datetime
) -> Iterator[Held]:
    """Read a tenant's alerts under a grant; the read is on record before a row is read.

    Raises
    ------
    NoGrant
        The grant is over, another's, none, or does not open alerts; that is on record as well.
    Unrecorded
        The audit log takes no entry: nothing was read.

    """
    try:
        with staff_scope(grant, staff) as tenant:
            row = _opening_alerts(grant)
            grants.record_read(grant=grant, tenant=tenant, actor=actor, resource=resource, now=now)
            yield Held(
                id=grant,
                tenant=tenant,
                name=Tenant.objects.get(id=tenant).name,
                reason=row.reason,
                ticket=row.ticket,
                expires_at=row.expires_at,
            )
    except NoGrant as refusal:
        grants.record_refusal(grant=grant, actor=actor, words=str(refusal), now=now)
        raise


def _opening_alerts(grant: UUID) -> AccessGrant:
    row = AccessGrant.objects.get(id=grant)
    if GrantScope.ALERTS not in row.scopes:
        raise NoGrant("The grant does not open alerts.")
    return row


def alert_rows(*, after: tuple[date, UUID] | None) -> tuple[list[AlertRow], str]:
    """Return a page of alerts, the newest day first, and what the next page is behind (or "")."""
    rows = Alert.objects.order_by("-day", "id")
    if after is not None:
        day, last = after
        rows = rows.filter(Q(day__lt=day) | Q(day=day, id__gt=last))
    found = list(rows[: ALERTS_PER_PAGE + 1])
    shown = found[:ALERTS_PER_PAGE]
    more = len(found) > ALERTS_PER_PAGE
    following = f"{shown[-1].day.isoformat()}_{shown[-1].id}" if more else ""
    return [_row(each, open_alert(each)) for each in shown], following


def place(text: str) -> tuple[date, UUID] | None:
    """Read what a page is behind; 404 for what is no place in the list."""
    if not text:
        return None
    day, _, last = text.partition("_")
    try:
        return date.fromisoformat(day), UUID(last)
    except ValueError:
        raise Http404 from None


def alert_sight(alert: UUID) -> AlertSight:
    """Return an alert with all that was found, or answer 404."""
    row = Alert.objects.filter(id=alert).first()
    if row is None:
        raise Http404
    content = open_alert(row)
    return AlertSight(
        row=_row(row, content),
        first=_moment(content.first),
        last=_moment(content.last),
        count=content.count,
        direction=content.direction,
        threats=", ".join(content.threats),
        flags=", ".join(content.flags),
        labels=", ".join(content.labels),
        domain=content.domain,
        parts=[_part(each) for each in content.contributions],
        evidence=_pairs(content.evidence),
        event=_pairs(content.event),
        versions=_pairs(content.versions),
        digest=content.digest,
    )


def _row(row: Alert, content: AlertContent) -> AlertRow:
    entry = catalogue.threats().get(content.threats[0]) if content.threats else None
    return AlertRow(
        id=row.id,
        day=row.day,
        title=content.detection if entry is None else entry.title,
        detection=content.detection,
        severity=row.severity,
        state=row.state,
        source=content.source,
        destination=content.destination,
        score=_points(content.score),
    )


def _part(each: Explained) -> Part:
    return Part(
        feature=each.feature,
        value=str(each.value),
        baseline=str(each.baseline),
        points=_points(each.points),
        reason=each.reason,
    )


def _points(hundredths: int) -> str:
    return f"{hundredths / 100:.2f}"


def _moment(nanoseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=nanoseconds // 1_000)


def _pairs(values: dict[str, Any]) -> list[tuple[str, str]]:
    """Return names and values as they are read: text as it is, everything else as JSON."""
    return [
        (name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for name, value in values.items()
    ]
