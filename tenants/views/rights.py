"""``/v1/account/retention`` and ``/v1/account/research``: what a tenant says of its own rows."""

from typing import Any, cast

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit.actors import Actor
from tenants import holds, research, terms
from tenants.apikeys import Scope
from tenants.auth import caller_of
from tenants.bodies import read_object
from tenants.renderers import AlwaysJson


class Retention(APIView):
    """How long the caller's series and alerts are kept, in days from receipt."""

    scope = Scope.CONFIGURE
    content_negotiation_class = AlwaysJson
    http_method_names = ["get", "head", "put"]

    def get(self, request: Request) -> Response:
        """Answer with the terms that hold, their bounds, and whether a legal hold suspends them."""
        return Response(_terms(request))

    def put(self, request: Request) -> Response:
        """Put the account on terms; what is past them goes within a day."""
        who = caller_of(request)
        wanted = terms.read_terms(read_object(cast("HttpRequest", request)))
        terms.change(
            tenant=who.tenant,
            terms=wanted,
            actor=Actor(kind="key", id=who.key),
            now=timezone.now(),
        )
        return Response(_terms(request))


class Research(APIView):
    """Whether the caller's series may be used, de-identified, for research."""

    scope = Scope.CONFIGURE
    content_negotiation_class = AlwaysJson
    http_method_names = ["get", "head", "put"]

    def get(self, request: Request) -> Response:
        """Answer with what the account says."""
        return Response(_research(request))

    def put(self, request: Request) -> Response:
        """Give or withdraw consent; withdrawn, it ends an export that is running too."""
        who = caller_of(request)
        research.change(
            tenant=who.tenant,
            allowed=research.read_consent(read_object(cast("HttpRequest", request))),
            actor=Actor(kind="key", id=who.key),
            now=timezone.now(),
        )
        return Response(_research(request))


def _terms(request: Request) -> dict[str, Any]:
    tenant = caller_of(request).tenant
    own = terms.of_tenant(tenant)
    return {
        "seriesDays": own.series_days,
        "alertsDays": own.alerts_days,
        "limits": {
            "seriesDays": [terms.LEAST_SERIES_DAYS, terms.SERIES_DAYS],
            "alertsDays": [terms.LEAST_ALERTS_DAYS, terms.ALERTS_DAYS],
        },
        "held": holds.is_held(tenant),
    }


def _research(request: Request) -> dict[str, Any]:
    row = research.consent_of(caller_of(request).tenant)
    since = None if row is None else f"{row.given_at:%Y-%m-%dT%H:%M:%S.%fZ}"
    return {"allowed": row is not None, "since": since}
