"""``GET /v1/account/status``: what an existing client asks before it does anything."""

from datetime import timedelta
from typing import Any

import numpy as np
from django.db.models import Sum
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.actions.effect import open_sketch
from analytics.ingest.events import KINDS
from analytics.models import SourceSketch, Window
from analytics.series import sketches
from analytics.series.shards import day_of
from tenants.apikeys import Scope
from tenants.auth import caller_of
from tenants.models import KeyIndex
from tenants.renderers import AlwaysJson
from tenants.scope import tenant_scope

UNLIMITED = timedelta(days=3650)
"""The expiry that a key without one shows: existing clients need a date."""


class AccountStatus(APIView):
    """The state of the caller's account."""

    scope = Scope.ACCOUNT
    content_negotiation_class = AlwaysJson

    def get(self, request: Request) -> Response:
        """Answer with the members that existing clients read, and the events kept by kind."""
        now = timezone.now()
        who = caller_of(request)
        key = KeyIndex.objects.get(id=who.key)
        with tenant_scope(who.tenant):
            registers = sketches.empty()
            for row in SourceSketch.objects.filter(day=day_of(now)):
                registers = sketches.merge(registers, np.frombuffer(open_sketch(row), np.uint8))
            kept = dict(
                Window.objects.order_by().values_list("kind").annotate(events=Sum("events"))
            )
        body: dict[str, Any] = {
            "today": _stamp(now),
            "registered": True,
            "expired": False,
            "expirationDate": _stamp(key.expires_at or now + UNLIMITED),
            "endpointsSeenToday": sketches.estimate(registers),
            "messages": [],
            "workspaceID": str(who.tenant),
            "eventsKept": {kind: kept.get(kind, 0) for kind in KINDS},
        }
        return Response(body)


def _stamp(moment: Any) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"
