"""How much a key and a tenant may ask.

Two kinds of bound. Requests and octets a second are token buckets in Valkey, of the key and of all
of the tenant's; where Valkey is away they do not bound (and a log line says so once a minute),
because telemetry that is turned away is worse than a burst. Events a day are counted in PostgreSQL,
in the transaction that accepts them, so that what is taken is exactly what is counted.

Answers carry ``RateLimit-Policy`` and ``RateLimit`` (draft-ietf-httpapi-ratelimit-headers-10); a
refusal has Retry-After too. Where events are sent it is 503, never 429: existing clients drop a
batch on the latter.
"""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest
from django.utils import timezone
from redis import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from tenants import refusals
from tenants.auth import OTHERS, Caller
from tenants.buckets import Bucket, Level, connected, take
from tenants.errors import Limited
from tenants.models import UsageDay
from tenants.plans import Limits, Plan, Rate
from tenants.scope import current_tenant, tenant_scope

log = logging.getLogger(__name__)

EVENTS = "events"
"""The door where telemetry comes in; every other door shares the other buckets."""
REQUESTS = "requests"
OCTETS = "content-bytes"  # the draft's name of the unit
DAY_SECONDS = 86_400
REST = timedelta(seconds=1)
"""How long Valkey is not asked after it was away: a request pays its time-out, a flood does not."""
LOGGED_EVERY = timedelta(minutes=1)

_ADD = """
INSERT INTO usage_day AS used (tenant_id, day, events, requests, octets)
VALUES (%s, %s, %s, 1, %s)
ON CONFLICT (tenant_id, day) DO UPDATE SET events = used.events + excluded.events,
    requests = used.requests + 1, octets = used.octets + excluded.octets
RETURNING events
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """A request that may go on; `headers` belong on its answer."""

    headers: Mapping[str, str] = field(default_factory=dict)


class _Away:
    """What this process knows of a Valkey that did not answer."""

    def __init__(self) -> None:
        self._until: datetime | None = None
        self._logged: datetime | None = None

    def rests(self, now: datetime) -> bool:
        return self._until is not None and self._until - REST <= now < self._until

    def note(self, error: RedisError, now: datetime) -> None:
        self._until = now + REST
        if self._logged is None or not self._logged <= now < self._logged + LOGGED_EVERY:
            self._logged = now
            log.warning("rate limits do not hold while Valkey is away: %s", type(error).__name__)


_away = _Away()


def of_plan(plan: Plan) -> Limits:
    """Return the numbers of a plan."""
    limits: Limits = settings.LIMITS[plan]
    return limits


def check(caller: Caller, *, door: str, now: datetime) -> Allowance:
    """Count a request before its body is read; return what its answer says of the limits.

    `door` is `EVENTS` or any other word. Raises `Limited`: 503 at the events' door, else 429.
    """
    limits = of_plan(caller.plan)
    if door == EVENTS and limits.events_a_day is not None:
        with tenant_scope(caller.tenant):
            used = used_today(now=now)
        if used >= limits.events_a_day:
            refusals.count(caller.tenant, caller.key, now=now)
            raise _day_is_full(limits.events_a_day, now=now)
    buckets = _buckets(caller, limits, door=door, requests=1)
    given, levels = _take(buckets, now=now)
    headers = _headers(levels)
    if not given:
        refusals.count(caller.tenant, caller.key, now=now)
        exact = max(level.wait for level in levels)
        wait = max(1, math.ceil(exact))
        message = f"Too many requests or octets of this key or account; come again in {wait} s."
        raise Limited(message, status=_status(door), retry_after=wait, headers=headers, wait=exact)
    return Allowance(headers=headers)


def check_of(
    request: Request | HttpRequest, caller: Caller, *, door: str, now: datetime
) -> Allowance:
    """Count a request, see `check`; one refused is remembered by its credential (`refusals`)."""
    try:
        return check(caller, door=door, now=now)
    except Limited as refusal:
        authorization = request.META.get("HTTP_AUTHORIZATION", "")
        refusals.hold(
            authorization, refusal, door=door, tenant=caller.tenant, key=caller.key, now=now
        )
        raise


def charge(caller: Caller, *, events: int, octets: int, now: datetime) -> None:
    """Count what a request brought, inside the scope and transaction that accept it.

    `octets` are those received. Call it right before the audit tally: both rows stay locked until
    the commit. Raises `Limited` (503) where another request filled the day meanwhile; the request
    that crosses the bound is taken whole, or a client that merges its batches would never get
    through.
    """
    limits = of_plan(caller.plan)
    with connection.cursor() as cursor:
        cursor.execute(_ADD, [current_tenant(), _day(now), events, octets])
        total = cursor.fetchone()[0]
    bound = limits.events_a_day
    if bound is not None and events and total - events >= bound:
        raise _day_is_full(bound, now=now)
    owed = _buckets(caller, limits, door=EVENTS, octets=octets)
    transaction.on_commit(lambda: _charge_octets(owed, now=now))


def used_today(*, now: datetime) -> int:
    """Return how many events the open scope's tenant had accepted on the UTC day of `now`."""
    row = UsageDay.objects.filter(day=_day(now)).first()
    return row.events if row is not None else 0


