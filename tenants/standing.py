"""Where an account stands, as its clients are told: its terms, its use, what there is to do."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tenants.limits import of_plan, used_today
from tenants.models import KeyIndex, Member
from tenants.plans import Plan

INFO, WARNING, ERROR = 1, 2, 3  # levels that existing clients know
SOON = timedelta(days=7)
"""How long before its end an account or key warns of it: long enough for a holiday."""
NEARLY = 0.8
"""The share of a day's events at which a message says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An account as its status says it."""

    is_registered: bool
    is_expired: bool
    expires_at: datetime | None
    messages: list[dict[str, Any]]
    limits: dict[str, Any]


def standing(key: KeyIndex, *, now: datetime) -> Standing:
    """Say where the account of a key stands, inside its tenant's scope; `key` has its tenant."""
    tenant = key.tenant
    limits = of_plan(Plan(tenant.plan))
    used = used_today(now=now)
    ends = [end for end in (key.expires_at, tenant.expires_at) if end is not None]
    allowed: dict[str, Any] = {
        "plan": tenant.plan,
        "requestsPerSecond": limits.key_requests.per_second,
        "octetsPerSecond": limits.key_octets.per_second,
        "eventsToday": used,
    }
    if limits.events_a_day is not None:
        allowed["eventsPerDay"] = limits.events_a_day
    messages = [
        *_about_registration(is_registered=tenant.is_registered),
        *_about_end("account", tenant.expires_at, now=now),
        *_about_end("API key", key.expires_at, now=now),
        *_about_use(used, limits.events_a_day),
    ]
    return Standing(
        is_registered=tenant.is_registered,
        is_expired=tenant.is_expired(now=now),
        expires_at=min(ends, default=None),
        messages=messages,
        limits=allowed,
    )


def _message(level: int, body: str) -> dict[str, Any]:
    return {"level": level, "body": body}


def _about_registration(*, is_registered: bool) -> list[dict[str, Any]]:
    if is_registered:
        return []
    if Member.objects.filter(verified_at=None).exists():
        return [_message(INFO, "Open the link mailed to you to finish the registration.")]
    return [_message(INFO, "Register this account with your name and e-mail address.")]


def _about_end(what: str, end: datetime | None, *, now: datetime) -> list[dict[str, Any]]:
    if end is None or end > now + SOON:
        return []
    if end <= now:
        return [_message(ERROR, f"The {what} has expired.")]
    days = -(-(end - now) // timedelta(days=1))
    unit = "day" if days == 1 else "days"
    return [_message(WARNING, f"The {what} expires in {days} {unit}.")]


def _about_use(used: int, bound: int | None) -> list[dict[str, Any]]:
    if bound is None or used < NEARLY * bound:
        return []
    share = min(100, 100 * used // bound)
    return [_message(WARNING, f"{share} % of today's {bound:,} events are used.")]
