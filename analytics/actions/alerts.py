"""Alerts from findings: opened, raised, updated, withdrawn, in the evaluation's transaction."""

from datetime import date, datetime, timedelta
from uuid import UUID, uuid5

import msgspec

from analytics.actions.days import ShardDay
from analytics.actions.findings import AlertContent
from analytics.models import Alert, AlertChange, AlertState, ChangeKind
from crypto.ids import uuid7
from tenants import keys

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(AlertContent).decode


def alert_id(tenant: UUID, content: AlertContent, day: date) -> UUID:
    """Return the id that a finding has in every run (contract): tenant, what, who, whom, when.

    Who and whom enter as the tenant's keyed hashes: the id lies in clear, and an address space can
    be searched through a hash that has no key.
    """
    who = keys.blind_index(tenant, "source", content.source).hex()
    whom = keys.blind_index(tenant, "destination", content.destination).hex()
    return uuid5(tenant, f"{content.detection}|{who}|{whom}|{day.isoformat()}")


def previous_id(tenant: UUID, content: AlertContent, day: date) -> UUID:
    """Return the id that the same finding had the day before."""
    return alert_id(tenant, content, day - timedelta(days=1))


def open_alert(row: Alert) -> AlertContent:
    """Open what an alert says."""
    return _decode(
        keys.unseal(row.tenant_id, keys.FINDINGS, bytes(row.sealed), "alert", row.id, row.detection)
    )


def reconcile(
    *, tenant: UUID, target: ShardDay, contents: list[AlertContent], whole: bool, now: datetime
) -> int:
    """Make the day's alerts what the evaluation found; return how many changed.

    Nothing is withdrawn unless the evaluation was ``whole``: what Wisdom still owes an answer on
    may stand.

    Inside the tenant's scope and the evaluation's transaction, which holds the day's row.
    """
    standing = {row.id: row for row in Alert.objects.filter(day=target.day, shard=target.shard)}
    found = {alert_id(tenant, content, target.day): content for content in contents}
    changes: list[AlertChange] = []
    for identifier, content in sorted(found.items()):
        row = standing.get(identifier)
        kind = (
            _create(tenant, identifier, content, target, now=now)
            if row is None
            else _amend(row, content, now=now)
        )
        if kind is not None:
            changes.append(_change(tenant, identifier, kind, content.severity, now=now))
    for identifier, row in sorted(standing.items()):
        if whole and identifier not in found and row.state == AlertState.OPEN:
            Alert.objects.filter(id=identifier).update(state=AlertState.WITHDRAWN)
            changes.append(_change(tenant, identifier, ChangeKind.WITHDRAWN, row.severity, now=now))
    AlertChange.objects.bulk_create(changes)
    return len(changes)


def _create(
    tenant: UUID, identifier: UUID, content: AlertContent, target: ShardDay, *, now: datetime
) -> ChangeKind:
    plain = _encode(content)
    Alert.objects.create(
        id=identifier,
        detection=content.detection,
        severity=content.severity,
        day=target.day,
        shard=target.shard,
        source_index=keys.blind_index(tenant, "source", content.source),
        destination_index=keys.blind_index(tenant, "destination", content.destination),
        content_digest=_digest(tenant, plain),
        opened_at=now,
        sealed=_sealed(tenant, identifier, content.detection, plain, now=now),
    )
    return ChangeKind.OPENED


def _amend(row: Alert, content: AlertContent, *, now: datetime) -> ChangeKind | None:
    plain = _encode(content)
    reopened = row.state != AlertState.OPEN
    digest = _digest(row.tenant_id, plain)
    if bytes(row.content_digest) == digest and not reopened:
        return None
    raised = content.severity > row.severity or not set(content.threats) <= set(
        open_alert(row).threats
    )
    Alert.objects.filter(id=row.id).update(
        state=AlertState.OPEN,
        severity=content.severity,
        content_digest=digest,
        sealed=_sealed(row.tenant_id, row.id, content.detection, plain, now=now),
    )
    if reopened:
        return ChangeKind.OPENED
    return ChangeKind.RAISED if raised else ChangeKind.UPDATED


def _digest(tenant: UUID, plain: bytes) -> bytes:
    """Return what tells a changed content; keyed, because it lies in clear beside a sealed one."""
    return keys.blind_index(tenant, "content", plain, length=32)


def _sealed(
    tenant: UUID, identifier: UUID, detection: str, plain: bytes, *, now: datetime
) -> bytes:
    return keys.seal(tenant, keys.FINDINGS, plain, "alert", identifier, detection, now=now)


def _change(
    tenant: UUID, alert: UUID, kind: ChangeKind, severity: int, *, now: datetime
) -> AlertChange:
    return AlertChange(
        tenant_id=tenant, id=uuid7(now), alert_id=alert, kind=kind, severity=severity
    )
