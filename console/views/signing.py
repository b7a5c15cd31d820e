"""Signing in and out, and the second factor."""

from django.conf import settings
from django.contrib.auth import logout as end_session
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from audit.events import EventType
from audit.record import record
from console import passkeys, sessions
from console.actions import Enrolment, finish_enrolment, start_enrolment, waiting_enrolment
from console.devices import TryLater, owes_passkey, prove_totp
from console.following import followed, permitted
from console.models import Passkey, RecoverySheet, Staff, TOTPDevice
from console.pages import actor_of, page, public, show, staff_of
from console.permissions import Permission
from console.signin import PASSWORD_LIMIT, attempt, compact, sign_in, take_password
from console.views.passkeys import scripts

ENROLLING = "staff_enrolling"
"""Session entry: the device that this session, and no other, may see the seed of and confirm."""
ENDED = {
    "idle": "You were signed out because nothing happened for a while.",
    "old": "You were signed out because the session had lasted its longest time.",
    "out": "You are signed out.",
}
WRONG = "User name, password or code is not right, or the code was used already."
WRONG_PROOF = "Password or code is not right, or the code was used already. Start again."
WEAKER = "This deployment asks for a passkey: a code does not stand in for it."
WRONG_CODE = "The code is not right, or was used already. Wait for the next one."

whatever_is_owed = page(
    permission=Permission.OWN_ACCOUNT,
    event=None,
    before_mfa=True,
    before_passkey=True,
    visited=False,
)


@public
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    """Take user name, password and code; say no more than that something was wrong.

    Before a passkey, take user name and password, and say nothing of them.
    """
    if request.method != "POST":
        return _show_login(
            request,
            note=ENDED.get(request.GET.get("ended", ""), ""),
            following=followed(request.GET.get("next")),
        )
    now = timezone.now()
    following = followed(request.POST.get("next"))
    tried = attempt(
        username=request.POST.get("username", ""),
        password=request.POST.get("password", ""),
        code=request.POST.get("code", ""),
        address=sessions.address_of(request),
    )
    by_passkey = request.POST.get("with") == "passkey"
    outcome = (take_password if by_passkey else sign_in)(request, tried, now=now)
    if isinstance(outcome, Staff):
        return HttpResponseRedirect(permitted(outcome, following))
    if isinstance(outcome, TryLater):
        seconds = max(1, int((outcome.until - now).total_seconds()))
        words = f"Too many attempts. Try again in {-(-seconds // 60)} minutes."
        response = _show_login(request, status=429, error=words, following=following)
        response["Retry-After"] = str(seconds)
        return response
    if by_passkey:
        return show(request, "console/passkey.html", next=following, **scripts(request))
    return _show_login(request, status=403, error=WRONG, following=following)


def _show_login(
    request: HttpRequest, *, following: str, status: int = 200, **words: str
) -> HttpResponse:
    asked = request.POST if request.method == "POST" else request.GET
    return show(
        request,
        "console/login.html",
        status=status,
        next=following,
        way=asked.get("with", ""),
        **scripts(request),
        **words,
    )


@whatever_is_owed
@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """End the session."""
    staff, now = staff_of(request), timezone.now()
    with transaction.atomic():
        record(
            event=EventType.STAFF_LOGOUT,
            actor=actor_of(request),
            now=now,
            resource=f"staff:{staff.id}",
        )
        sessions.end_row(request, now=now)
        end_session(request)
    left = HttpResponseRedirect(reverse("console:login") + "?ended=out")
    left["Clear-Site-Data"] = '"cache", "storage"'
    return left


