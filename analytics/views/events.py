"""``POST /v1/events/<kind>``: the body is read, decoded, sealed and committed before the 200.

Answers follow the contract: 200 with counts whenever a value was read, 400 when nothing parses, 503
with Retry-After for a full backlog, for a limit that is reached and for every failure of ours (what
nobody foresaw gets it from the project's error handler), never 429.
"""

import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import msgspec
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from analytics.actions.accept import accept_request, is_overloaded, seal_request
from analytics.ingest.bodies import MAX_INFLATED, Receipt, inflated
from analytics.ingest.events import KINDS, Kind
from analytics.ingest.parts import pack_parts
from analytics.ingest.reasons import TooLarge, Unreadable
from crypto.digests import Running
from crypto.errors import CryptoError
from tenants import admission, limits, refusals, repeats
from tenants.apikeys import Scope
from tenants.auth import Caller, caller_from, record_denial
from tenants.errors import Crowded, KeyUnavailable, Limited, Refused
from tenants.problems import problem, refusal

log = logging.getLogger(__name__)

PIECE = 1 << 18
"""Bytes read from the connection at a time."""
PASSED_OVER = 1 << 20
"""Octets of a refused body that are read away: what lies in the connection's buffers anyway."""
LARGE = "The body is larger than 512 MiB; send less at a time."
RETRY_SECONDS = 30
"""Retry-After of a 503: the time in which a worker clears a few hundred batches."""


@csrf_exempt
def post_events(request: HttpRequest, kind: str) -> HttpResponse:
    """Take a body of events of one kind."""
    if request.method != "POST":
        response = problem(405, "Send events with POST.", "method_not_allowed")
        response["Allow"] = "POST"
        return response
    try:
        return _answer(request, kind)
    except (DatabaseError, KeyUnavailable, CryptoError) as error:
        log.error("events were not accepted: %s", type(error).__name__)  # noqa: TRY400 -- its text may quote rows
        return unavailable("The events could not be stored; send them again.")


def _answer(request: HttpRequest, kind: str) -> HttpResponse:
    try:
        now = timezone.now()
        authorization = request.META.get("HTTP_AUTHORIZATION", "")
        refusals.repeat(authorization, door=limits.EVENTS, now=now)
        who = caller_from(request, scope=Scope.INGEST, now=now)
        known = KINDS.get(kind)
        if known is None:
            return problem(404, f"There are no {kind[:16]!r} events.", "not_found")
        allowance = limits.check_of(request, who, door=limits.EVENTS, now=now)
        return _marked(_take(request, known, who), allowance)
    except Refused as error:
        if error.status in {401, 403}:
            record_denial(request, error)
        elif isinstance(error, Limited | Crowded):  # counted by the minute, if at all
            _pass_over(request)
        return refusal(error)
    except Unreadable as error:
        return problem(error.status, error.message, error.code)


def _take(request: HttpRequest, kind: Kind, who: Caller) -> HttpResponse:
    expected = _length(request)
    if expected is not None and expected > MAX_INFLATED:
        raise TooLarge(LARGE)
    if is_overloaded(who):
        return unavailable("Too many requests of this account wait for their effect.")
    with admission.admitted(who.tenant, octets=expected):
        return _read(request, kind, who, expected)


def _read(request: HttpRequest, kind: Kind, who: Caller, expected: int | None) -> HttpResponse:
    receipt = Receipt()
    now = timezone.now()
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    pieces = _Counted(_pieces(request, expected))
    named = repeats.key_of(request.META)
    body: Iterable[bytes] = pieces
    content = Running()
    if named is not None:  # by its content: a client that compresses again sends other octets
        body, encoding = content.through(inflated(pieces, encoding)), ""
    packed = pack_parts(body, encoding, kind, receipt, now=time.time_ns())
    parts = seal_request(caller=who, kind=kind, parts=packed, now=now)
    if not receipt.accepted and set(receipt.rejected) <= {"malformed"}:
        return problem(400, "The body holds no JSON object.", "unreadable")
    answer = _written(receipt)
    claim = None
    if named is not None:
        door = f"events/{kind.name}"
        claim = repeats.Claim(door=door, key=named, digest=content.digest(), answer=answer)
    earlier = accept_request(caller=who, parts=parts, octets=pieces.octets, now=now, claim=claim)
    return HttpResponse(earlier or answer, content_type="application/json")


def _written(receipt: Receipt) -> bytes:
    return msgspec.json.encode(
        {
            "received": receipt.received,
            "accepted": receipt.accepted,
            "rejected": receipt.rejected,
        }
    )


def _marked(response: HttpResponse, allowance: limits.Allowance) -> HttpResponse:
    for name, value in allowance.headers.items():
        response[name] = value
    return response


class _Counted:
    """A body's pieces, and how many octets they were."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.octets = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.octets += len(piece)
            yield piece


def _length(request: HttpRequest) -> int | None:
    """Return how long the body says it is, ``None`` where it does not."""
    text = request.META.get("CONTENT_LENGTH") or ""
    if text and not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise Unreadable("The Content-Length is not a number.")
    return int(text) if text else None


def _pieces(request: HttpRequest, expected: int | None) -> Iterator[bytes]:
    """Read the body as it arrives; raise `Unreadable` when it ends before its length.

    Raises `TooLarge` for a body of no stated length that goes on and on, inflated or not.
    """
    stream: Any = request.META["wsgi.input"] if expected is None else request
    total = 0
    while piece := stream.read(PIECE):
        total += len(piece)
        if total > MAX_INFLATED:
            raise TooLarge(LARGE)
        yield piece
    if expected is not None and total != expected:
        raise Unreadable(f"The body ended after {total} of {expected} bytes; nothing was taken.")


def _pass_over(request: HttpRequest) -> None:
    """Read a small body away, unseen: whoever is still sending it would not hear the answer."""
    with suppress(Unreadable, OSError):  # whatever is wrong with it, it is refused already
        if (_length(request) or 0) <= PASSED_OVER:
            while request.read(PIECE):
                pass


def unavailable(message: str) -> HttpResponse:
    """Return a 503 that says when to come again."""
    return problem(503, message, "unavailable", retry_after=RETRY_SECONDS)
