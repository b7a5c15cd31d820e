"""Middleware: an outcome of a request that left no entry leaves one here, counted by the minute.

Deeds, reads and the denials of known keys and people are recorded where they happen. What remains
is what strangers and mistakes leave: a page that sends somebody away to sign in, a form or a body
that makes no sense, a failure of ours. Those are counted per route and minute, so that whoever
sends a million of them makes at most an entry a minute for each route, method and outcome. It is
the outermost layer, and hides no answer.
"""

import logging
from collections.abc import Callable

from django.db import Error as DatabaseError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, Resolver404, resolve, reverse
from django.utils import timezone

from audit.actors import ACTOR_ID_LIMIT, Actor
from audit.events import EventType
from audit.record import tally
from audit.witness import watching

SILENT = frozenset({"healthz", "readyz"})
"""Routes that probes ask each second, and that say nothing of anybody."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Methods that are counted by name; what a stranger invents is `OTHER`, one row for all."""
OTHER = "other"
DENIALS = frozenset({401, 403})
TOO_MANY = 429
FIRST_ERROR = 400

_log = logging.getLogger(__name__)


class Witness:
    """Count outcomes that nothing recorded."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on, and look at how it ended."""
        with watching() as seen:
            response = self.get_response(request)
        event = None if seen else outcome(response)
        route = "" if event is None else _route(request)
        if event is not None and route and route not in SILENT:
            method = request.method if request.method in METHODS else OTHER
            actor = Actor(kind="anonymous", id=f"{method} {route}"[:ACTOR_ID_LIMIT])
            now = timezone.now()  # noqa: TID251 -- the edge, like a view
            try:
                tally(event=event, actor=actor, tenant=None, now=now)
            except DatabaseError as error:  # the answer is a refusal or a failure already
                _log.error("an outcome was not recorded: %s", type(error).__name__)
        return response


def outcome(response: HttpResponseBase) -> EventType | None:
    """Return what an answer means that nobody recorded; None for what needs no entry."""
    if response.status_code == TOO_MANY:
        return EventType.REQUESTS_LIMITED
    if response.status_code in DENIALS or _leads_to_login(response):
        return EventType.REQUESTS_DENIED
    return EventType.REQUESTS_FAILED if response.status_code >= FIRST_ERROR else None


def _leads_to_login(response: HttpResponseBase) -> bool:
    location = response.headers.get("Location", "")
    if not location:
        return False
    try:
        return location.partition("?")[0] == reverse("console:login")
    except NoReverseMatch:  # a deployment without a console
        return False


def _route(request: HttpRequest) -> str:
    """Name the route; "" for a path that leads nowhere, which is no endpoint."""
    try:
        match = request.resolver_match or resolve(request.path_info)
    except Resolver404:
        return ""
    return match.route