@whatever_is_owed
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """Take the second factor anew, and go on with the page that asked for it."""
    following = followed((request.POST or request.GET).get("next"))
    if request.method != "POST":
        return _show_verify(request, following=following)
    staff, now = staff_of(request), timezone.now()
    if _is_only_for_passkeys(request):
        return _show_verify(request, status=403, error=WEAKER, following=following)
    with transaction.atomic():
        outcome = prove_totp(staff, compact(request.POST.get("code", "")), now=now)
        if isinstance(outcome, TOTPDevice):
            record(
                event=EventType.STAFF_STEPPED_UP,
                actor=actor_of(request),
                now=now,
                resource=f"staff:{staff.id}",
                detail={"device": outcome.persistent_id, "method": "totp"},
            )
            sessions.prove_again(request, device=outcome, now=now)
            return HttpResponseRedirect(permitted(staff, following))
    words = WRONG_CODE if outcome is None else "Too many codes were tried. Wait before the next."
    status = 403 if outcome is None else 429
    return _show_verify(request, status=status, error=words, following=following)


def _show_verify(
    request: HttpRequest, *, following: str, status: int = 200, error: str = ""
) -> HttpResponse:
    return show(
        request,
        "console/verify.html",
        status=status,
        error=error,
        next=following,
        has_passkey=bool(passkeys.of(staff_of(request))),
        only_passkeys=_is_only_for_passkeys(request),
        owes_passkey=owes_passkey(_device(request)),
        **scripts(request),
    )


def _device(request: HttpRequest) -> object:
    return staff_of(request).otp_device  # type: ignore[attr-defined] # django-otp adds it


def _is_only_for_passkeys(request: HttpRequest) -> bool:
    """Say whether a code may not stand in for the passkey that holds the session."""
    return settings.STAFF_MFA == "phishing_resistant" and not owes_passkey(_device(request))


@page(permission=Permission.OWN_ACCOUNT, event=None, before_mfa=True)
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def authenticator(request: HttpRequest) -> HttpResponse:
    """Replace the authenticator: prove the one in use, enrol the new one, prove that."""
    if request.method != "POST":
        return _show_authenticator(request)
    if request.POST.get("step") == "prove":
        return _start_replacing(request)
    return _finish_replacing(request)


def _start_replacing(request: HttpRequest) -> HttpResponse:
    staff, now = staff_of(request), timezone.now()
    enrolment = start_enrolment(
        staff=staff,
        password=request.POST.get("password", "")[:PASSWORD_LIMIT],
        code=compact(request.POST.get("code", "")),
        recovered=_has_just_recovered(request),
        now=now,
    )
    if enrolment is None:
        return _show_authenticator(request, status=403, error=WRONG_PROOF)
    request.session[ENROLLING] = enrolment.device.pk
    return _show_enrolment(request, enrolment)


def _finish_replacing(request: HttpRequest) -> HttpResponse:
    staff, now = staff_of(request), timezone.now()
    waiting = request.session.get(ENROLLING, 0)
    device = finish_enrolment(
        staff=staff,
        device=waiting,
        code=compact(request.POST.get("code", "")),
        actor=actor_of(request),
        now=now,
    )
    if device is not None:
        del request.session[ENROLLING]
        kept = _device(request) if _is_only_for_passkeys(request) else device
        sessions.rebind(request, staff=staff, device=kept, now=now)
        return show(request, "console/authenticator.html", done=True)
    enrolment = waiting_enrolment(staff=staff, device=waiting)
    if enrolment is None:
        return _show_authenticator(request, status=403, error=WRONG_PROOF)
    return _show_enrolment(request, enrolment, error=WRONG_CODE)


def _has_just_recovered(request: HttpRequest) -> bool:
    """Say whether a recovery code or a passkey proved this session a moment ago.

    That stands in for a code of the authenticator, which may be lost.
    """
    return isinstance(_device(request), RecoverySheet | Passkey) and sessions.is_fresh(
        request.session, now=timezone.now()
    )


def _show_authenticator(
    request: HttpRequest, *, status: int = 200, error: str = ""
) -> HttpResponse:
    return show(
        request,
        "console/authenticator.html",
        status=status,
        error=error,
        recovered=_has_just_recovered(request),
        by_passkey=isinstance(_device(request), Passkey),
    )


def _show_enrolment(request: HttpRequest, enrolment: Enrolment, *, error: str = "") -> HttpResponse:
    return show(
        request,
        "console/authenticator.html",
        status=403 if error else 200,
        error=error,
        **enrolment.drawn(),
    )
