"""``GET /v1/wisdom?q=``: what Wisdom knows of one destination, for a tenant's own key.

What is asked reaches Wisdom under the engine's credential, merged with all else that the engine
asks; neither the tenant nor its key goes with it. Nothing keeps the question: the audit log counts.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.actions.reports import ask
from analytics.wisdom_client import answered_here
from analytics.wisdom_client.question import destination_of, written
from audit.actors import Actor
from audit.events import EventType
from audit.record import tally
from destinations.report import Destination, Reason, Report, Verdict
from tenants.apikeys import Scope
from tenants.auth import caller_of
from tenants.problems import problem
from tenants.renderers import AlwaysJson
from tenants.scope import tenant_scope

AT_ONCE = 2
"""Look-ups of one process that ask Wisdom at a time."""
INSIDE = 3
"""Look-ups of one process that ask or wait: the embedded Wisdom answers from the same four threads,
so that one of them must be left to it."""
PATIENCE = 0.5
"""Seconds that a look-up waits for its turn: the others need some hundredths."""
SOON, LATER = 1, 30
"""Retry-After where no turn came, and where Wisdom is away (its breaker rests 15 s)."""
NOTE = "Answered here: nobody outside can know this destination, so it was not asked about."

_turns = threading.BoundedSemaphore(AT_ONCE)
_seats = threading.BoundedSemaphore(INSIDE)


class LookupAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of one destination.

    ``flags`` is never absent; ``labels`` are ``flag:family``; ``score`` is the exact sum of the
    reasons' points, in hundredths up to 10000; ``ttl`` is for how many seconds the report held when
    it was made; ``snapshot`` names the lists it rests on and is empty where none were asked.
    """

    destination: Destination
    flags: tuple[str, ...]
    labels: tuple[str, ...]
    domain: str
    score: int
    verdict: Verdict
    reasons: tuple[Reason, ...]
    ttl: int
    snapshot: str
    note: str | msgspec.UnsetType = msgspec.UNSET


class WisdomLookup(APIView):
    """One destination's report."""

    scope = Scope.WISDOM
    content_negotiation_class = AlwaysJson
    http_method_names = ["get", "head"]

    def get(self, request: Request) -> Response | HttpResponse:
        """Answer with flags, score and reasons; what nobody outside can know is answered here."""
        who = caller_of(request)
        try:
            destination = destination_of(written(request.META.get("QUERY_STRING", "")))
        except ValueError as error:
            return problem(400, str(error), "invalid_query")
        with tenant_scope(who.tenant):  # before the question leaves: none goes uncounted
            tally(
                event=EventType.WISDOM_LOOKED_UP,
                actor=Actor(kind="key", id=who.key),
                tenant=who.tenant,
                now=timezone.now(),
                items=1,
            )
        here = answered_here(destination)
        if here is not None:
            return _answer(here, note=NOTE)
        with _turn() as mine:
            if not mine:
                message = "Too many look-ups are under way; ask again."
                return problem(503, message, "unavailable", retry_after=SOON)
            report = ask(frozenset({destination})).reports.get(destination)
        if report is None:
            message = "Wisdom does not answer at present; ask again later."
            return problem(503, message, "wisdom_away", retry_after=LATER)
        return _answer(report)


@contextmanager
def _turn() -> Iterator[bool]:
    """Wait a little for a turn, unless too many wait already; say whether it came."""
    with _held(_seats, patience=0) as seated:
        if not seated:
            yield False
            return
        with _held(_turns, patience=PATIENCE) as mine:
            yield mine


@contextmanager
def _held(semaphore: threading.BoundedSemaphore, *, patience: float) -> Iterator[bool]:
    held = semaphore.acquire(timeout=patience)
    try:
        yield held
    finally:
        if held:
            semaphore.release()


def _answer(report: Report, *, note: str | msgspec.UnsetType = msgspec.UNSET) -> Response:
    answer = LookupAnswer(
        destination=report.destination,
        flags=report.flags,
        labels=report.labels,
        domain=report.domain,
        score=report.score,
        verdict=report.verdict,
        reasons=report.reasons,
        ttl=report.ttl,
        snapshot=report.snapshot,
        note=note,
    )
    return Response(answer, headers={"Cache-Control": "no-store"})
