"""Accepting a request: sealed and committed before anybody hears 200."""

from collections.abc import Iterable
from datetime import datetime

from analytics.ingest.events import Kind
from analytics.ingest.parts import Part
from analytics.models import InboxPart
from analytics.series import store
from audit.actors import Actor
from audit.events import EventType
from audit.record import tally
from crypto.ids import uuid7
from tenants import limits, offers, repeats
from tenants.auth import Caller
from tenants.models import Work
from tenants.scope import tenant_scope

QUEUE = "ingest"
MAX_WAITING = 2_000
"""Requests of one tenant that may wait for effect: at 65,536 events each, a day of a busy network.
Past it the answer is 503, so that a client keeps what we could not yet work on."""


def is_overloaded(caller: Caller) -> bool:
    """Say whether the tenant's backlog is full."""
    waiting = Work.objects.filter(tenant_id=caller.tenant, queue=QUEUE, state__in=Work.UNFINISHED)
    return waiting[: MAX_WAITING + 1].count() > MAX_WAITING


def seal_request(
    *, caller: Caller, kind: Kind, parts: Iterable[Part], now: datetime
) -> list[InboxPart]:
    """Seal the parts of a request as they are read, so that no more than one lies open."""
    work = uuid7(now)
    return [
        store.seal_part(caller.tenant, work=work, number=number, kind=kind, part=part, now=now)
        for number, part in enumerate(parts)
    ]


def accept_request(
    *,
    caller: Caller,
    parts: list[InboxPart],
    octets: int,
    now: datetime,
    claim: repeats.Claim | None = None,
) -> bytes | None:
    """Commit a request's parts, its row of work and its audit tally in one transaction.

    ``octets`` are those that were received. The hint to the workers goes out on commit. A request
    of which nothing was accepted counts as a call without events, and makes no work. So does one
    that comes again by its ``claim``: what was answered to it before is returned, else None.

    Raises `Limited` where another request filled the tenant's day meanwhile, and what
    `repeats.earlier` raises.
    """
    with tenant_scope(caller.tenant):
        earlier = None if claim is None else repeats.earlier(claim, now=now)
        if earlier is not None:
            parts = []
        events = sum(part.events for part in parts)
        if parts:
            store.insert(parts)
            offers.add_work(
                tenant=caller.tenant,
                queue=QUEUE,
                due_at=now,
                events=events,
                now=now,
                work_id=parts[0].work_id,
            )
        limits.charge(caller, events=events, octets=octets, now=now)
        tally(
            event=EventType.EVENTS_ACCEPTED,
            actor=Actor(kind="key", id=caller.key),
            tenant=caller.tenant,
            now=now,
            calls=1,
            items=events,
        )
    return earlier