class Throttle(BaseThrottle):
    """REST framework's door to `check`: every view behind a key is counted at the other doors."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Let the request pass, or raise `Limited`; the fields go on the view's answer."""
        who: Any = request.user
        if isinstance(who, Caller):  # a view may be open to all
            now = timezone.now()  # noqa: TID251 -- the framework's view layer
            door = getattr(view, "door", OTHERS)
            view.headers.update(check_of(request, who, door=door, now=now).headers)
        return True


def _charge_octets(buckets: Sequence[Bucket], *, now: datetime) -> None:
    _take(buckets, now=now, charged=True)


def _take(
    buckets: Sequence[Bucket], *, now: datetime, charged: bool = False
) -> tuple[bool, list[Level]]:
    if _away.rests(now):
        return True, []
    try:
        return take(connected(settings.CACHE_URL), buckets, now=now, charged=charged)
    except RedisError as error:
        _away.note(error, now)
        return True, []


def _buckets(
    caller: Caller, limits: Limits, *, door: str, requests: int = 0, octets: int = 0
) -> list[Bucket]:
    """Name the four buckets of a request; the braces keep a tenant's on one node of a cluster."""
    family = EVENTS if door == EVENTS else OTHERS
    tenant = f"limit:{{{caller.tenant}}}:{family}"
    key = f"{tenant}:{caller.key}"

    def bucket(name: str, rate: Rate, cost: float) -> Bucket:
        return Bucket(name=name, rate=rate, cost=cost)

    return [
        bucket(f"{key}:{REQUESTS}", limits.key_requests, requests),
        bucket(f"{tenant}:{REQUESTS}", limits.tenant_requests, requests),
        bucket(f"{key}:{OCTETS}", limits.key_octets, octets),
        bucket(f"{tenant}:{OCTETS}", limits.tenant_octets, octets),
    ]


def _headers(levels: Sequence[Level]) -> dict[str, str]:
    """Write the fields: of each unit, the bucket that has the smaller share left."""
    if not levels:
        return {}
    units = ((REQUESTS, levels[:2]), (OCTETS, levels[2:]))
    policies, standings = [], []
    for unit, pair in units:
        least = max(pair, key=lambda level: level.owed / level.bucket.rate.window)
        rate = least.bucket.rate
        said = "" if unit == REQUESTS else f';qu="{unit}"'
        policies.append(f'"{unit}";q={int(rate.burst)};w={math.ceil(rate.window)}{said}')
        standings.append(f'"{unit}";r={least.remaining};t={math.ceil(least.owed)}')
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(standings)}


def _day_is_full(bound: int, *, now: datetime) -> Limited:
    passed = now.timestamp() % DAY_SECONDS
    wait = max(1, math.ceil(DAY_SECONDS - passed))
    return Limited(
        f"The {bound:,} events of this account's day are used; more are taken from 00:00 UTC.",
        status=503,
        retry_after=wait,
        headers={
            "RateLimit-Policy": f'"events";q={bound};w={DAY_SECONDS};qu="events"',
            "RateLimit": f'"events";r=0;t={wait}',
        },
    )


def _status(door: str) -> int:
    return 503 if door == EVENTS else 429


def _day(now: datetime) -> date:
    return now.astimezone(UTC).date()
