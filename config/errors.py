"""What a failure of ours looks like at each door."""

from django.http import HttpRequest, HttpResponse

from console.errors import server_error as console_server_error
from tenants.problems import problem

EVENTS = "/v1/events/"
RETRY_SECONDS = 30
"""Retry-After of a failed ingest: a restart takes some ten seconds."""


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 where events are sent, so that every client keeps them (contract); else 500."""
    if request.path.startswith(EVENTS):
        message = "The events could not be taken; send them again."
        return problem(503, message, "unavailable", retry_after=RETRY_SECONDS)
    return console_server_error(request)
