"""An alert with canaries in it, and a grant that opens it, for the console's tests."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
from django.db import connection

from analytics.actions.findings import AlertContent, Explained
from analytics.models import Alert
from tenants import grants, keys
from tenants.grants import Grant, GrantScope
from tenants.scope import tenant_scope
from tests.console.people import SHELL

SOURCE, DESTINATION, USER = "10.66.77.88", "198.51.100.177", "canary-user"
EVIDENCE, REASON = "canary-evidence", "canary-reason"
CANARIES = tuple(each.encode() for each in (SOURCE, DESTINATION, USER, EVIDENCE, REASON))


def database_now() -> datetime:
    """Return the time by which PostgreSQL judges grants, wherever the test's clock stands."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        at: datetime = cursor.fetchone()[0]
        return at


def an_alert(tenant: UUID, *, days_ago: int = 0, **changed: Any) -> UUID:
    """Make an alert of a tenant; return its id."""
    now = database_now()
    keys.make_tenant_keys(tenant, now=now)
    keys.prepare(tenant, keys.FINDINGS, now=now)
    at = int(now.timestamp() * 1e9)
    content = AlertContent(
        **{
            "detection": "beacon_rare",
            "threats": ["beacon_rare"],
            "severity": 3,
            "score": 7_250,
            "direction": "out",
            "kind": "ip",
            "source": SOURCE,
            "destination": DESTINATION,
            "first": at,
            "last": at,
            "count": 48,
            "contributions": [
                Explained(
                    feature="regularity", value=0.98, baseline=0.5, points=7_250, reason=REASON
                )
            ],
            "evidence": {"periods": [60, 60], "note": EVIDENCE},
            "digest": "ab" * 32,
            "flags": ["beacon"],
            "labels": [],
            "domain": "",
            "event": {"srcIP": SOURCE, "user": USER},
            "versions": {"catalogue": "1.0"},
            **changed,
        }
    )
    identifier = uuid4()
    sealed = keys.seal(
        tenant,
        keys.FINDINGS,
        msgspec.json.encode(content),
        "alert",
        identifier,
        content.detection,
        now=now,
    )
    with tenant_scope(tenant):
        Alert.objects.create(
            id=identifier,
            detection=content.detection,
            severity=content.severity,
            day=datetime.fromordinal(now.date().toordinal() - days_ago).date(),
            shard=0,
            source_index=bytes(16),
            destination_index=bytes(16),
            content_digest=bytes(32),
            opened_at=now,
            sealed=sealed,
        )
    return identifier


def a_grant(tenant: UUID, staff: UUID, *scopes: GrantScope, minutes: int = 30) -> Grant:
    """Open a grant; without scopes it opens alerts."""
    return grants.open_grant(
        tenant=tenant,
        staff=staff,
        scopes=scopes or (GrantScope.ALERTS,),
        reason="a false alarm",
        ticket="T-1",
        minutes=minutes,
        actor=SHELL,
        now=database_now(),
    )
