"""``POST /v1/key/request``, ``/v1/key/reset`` and ``/v1/account/register``.

The first two need no key: whoever asks is counted by network, and all together, before anything is
done. Bodies are as existing clients send them; members that nobody knows are ignored.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from audit.actors import Actor
from crypto.digests import sha256
from tenants import attempts, limits, mailboxes, members, repeats
from tenants.actions import ask_reset, create_provisional, register
from tenants.addresses import client_address, network_of
from tenants.apikeys import Scope
from tenants.auth import OTHERS, caller_from, record_denial
from tenants.bodies import read_object
from tenants.errors import BadBody, Forbidden, Refused
from tenants.links import Role
from tenants.problems import problem, refusal

Answer = Callable[[HttpRequest], HttpResponse]


def posted(answer: Answer) -> Answer:
    """Take POST alone; answer what is refused as every client reads it.

    No cookie authenticates here, so there is nothing that another site's form could ride on.
    """

    @csrf_exempt
    @wraps(answer)
    def view(request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            response = problem(405, "Only POST is answered here.", "method_not_allowed")
            response["Allow"] = "POST"
            return response
        try:
            return answer(request)
        except Refused as error:
            if error.status in {401, 403}:
                record_denial(request, error)
            return refusal(error)

    return view


@posted
def request_key(request: HttpRequest) -> HttpResponse:
    """Make a provisional tenant and answer with its key, which is shown this once."""
    now = timezone.now()
    if not settings.SIGNUP_OPEN:
        raise Forbidden("Sign-up is closed here: ask whoever runs this service for a key.")
    # Before the body is read: one that trickles in holds a thread.
    attempts.count("requests", _network(request), windows=attempts.REQUESTS_OF_NETWORK, now=now)
    attempts.count("requests-of-all", windows=attempts.REQUESTS_OF_ALL, now=now)
    read_object(request)
    return _answer({"key": create_provisional(now=now).api_key})


@posted
def ask_for_reset(request: HttpRequest) -> HttpResponse:
    """Answer ``{}`` to every address, having taken the same steps; see `actions.ask_reset`."""
    now = timezone.now()
    attempts.count("resets", _network(request), windows=attempts.RESETS_OF_NETWORK, now=now)
    attempts.count("resets-of-all", windows=attempts.RESETS_OF_ALL, now=now)
    email = read_object(request).get("email")
    if not isinstance(email, str) or not email.strip():
        raise BadBody("email is required and must be a text.")
    ask_reset(mailbox=mailboxes.normalised(email), now=now)
    return _answer({})


@posted
def register_account(request: HttpRequest) -> HttpResponse:
    """Name the key's holder as a member of its tenant and mail them a link."""
    now = timezone.now()
    who = caller_from(request, scope=Scope.ACCOUNT, now=now)
    allowance = limits.check_of(request, who, door=OTHERS, now=now)
    named = repeats.key_of(request.META)
    given = read_object(request)
    details = members.details(given.get("details"))
    attempts.count(
        "registrations", who.tenant.bytes, windows=attempts.REGISTRATIONS_OF_TENANT, now=now
    )
    register(
        tenant=who.tenant,
        details=details,
        role=Role.FIRST,
        actor=Actor(kind="key", id=who.key),
        now=now,
        claim=None if named is None else _claim(named, given),
    )
    return _answer({}, headers=allowance.headers)


def _claim(named: str, given: dict[str, Any]) -> repeats.Claim:
    digest = sha256(msgspec.json.encode(given))
    return repeats.Claim(door="account/register", key=named, digest=digest, answer=b"{}")


def _network(request: HttpRequest) -> str:
    return network_of(client_address(request.META, trusted=settings.TRUSTED_PROXIES))


def _answer(body: dict[str, Any], *, headers: Mapping[str, str] | None = None) -> HttpResponse:
    response = HttpResponse(msgspec.json.encode(body), content_type="application/json")
    response["Cache-Control"] = "no-store"
    for name, value in (headers or {}).items():
        response[name] = value
    return response
