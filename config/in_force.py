"""Which settings a deployment runs with, as one hash in the audit log each time it starts.

The hash is over names and values in a fixed order. What is secret, or differs with every start
(sockets, ports, passwords), is left out: the hash tells that something changed, and never what.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from audit.actors import Actor
from audit.events import EventType
from audit.models import Entry, Head
from audit.record import record
from audit.scope import all_tenants_audit
from crypto.digests import sha256

LEFT_OUT = frozenset(
    {
        "SECRET_KEY",
        "SECRET_KEY_FALLBACKS",
        "DATABASES",
        "CELERY_BROKER_URL",
        "CACHE_URL",
        "VALKEY_SOCKET",
        "EMAIL_HOST_PASSWORD",
        "KEY_PROVIDER_OPTIONS",
    }
)
LOOKED_BACK = 1 << 20
"""Entries among which the start before is looked for: the newest of the log."""


def settings_digest() -> str:
    """Return the hash, in hexadecimal, of the settings in force."""
    shown = {name: getattr(settings, name) for name in dir(settings) if _counts(name)}
    shown["DATABASES"] = {
        alias: {"NAME": each.get("NAME"), "OPTIONS": each.get("OPTIONS")}
        for alias, each in settings.DATABASES.items()
    }
    return sha256(json.dumps(shown, sort_keys=True, default=_written).encode()).hex()


def _counts(name: str) -> bool:
    return name.isupper() and name not in LEFT_OUT


def _written(value: Any) -> object:
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, Path):
        return str(value)
    return f"{type(value).__module__}.{type(value).__qualname__}"


def record_settings(*, actor: Actor, now: datetime) -> None:
    """Record the settings in force: loaded, or changed where the start before had others."""
    digest, before = settings_digest(), _before()
    changed = bool(before) and before != digest
    detail: dict[str, str | int] = {"settings_sha256": digest}
    if changed:
        detail["before_sha256"] = before
    event = EventType.CONFIGURATION_CHANGED if changed else EventType.CONFIGURATION_LOADED
    record(event=event, actor=actor, now=now, detail=detail)


def _before() -> str:
    events = (EventType.CONFIGURATION_LOADED.value, EventType.CONFIGURATION_CHANGED.value)
    with all_tenants_audit("reader", using="default"):
        head = Head.objects.first()
        least = 0 if head is None else head.size - LOOKED_BACK
        entry = Entry.objects.filter(event__in=events, idx__gte=least).order_by("-idx").first()
    return "" if entry is None else str(entry.content().detail["settings_sha256"])
