"""What a failure of ours looks like at each door."""

import logging
import sys
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from console.errors import WORDS, error_page, is_console_path, server_error as console_server_error
from tenants.errors import KeyUnavailable
from tenants.problems import KEY_RETRY_SECONDS, problem
from tenants.views.pages import refused

log = logging.getLogger(__name__)

EVENTS = "/v1/events/"
RETRY_SECONDS = 30
"""Retry-After of a failed ingest: a restart takes some ten seconds."""


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 where events are sent, so that every client keeps them (contract); else 500.

    A key that is not available is 503 everywhere: nothing is wrong with the request, and what it
    asked for was not done unsealed instead.
    """
    error = sys.exc_info()[1]  # the framework calls this while it handles what was raised
    if isinstance(error, KeyUnavailable):
        return key_unavailable(request, error)
    if request.path.startswith(EVENTS):
        message = "The events could not be taken; send them again."
        return problem(503, message, "unavailable", retry_after=RETRY_SECONDS)
    return console_server_error(request)


def key_unavailable(request: HttpRequest, error: KeyUnavailable) -> HttpResponse:
    """Answer 503 and when to come again, as a page where people look."""
    log.warning("a request found no key: %s", type(error).__name__)
    status = HTTPStatus.SERVICE_UNAVAILABLE
    if is_console_path(request.path_info):
        response = error_page(status)
        setattr(response, "_has_been_logged", True)  # noqa: B010 -- Django's own mark, not in its types
    else:
        response = refused(request, int(status), WORDS[status], KeyUnavailable.code)
    response["Retry-After"] = str(KEY_RETRY_SECONDS)
    response["Cache-Control"] = "no-store"
    return response
