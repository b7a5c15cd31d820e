"""What an audit pack says of keys, people and tenants as of now: registered here, for `audit`."""

import platform
from datetime import datetime

import django
from django.conf import settings
from django.db import connection

from audit import holding
from audit.leaves import instant
from audit.pack.sources import register
from audit.places import shown
from console.models import RecoverySheet, SignIn, Staff, TOTPDevice
from tenants.actions import rotation
from tenants.holds import held_among
from tenants.keys.inventory import inventory
from tenants.models import Tenant


def register_sources() -> None:
    """Register every source; called once, when the deployment is put together."""
    register("access_review", access_review)
    register("keys", keys)
    register("primitives", lambda _now: inventory())
    register("tenants", tenants)
    register("deployment", deployment)


def register_holds() -> None:
    """Let retention of the log ask which tenants are under a legal hold."""
    holding.register("legal holds", held_among)


def access_review(now: datetime) -> list[dict[str, object]]:
    """Return who has which role and devices, and when they last signed in and were active."""
    rows = []
    for person in Staff.objects.order_by("username"):
        last = SignIn.objects.filter(staff=person).order_by("-begun_at").first()
        rows.append(
            {
                "person": str(person.id),
                "role": person.role,
                "active": person.is_active,
                "created": instant(person.created_at),
                "enrolled": "" if person.enrolled_at is None else instant(person.enrolled_at),
                "authenticators": TOTPDevice.objects.filter(user=person, confirmed=True).count(),
                "recovery_sheets": RecoverySheet.objects.filter(user=person).count(),
                "must_replace_factor": person.must_replace_mfa,
                "last_sign_in": "" if last is None else instant(last.begun_at),
                "days_since": "" if last is None else (now - last.begun_at).days,
            }
        )
    return rows


def keys(_now: datetime) -> list[dict[str, object]]:
    """Return each version of the root key, its state, and how many keys it wraps."""
    return [
        {"version": str(each.name), "state": str(each.state), "keys": each.keys}
        for each in rotation.status()
    ]


def tenants(_now: datetime) -> dict[str, object]:
    """Return how many tenants there are in each state; an auditor needs no names."""
    counted: dict[str, int] = {}
    for state in Tenant.objects.values_list("state", flat=True):
        counted[str(state)] = counted.get(str(state), 0) + 1
    return dict(sorted(counted.items()))


def deployment(_now: datetime) -> dict[str, object]:
    """Return which product runs how: versions, and where checkpoints are kept outside."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        postgres = str(cursor.fetchone()[0])
    return {
        "settings": settings.SETTINGS_MODULE,
        "python": platform.python_version(),
        "django": django.get_version(),
        "postgresql": postgres,
        "places": ", ".join(shown(each) for each in settings.CHECKPOINT_PLACES) or "none",
        "archive": settings.AUDIT_ARCHIVE or "none",
    }
