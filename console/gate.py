"""The gate before the staff console: nothing behind it answers unless everything is in order.

Two locks, each closed by default. The first knows only the path: whatever lies under the console's
prefix, page or not, needs an active person whose second factor this very session proved and whose
session is neither idle nor old. The second knows the view: it must have declared a permission, and
the person's role must have it. A page's sight is in the audit log before the page is made.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.contrib.auth import logout
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect

from audit.actors import Actor
from audit.events import EventType, Outcome
from audit.record import record, tally
from console import sessions
from console.devices import owes_passkey
from console.errors import UNRECORDED, error_page, is_console_path
from console.models import Passkey, Staff
from console.pages import Rules, landing, rules_of
from console.sessions import Standing

log = logging.getLogger(__name__)

APP = "console"
SAFE = frozenset({"GET", "HEAD"})
STALE = "The second factor must be proved anew. Reload the page."
FEATURES = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
"""What no page of the console may ask a browser for. Passkeys keep their default: ourselves."""


class StaffGate:
    """Middleware: lets a request of the console through, or answers it.

    It comes after the session, authentication and OTP middleware, whose work it judges.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a path under the console's prefix only to whom it may be answered."""
        if not is_console_path(request.path_info):
            return self.get_response(request)
        now = timezone.now()  # noqa: TID251 -- the edge, like a view
        response = None
        if not _is_open(request.path_info):
            response = _turn_away(request, now)
        return _kept_private(response or self.get_response(request))

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponse],
        _args: tuple[Any, ...],
        _kwargs: dict[str, Any],
    ) -> HttpResponse | None:
        """Hold a view of the console, wherever it is mounted, against what it declared."""
        match = request.resolver_match
        if match is None or APP not in match.app_names:
            return None
        rules = rules_of(view)
        if rules is not None and rules.public:
            return None
        staff = request.user
        if not getattr(request, "passed_gate", False) or not isinstance(staff, Staff):
            return error_page(HTTPStatus.FORBIDDEN)
        now = timezone.now()  # noqa: TID251 -- the edge, like a view
        try:
            return _judge(request, staff, rules, f"page:{match.view_name}", now)
        except DatabaseError:  # what cannot be recorded is not shown
            log.exception("a page was not recorded, and so not shown")
            return error_page(HTTPStatus.SERVICE_UNAVAILABLE, UNRECORDED)


def _judge(
    request: HttpRequest, staff: Staff, rules: Rules | None, resource: str, now: datetime
) -> HttpResponse | None:
    """Answer whom a view does not admit or who owes it a proof; record the sight of all others."""
    actor = Actor(kind="staff", id=str(staff.id))
    if rules is None or not rules.admit(staff):
        record(
            event=EventType.AUTH_DENIED,
            actor=actor,
            now=now,
            resource=resource,
            outcome=Outcome.DENIED,
        )
        words = "Your role does not see this page."
        return error_page(HTTPStatus.FORBIDDEN, words, back=landing(staff))
    owed = _proof_owed(request, staff, rules, now)
    if owed is not None:
        return owed
    if rules.event is not None and request.method in SAFE:
        if rules.event.tallied:
            tally(event=rules.event, actor=actor, tenant=None, now=now)
        else:
            record(event=rules.event, actor=actor, now=now, resource=resource)
    return None


def _rules_at(path: str) -> Rules | None:
    """Return what the page at a path declared."""
    try:
        return rules_of(resolve(path).func)
    except Resolver404:
        return None


def _is_open(path: str) -> bool:
    """Say whether the page at a path declared that nobody needs to be signed in for it."""
    rules = _rules_at(path)
    return rules is not None and rules.public


def _proof_owed(
    request: HttpRequest, staff: Staff, rules: Rules, now: datetime
) -> HttpResponse | None:
    """Lead to a passkey, a new authenticator or a fresh proof, where one is owed.

    A passkey comes first where the deployment asks for one: a session without it replaces nothing.
    """
    owes = owes_passkey(staff.otp_device)  # type: ignore[attr-defined] # see _turn_away
    if owes and not rules.before_passkey:
        has_one = Passkey.objects.filter(user=staff, confirmed=True).exists()
        where = reverse("console:verify" if has_one else "console:passkey_new")
    elif staff.must_replace_mfa and not owes and not rules.before_mfa:
        where = reverse("console:authenticator")
    elif rules.fresh and not sessions.is_fresh(request.session, now=now):
        where = f"{reverse('console:verify')}?{urlencode({'next': request.get_full_path()})}"
    else:
        return None
    if rules.scripted:
        return JsonResponse({"detail": STALE}, status=HTTPStatus.FORBIDDEN)
    return HttpResponseRedirect(where)


def _turn_away(request: HttpRequest, now: datetime) -> HttpResponse | None:
    """Return the answer for whom the console does not answer, ``None`` for whom it does."""
    staff = request.user
    standing = Standing.UNKNOWN
    if isinstance(staff, Staff) and staff.is_active and staff.is_verified():  # type: ignore[attr-defined] # django-otp adds it
        standing = sessions.standing(request, staff, now=now)
    if standing is Standing.LIVE:
        rules = _rules_at(request.path_info)
        if rules is None or not rules.watched:  # a page left open is not a person at work
            sessions.touch(request, now=now)
        request.passed_gate = True  # type: ignore[attr-defined] # read by process_view
        return None
    if staff.is_authenticated:
        logout(request)
    if request.method not in SAFE:
        return error_page(HTTPStatus.FORBIDDEN)
    swaps = request.headers.get("HX-Request") == "true"
    query = {"next": _shown(request) if swaps else request.path_info}
    if request.method != "GET":
        query = {}
    if standing in {Standing.IDLE, Standing.OLD}:
        query["ended"] = standing.value
    login = f"{reverse('console:login')}?{urlencode(query)}"
    if swaps:  # else the sign-in form would be swapped into the page
        return HttpResponseClientRedirect(login)
    return HttpResponseRedirect(login)


def _shown(request: HttpRequest) -> str:
    """Return the path of the page that a swap belongs to; signing in judges where it may lead."""
    where = urlsplit(request.headers.get("HX-Current-URL", ""))
    return f"{where.path}?{where.query}" if where.query else where.path


def _kept_private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    # Under ``no-referrer`` a browser sends ``Origin: null`` with a form, which the CSRF check
    # refuses; this policy tells other sites as little.
    response["Referrer-Policy"] = "same-origin"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Permissions-Policy"] = FEATURES
    return response
