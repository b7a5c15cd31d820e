"""The door for engines: ask about destinations, get reports. No destination is stored or logged."""

from datetime import datetime

import msgspec
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from audit.actors import ANONYMOUS, Actor
from audit.events import EventType, Outcome
from audit.record import record, tally
from destinations.report import (
    MAX_DESTINATIONS,
    ReportsRequest,
    ReportsResponse,
    decode_request,
    encode_response,
)
from tenants.errors import Refused
from tenants.problems import problem, refusal
from wisdom.actions import DATABASE
from wisdom.auth import engine_of
from wisdom.models import Engine
from wisdom.publishing import snapshots
from wisdom.reports import reports

MAX_BODY = 4 << 20  # octets: 10,000 names of full length with what surrounds them


@csrf_exempt  # a key authenticates each request; no cookie does
def reports_view(request: HttpRequest) -> HttpResponse:
    """Answer ``POST /v1/wisdom/reports``."""
    now = timezone.now()
    if request.method != "POST":
        answer = problem(405, "Only POST is answered here.", "method_not_allowed")
        answer["Allow"] = "POST"
        return answer
    try:
        engine = engine_of(request.META.get("HTTP_AUTHORIZATION", ""))
    except Refused as error:
        _denied(error, now=now)
        return refusal(error)
    body = request.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        return problem(413, f"A request may have {MAX_BODY} octets.", "too_large")
    try:
        asked = decode_request(body)
    except msgspec.DecodeError as error:
        message = f"The body is not a request for at most {MAX_DESTINATIONS} destinations: {error}."
        return problem(400, message, "invalid_body")
    return _answer(asked, engine, now=now)


def _answer(asked: ReportsRequest, engine: Engine, *, now: datetime) -> HttpResponse:
    found = reports(asked.destinations, snapshots().current(), now=now)
    with transaction.atomic(using=DATABASE):
        tally(
            event=EventType.WISDOM_ASKED,
            actor=Actor(kind="engine", id=str(engine.id)),
            tenant=None,
            now=now,
            items=len(found),
            using=DATABASE,
        )
    answer = HttpResponse(
        encode_response(ReportsResponse(reports=found)), content_type="application/json"
    )
    answer["Cache-Control"] = "no-store"
    return answer


def _denied(error: Refused, *, now: datetime) -> None:
    with transaction.atomic(using=DATABASE):
        record(
            event=EventType.AUTH_DENIED,
            actor=ANONYMOUS,
            now=now,
            resource="wisdom:reports",
            outcome=Outcome.DENIED,
            reason=error.code,
            using=DATABASE,
        )
