"""Tenants as staff list them: what is in clear of each, counted, and nothing of theirs opened."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from console.engine import counts
from console.engine.overview import ENDS_SOON, HEARD_DAYS, SILENT_AFTER, heard_at
from console.engine.traffic import traffic
from tenants.models import Tenant, TenantState, Work, WorkState

TENANTS_PER_PAGE = 50
EXPORTED_AT_ONCE = 500
ALERT_DAYS = 30
"""Days of alerts that a row counts; the tenant's own page has them all."""
HEARD = (("silent", "silent"), ("sending", "sending"), ("never", "not heard for a week"))
KEYS = (("ending", "a key ends within a week"), ("none", "no live key"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What is looked for; what is empty does not narrow."""

    q: str = ""
    state: str = ""
    plan: str = ""
    heard: str = ""
    keys: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantRow:
    """A tenant as the list shows it; `keys` are API keys neither revoked nor expired.

    `hearing` is sending, silent or never; alerts are of the last `ALERT_DAYS` days.
    """

    id: UUID
    name: str
    state: str
    plan: str
    created_at: datetime
    keys: int
    keys_ending: int
    heard: datetime | None
    hearing: str
    events_today: int
    waiting: int
    dead: int
    alerts: int
    open_alerts: int
    worst: int


def tenant_rows(sought: Sought, *, after: str, now: datetime) -> tuple[list[TenantRow], str | None]:
    """Return a page of tenants by name behind `after`, and the name that the next page is behind.

    Each tenant's alerts and use are counted in that tenant's own scope; no column of them is read.
    """
    heard = traffic(now=now).heard
    found = list(_fitting(sought, heard, now=now).filter(name__gt=after)[: TENANTS_PER_PAGE + 1])
    rows = _rows(found[:TENANTS_PER_PAGE], heard, now=now)
    return rows, (rows[-1].name if len(found) > TENANTS_PER_PAGE else None)


def every_row(sought: Sought, *, now: datetime) -> Iterator[TenantRow]:
    """Yield every fitting tenant by name, read some at a time."""
    heard = traffic(now=now).heard
    fitting, after = _fitting(sought, heard, now=now), ""
    while True:
        batch = list(fitting.filter(name__gt=after)[:EXPORTED_AT_ONCE])
        yield from _rows(batch, heard, now=now)
        if len(batch) < EXPORTED_AT_ONCE:
            return
        after = batch[-1].name


def _fitting(sought: Sought, heard: Mapping[UUID, datetime], *, now: datetime) -> QuerySet[Tenant]:
    live = Q(keys__revoked_at=None) & (Q(keys__expires_at=None) | Q(keys__expires_at__gt=now))
    ending = live & Q(keys__expires_at__lte=now + ENDS_SOON)
    rows = Tenant.objects.annotate(
        live_keys=Count("keys", filter=live), ending_keys=Count("keys", filter=ending)
    ).order_by("name")
    if sought.q:
        rows = rows.filter(Q(name__icontains=sought.q) | id_begins(sought.q))
    if sought.state:
        rows = rows.filter(state=sought.state)
    if sought.plan:
        rows = rows.filter(plan=sought.plan)
    if sought.keys == "ending":
        rows = rows.filter(ending_keys__gt=0, state=TenantState.ACTIVE)
    elif sought.keys == "none":
        rows = rows.filter(live_keys=0)
    if sought.heard:
        rows = rows.filter(id__in=_heard_as(sought.heard, heard, now=now))
    return rows


def _heard_as(wanted: str, heard: Mapping[UUID, datetime], *, now: datetime) -> list[UUID]:
    tenants = list(Tenant.objects.only("id", "state"))
    days = counts.usage([each.id for each in tenants], since=_week_before(now))
    return [
        each.id
        for each in tenants
        if hearing(each, heard_at(heard, days, each.id), now=now) == wanted
    ]


def _week_before(now: datetime) -> date:
    return now.astimezone(UTC).date() - timedelta(days=HEARD_DAYS)


def id_begins(text: str) -> Q:
    """Return what fits a UUID that begins with the hexadecimal digits of `text`; else nothing."""
    digits = text.replace("-", "").lower()
    if not 4 <= len(digits) <= 32 or not set(digits) <= set("0123456789abcdef"):
        return Q(pk__in=[])
    return Q(id__gte=UUID(digits.ljust(32, "0")), id__lte=UUID(digits.ljust(32, "f")))


def _rows(
    tenants: Sequence[Tenant], heard: Mapping[UUID, datetime], *, now: datetime
) -> list[TenantRow]:
    ids = [tenant.id for tenant in tenants]
    if not ids:
        return []
    today = now.astimezone(UTC).date()
    alerts = counts.alerts(ids, since=today - timedelta(days=ALERT_DAYS - 1))
    used = counts.usage(ids, since=_week_before(now))
    work = {
        row["tenant_id"]: row
        for row in Work.objects.filter(tenant_id__in=ids)
        .values("tenant_id")
        .annotate(
            waiting=Count("id", filter=Q(state__in=Work.UNFINISHED)),
            dead=Count("id", filter=Q(state=WorkState.DEAD)),
        )
    }
    made = []
    for tenant in tenants:
        at = heard_at(heard, used, tenant.id)
        seen = alerts.get(tenant.id, counts.Alerts())
        states = work.get(tenant.id, {})
        made.append(
            TenantRow(
                id=tenant.id,
                name=tenant.name,
                state=tenant.state,
                plan=tenant.plan,
                created_at=tenant.created_at,
                keys=tenant.live_keys,  # type: ignore[attr-defined] # annotated
                keys_ending=tenant.ending_keys,  # type: ignore[attr-defined] # annotated
                heard=at,
                hearing=hearing(tenant, at, now=now),
                events_today=events_on(today, used.get(tenant.id, ())),
                waiting=states.get("waiting", 0),
                dead=states.get("dead", 0),
                alerts=seen.every,
                open_alerts=seen.open,
                worst=max(seen.still_open, default=0),
            )
        )
    return made


def hearing(tenant: Tenant, heard: datetime | None, *, now: datetime) -> str:
    """Say whether a tenant is sending, silent, or was never heard within a week."""
    if heard is None:
        return "never"
    return "silent" if tenant.is_active and now - heard > SILENT_AFTER else "sending"


def events_on(day: date, days: Sequence[counts.DayUse]) -> int:
    """Return the events of one of the days, 0 where nothing was sent."""
    return next((use.events for use in days if use.day == day), 0)
