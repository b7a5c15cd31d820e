"""``GET /v1/account/status``: what an existing client asks before it does anything.

It answers an account whose time is over as well, to say so; ``p=`` and any other query is ignored.
"""

from datetime import timedelta
from typing import Any

from django.db.models import Sum
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.actions.ignored import ignored_fields
from analytics.actions.sources import sources_seen
from analytics.ingest.events import KINDS
from analytics.models import Window
from analytics.series.shards import day_of
from tenants.apikeys import Scope
from tenants.auth import caller_of
from tenants.models import KeyIndex
from tenants.renderers import AlwaysJson
from tenants.scope import tenant_scope
from tenants.standing import standing

UNLIMITED = timedelta(days=3650)
"""The expiry that a key without one shows: existing clients need a date."""


class AccountStatus(APIView):
    """The state of the caller's account."""

    scope = Scope.ACCOUNT
    serves_expired = True
    content_negotiation_class = AlwaysJson

    def get(self, request: Request) -> Response:
        """Answer with the members that existing clients read, and what became of the events.

        ``ignoredFields`` counts today's fields that no event has, by kind and name.
        """
        now = timezone.now()
        who = caller_of(request)
        key = KeyIndex.objects.select_related("tenant").get(id=who.key)
        with tenant_scope(who.tenant):
            account = standing(key, now=now)
            seen = sources_seen(day=day_of(now))
            ignored = ignored_fields(day=day_of(now))
            kept = dict(
                Window.objects.order_by().values_list("kind").annotate(events=Sum("events"))
            )
        body: dict[str, Any] = {
            "today": _stamp(now),
            "registered": account.is_registered,
            "expired": account.is_expired,
            "expirationDate": _stamp(account.expires_at or now + UNLIMITED),
            "endpointsSeenToday": seen,
            "messages": account.messages,
            "workspaceID": str(who.tenant),
            "eventsKept": {kind: kept.get(kind, 0) for kind in KINDS},
            "ignoredFields": ignored,
            "key": _terms(key),
            "limits": account.limits,
        }
        return Response(body)


def _terms(key: KeyIndex) -> dict[str, Any]:
    return {
        "id": key.id,
        "label": key.label,
        "scopes": key.scopes,
        "expiresAt": _stamp(key.expires_at) if key.expires_at else None,
    }


def _stamp(moment: Any) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"
