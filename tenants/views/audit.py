"""``GET /v1/audit``: a tenant's own audit entries; ``GET /v1/transparency/checkpoint``: the head.

The checkpoint is for anybody: it says how many entries there are and the root over them, and nobody
can make one without the sequencer's key. Whoever keeps one can hold us to it.
"""

import base64
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit import feed
from audit.actors import Actor
from audit.errors import UnknownBookmark
from audit.events import EventType
from audit.feed import PAGE_LIMIT, Shown
from audit.reading import newest_note
from audit.record import tally
from tenants.apikeys import Scope
from tenants.auth import caller_of
from tenants.errors import Refused
from tenants.problems import problem
from tenants.renderers import AlwaysJson
from tenants.scope import tenant_scope

PARAMETERS = frozenset({"follow", "limit", "event", "proofs"})
PAGE = 500
"""Entries of a page where no limit is named: half a megabyte with proofs."""
LABELS = {each.value: each.label for each in EventType}


class Audit(APIView):
    """The caller's entries since a bookmark, in the order of the log."""

    scope = Scope.AUDIT
    content_negotiation_class = AlwaysJson
    http_method_names = ["get", "head"]

    def get(self, request: Request) -> Response:
        """Answer one page: ``entries``, ``begins``, ``checkpoint``, ``follow`` and ``more``."""
        asked = request.query_params
        unknown = sorted(set(asked) - PARAMETERS)
        if unknown:
            raise Refused(f"Unknown parameters; there are {', '.join(sorted(PARAMETERS))}.")
        place = _place(asked.get("follow", ""))
        limit = _limit(asked.get("limit", ""))
        events = _events(asked.get("event", ""))
        proofs = _proofs(asked.get("proofs", ""))
        who = caller_of(request)
        with tenant_scope(who.tenant):
            page = feed.page(who.tenant, place=place, limit=limit, events=events, proofs=proofs)
            tally(
                event=EventType.AUDIT_POLLED,
                actor=Actor(kind="key", id=who.key),
                tenant=who.tenant,
                now=timezone.now(),
                calls=1,
                items=len(page.entries),
            )
        return Response(
            {
                "entries": [_shown(each) for each in page.entries],
                "begins": page.begins,
                "checkpoint": page.checkpoint or None,
                "follow": feed.bookmark_of(page.follow),
                "more": page.more,
            },
            headers={"Cache-Control": "no-store"},
        )


def _place(bookmark: str) -> int:
    try:
        return feed.place_of(bookmark)
    except UnknownBookmark:
        raise Refused(
            "Invalid follow parameter: send the value of an earlier answer, or none."
        ) from None


def _limit(text: str) -> int:
    if not text:
        return PAGE
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 4 else 0
    if not 1 <= number <= PAGE_LIMIT:
        raise Refused(f"Invalid limit parameter: a number from 1 to {PAGE_LIMIT}.")
    return number


def _events(text: str) -> frozenset[str]:
    events = frozenset(each.strip() for each in text.split(",") if each.strip())
    if not events <= LABELS.keys():
        raise Refused("Invalid event parameter: names of events, with commas between them.")
    return events


def _proofs(text: str) -> bool:
    if text not in {"", "0", "1"}:
        raise Refused("Invalid proofs parameter: 1, or 0 or nothing.")
    return text == "1"


def _shown(entry: Shown) -> dict[str, Any]:
    content = entry.content
    shown: dict[str, Any] = {
        "index": entry.index,
        "time": content.time,
        "event": content.event,
        "label": LABELS.get(content.event, content.event),
        "actor": {"kind": content.actor.kind, "id": content.actor.id},
        "resource": content.resource,
        "outcome": content.outcome,
        "reason": content.reason,
        "detail": content.detail,
        "leaf": base64.b64encode(entry.leaf).decode(),
    }
    if entry.proof is not None:
        shown["proof"] = [base64.b64encode(each).decode() for each in entry.proof]
    return shown


@csrf_exempt  # no cookie authenticates here
def checkpoint(request: HttpRequest) -> HttpResponse:
    """Answer with the newest signed checkpoint as it was signed."""
    if request.method not in {"GET", "HEAD"}:
        refused = problem(405, "Only GET is answered here.", "method_not_allowed")
        refused["Allow"] = "GET, HEAD"
        return refused
    note = newest_note(using="default")
    if not note:
        return problem(404, "No checkpoint was signed here yet.", "not_found")
    answer = HttpResponse(note, content_type="text/plain; charset=utf-8")
    answer["Cache-Control"] = "no-store"
    return answer
