"""``GET /v1/ae/inventory/{flags,threats}``: the vocabulary that alerts use."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics import catalogue
from destinations import flags
from tenants.apikeys import Scope
from tenants.renderers import AlwaysJson


class Flags(APIView):
    """Every flag that an alert's ``wisdom.flags`` may hold."""

    scope = Scope.ALERTS
    content_negotiation_class = AlwaysJson
    http_method_names = ["get", "head"]

    def get(self, request: Request) -> Response:  # noqa: ARG002 -- the framework's signature
        """Answer with title and type by name."""
        entries = {flag.name: {"title": flag.title, "type": flag.type} for flag in flags.FLAGS}
        return Response({"flags": entries})


class Threats(APIView):
    """Every threat that an alert may name."""

    scope = Scope.ALERTS
    content_negotiation_class = AlwaysJson
    http_method_names = ["get", "head"]

    def get(self, request: Request) -> Response:  # noqa: ARG002 -- the framework's signature
        """Answer with title, severity and policy by id."""
        entries = {
            name: {"title": t.title, "severity": t.severity, "policy": t.policy}
            for name, t in catalogue.threats().items()
        }
        return Response({"threats": entries, "version": catalogue.VERSION})
