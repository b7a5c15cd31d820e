"""The pages that every deployment's console has: signing in and out, and the second factor."""

from django.contrib.auth import logout as end_session
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from segno import make as make_qr

from audit.actors import Actor
from audit.events import EventType
from audit.record import record
from console import sessions
from console.actions import Enrolment, finish_enrolment, start_enrolment, waiting_enrolment
from console.errors import is_console_path
from console.models import Staff
from console.pages import EVERYONE, landing, page, public, rules_of, show, staff_of
from console.signin import PASSWORD_LIMIT, TryLater, attempt, compact, sign_in

ENROLLING = "staff_enrolling"
"""Session entry: the device that this session, and no other, may see the seed of and confirm."""
ENDED = {
    "idle": "You were signed out because nothing happened for a while.",
    "old": "You were signed out because the session had lasted its longest time.",
    "out": "You are signed out.",
}
WRONG = "User name, password or code is not right, or the code was used already."
WRONG_PROOF = "Password or code is not right, or the code was used already. Start again."
WRONG_CODE = "The code is not right, or was used already. Wait for the next one."


@public
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    """Take user name, password and code; say no more than that something was wrong."""
    if request.method != "POST":
        words = ENDED.get(request.GET.get("ended", ""), "")
        return show(request, "console/login.html", note=words, next=_next(request.GET.get("next")))
    now = timezone.now()
    following = _next(request.POST.get("next"))
    tried = attempt(
        username=request.POST.get("username", ""),
        password=request.POST.get("password", ""),
        code=request.POST.get("code", ""),
        address=request.META.get("REMOTE_ADDR", ""),
    )
    outcome = sign_in(request, tried, now=now)
    if isinstance(outcome, Staff):
        return HttpResponseRedirect(_permitted(outcome, following))
    if isinstance(outcome, TryLater):
        seconds = max(1, int((outcome.until - now).total_seconds()))
        words = f"Too many attempts from your network. Try again in {-(-seconds // 60)} minutes."
        response = show(request, "console/login.html", status=429, error=words, next=following)
        response["Retry-After"] = str(seconds)
        return response
    return show(request, "console/login.html", status=403, error=WRONG, next=following)


@page(roles=EVERYONE, event=None, before_mfa=True)
@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """End the session."""
    staff = staff_of(request)
    with transaction.atomic():
        record(
            event=EventType.STAFF_LOGOUT,
            actor=Actor(kind="staff", id=str(staff.id)),
            now=timezone.now(),
            resource=f"staff:{staff.id}",
        )
        end_session(request)
    return HttpResponseRedirect(reverse("console:login") + "?ended=out")


@page(roles=EVERYONE, event=None, before_mfa=True)
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def authenticator(request: HttpRequest) -> HttpResponse:
    """Replace the authenticator: prove the one in use, enrol the new one, prove that."""
    if request.method != "POST":
        return show(request, "console/authenticator.html")
    if request.POST.get("step") == "prove":
        return _start_replacing(request)
    return _finish_replacing(request)


def _start_replacing(request: HttpRequest) -> HttpResponse:
    enrolment = start_enrolment(
        staff=staff_of(request),
        password=request.POST.get("password", "")[:PASSWORD_LIMIT],
        code=compact(request.POST.get("code", "")),
        now=timezone.now(),
    )
    if enrolment is None:
        return show(request, "console/authenticator.html", status=403, error=WRONG_PROOF)
    request.session[ENROLLING] = enrolment.device.pk
    return _show_enrolment(request, enrolment)


def _finish_replacing(request: HttpRequest) -> HttpResponse:
    staff, now = staff_of(request), timezone.now()
    waiting = request.session.get(ENROLLING, 0)
    device = finish_enrolment(
        staff=staff,
        device=waiting,
        code=compact(request.POST.get("code", "")),
        actor=Actor(kind="staff", id=str(staff.id)),
        now=now,
    )
    if device is not None:
        del request.session[ENROLLING]
        sessions.rebind(request, device=device, now=now)
        return show(request, "console/authenticator.html", done=True)
    enrolment = waiting_enrolment(staff=staff, device=waiting)
    if enrolment is None:
        return show(request, "console/authenticator.html", status=403, error=WRONG_PROOF)
    return _show_enrolment(request, enrolment, error=WRONG_CODE)


def _show_enrolment(request: HttpRequest, enrolment: Enrolment, *, error: str = "") -> HttpResponse:
    secret = enrolment.totp_secret
    return show(
        request,
        "console/authenticator.html",
        status=403 if error else 200,
        error=error,
        qr=make_qr(enrolment.otpauth_uri, error="m").svg_data_uri(scale=5, border=3, light="white"),
        secret=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
    )


def _next(path: str | None) -> str:
    """Return a path of the console that answers GET, else nothing: no redirect leaves it."""
    if path is None or not is_console_path(path):
        return ""
    try:
        view = resolve(path).func
    except Resolver404:
        return ""
    rules = rules_of(view)
    return path if rules is not None and rules.event is not None else ""


def _permitted(staff: Staff, path: str) -> str:
    rules = rules_of(resolve(path).func) if path else None
    return path if rules is not None and staff.role in rules.roles else landing(staff)
