"""From events to alerts by the product's own functions, one step at a time."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from analytics.actions.accept import accept_request, seal_request
from analytics.actions.days import OWED_QUEUE, QUEUE as ANALYSE, schedule_again
from analytics.actions.effect import take_effect
from analytics.actions.evaluation import evaluate_day
from analytics.actions.sequencing import sequence_alerts
from analytics.ingest.bodies import Receipt
from analytics.ingest.echo import event_of
from analytics.ingest.events import IP, Kind
from analytics.ingest.parts import pack_parts
from analytics.models import Alert, AlertChange, EvaluationDay, Segment
from analytics.series import store
from analytics.wisdom_client import Answer
from destinations.report import Destination, Reason, Report
from tenants.auth import Caller
from tenants.models import Lease, Work, WorkState
from tenants.models.work import claim
from tenants.scope import tenant_scope

Events = Sequence[dict[str, Any]]
MINUTES = timedelta(minutes=5)
BAD = "198.51.100.66"
BAD_NAME = "bad.example"


def noon(now: datetime) -> datetime:
    """Noon two days ago: an hour that every rule calls closed."""
    return (now - timedelta(days=2)).replace(hour=12, minute=0, second=0, microsecond=0)


def nothing_listed(_destinations: frozenset[Destination]) -> bool:
    """A Wisdom that knows of nothing listed."""
    return False


def unknown(_destinations: frozenset[Destination]) -> Answer:
    """A Wisdom that has no report on anything."""
    return Answer(reports={}, owed=frozenset())


def silent(destinations: frozenset[Destination]) -> Answer:
    """A Wisdom that does not answer."""
    return Answer(reports={}, owed=destinations)


def reporting(*flags: str, points: int = 5_000) -> Callable[[frozenset[Destination]], Answer]:
    """A Wisdom that reports `BAD` and `BAD_NAME` under flags."""

    def ask(destinations: frozenset[Destination]) -> Answer:
        return Answer(
            reports={
                each: Report(
                    destination=each,
                    flags=flags,
                    labels=(),
                    domain="",
                    score=points,
                    verdict="malicious",
                    reasons=tuple(
                        Reason(
                            source="list",
                            title="A list",
                            kind="feed",
                            points=points,
                            flag=flag,
                            indicator=each.value,
                        )
                        for flag in flags
                    ),
                    ttl=60,
                    snapshot="s1",
                    psl="p1",
                )
                for each in destinations
                if each.value in {BAD, BAD_NAME}
            },
            owed=frozenset(),
        )

    return ask


@dataclass
class Engine:
    """One tenant's engine."""

    tenant: UUID
    now: datetime
    wisdom: Callable[[frozenset[Destination]], Answer] = field(default=unknown)

    def event(self, number: int = 0, **fields: Any) -> dict[str, Any]:
        """Return a connection of its own; equal numbers make equal events."""
        at = noon(self.now) + timedelta(seconds=number)
        return {
            "ts": at.astimezone(UTC).isoformat(),
            "srcIP": "10.0.0.1",
            "destIP": "203.0.113.7",
            "destPort": 443,
            "proto": "tcp",
            "connState": "SF",
            "bytesIn": 100,
            "bytesOut": 100,
            **fields,
        }

    def accept(self, events: Events, *, kind: Kind = IP) -> UUID:
        """Accept a request; return its work."""
        body = "".join(json.dumps(each) for each in events).encode()
        now = int(self.now.timestamp() * 10**9)
        packed = pack_parts([body], "", kind, Receipt(), now=now)
        caller = Caller(tenant=self.tenant, key="k")
        parts = seal_request(caller=caller, kind=kind, parts=packed, now=self.now)
        accept_request(caller=caller, parts=parts, octets=len(body), now=self.now)
        return parts[0].work_id

    def lease(self, work: UUID) -> Lease:
        """Claim work that can be claimed."""
        lease = claim(work, lease=MINUTES)
        assert lease is not None
        return lease

    def send(self, events: Events, *, kind: Kind = IP) -> int:
        """Accept a request and give it its effect; return how many events were new."""
        lease = self.lease(self.accept(events, kind=kind))
        return take_effect(lease, listed=nothing_listed, now=self.now)

    def kept(self, kind: Kind = IP) -> Counter[str]:
        """Count the events of the series, each as text."""
        with tenant_scope(self.tenant):
            tables = [
                store.open_segment(row, kind) for row in Segment.objects.filter(kind=kind.name)
            ]
        return Counter(
            json.dumps(event_of(table, row, kind), sort_keys=True)
            for table in tables
            for row in range(table.num_rows)
        )

    def due(self) -> list[UUID]:
        """Make every evaluation due and return their work."""
        waiting = Work.objects.filter(queue__in=(ANALYSE, OWED_QUEUE), state=WorkState.PENDING)
        waiting.update(due_at=self.now)
        return list(waiting.order_by("created_at", "id").values_list("id", flat=True))

    def evaluate(self) -> int:
        """Evaluate every day that waits; return how many alerts changed."""
        return sum(
            evaluate_day(self.lease(work), wisdom=self.wisdom, now=self.now) for work in self.due()
        )

    def evaluate_again(self) -> int:
        """Put every day up for another look, and look."""
        with tenant_scope(self.tenant):
            for row in EvaluationDay.objects.all():
                schedule_again(tenant=self.tenant, row=row, due_at=self.now, now=self.now)
                row.save(update_fields=["work_id"])
        return self.evaluate()

    def alerts(self) -> list[Alert]:
        """Return the alerts by id."""
        with tenant_scope(self.tenant):
            return list(Alert.objects.order_by("id"))

    def changes(self) -> list[tuple[int | None, str]]:
        """Return place and kind of each change, in the order of places."""
        with tenant_scope(self.tenant):
            rows = AlertChange.objects.order_by("seq", "id").values_list("seq", "kind")
            return [(seq, str(kind)) for seq, kind in rows]

    def sequence(self) -> int:
        """Place what has settled; return how many were placed."""
        return sequence_alerts(now=self.now)


def in_turn(events: Events, sizes: Iterable[int]) -> list[list[dict[str, Any]]]:
    """Cut events into requests of the given sizes, and one of the rest."""
    cuts, rest = [], list(events)
    for size in sizes:
        cuts.append(rest[:size])
        rest = rest[size:]
    return [cut for cut in [*cuts, rest] if cut]
