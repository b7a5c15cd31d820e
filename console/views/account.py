"""A person's own devices, sessions, password, recovery codes and theme."""

from datetime import datetime
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.events import EventType
from audit.record import record
from console import devices, recovery, sessions, throttle
from console.actions import ALONE
from console.errors import UnfitPassword
from console.invites import check_new_password
from console.models import Passkey, SignIn, Staff, Theme, TOTPDevice
from console.pages import actor_of, page, show, staff_of
from console.permissions import Permission
from console.signin import PASSWORD_LIMIT, compact

WRONG = "Password or code is not right, or the code was used already."
UNEQUAL = "The two new passwords are not the same."


@page(permission=Permission.OWN_ACCOUNT, event=None)
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Show the person's own devices and live sessions."""
    staff, now = staff_of(request), timezone.now()
    return show(
        request,
        "console/account.html",
        held=devices.held(staff),
        sessions=list(sessions.live(staff, now=now)),
        mine=UUID(request.session[sessions.ROW]),
        themes=Theme.choices,
        now=now,
    )


@page(permission=Permission.OWN_ACCOUNT, event=None, visited=False)
@require_POST
def end_session(request: HttpRequest, session: UUID) -> HttpResponse:
    """End one of the person's own sessions."""
    staff, now = staff_of(request), timezone.now()
    with transaction.atomic():
        ended = SignIn.objects.filter(pk=session, staff=staff, ended_at=None).update(ended_at=now)
        if not ended:
            raise Http404
        record(
            event=EventType.STAFF_SESSION_ENDED,
            actor=actor_of(request),
            now=now,
            resource=f"staff:{staff.id}",
            detail={"session": str(session)},
        )
    return HttpResponseRedirect(reverse("console:account"))


@page(permission=Permission.OWN_ACCOUNT, event=None, visited=False)
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keep how the person wants the console painted."""
    chosen = request.POST.get("theme", "")
    if chosen not in Theme.values:
        raise Http404
    Staff.objects.filter(pk=staff_of(request).pk).update(theme=chosen)
    return HttpResponseRedirect(reverse("console:account"))


@page(permission=Permission.OWN_ACCOUNT, event=None)
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Set another password: the present one and a code prove the person; other sessions end."""
    by_passkey = sessions.fresh_passkey(request, now=timezone.now()) is not None
    if request.method != "POST":
        return show(request, "console/password.html", by_passkey=by_passkey)
    error = _change_password(request)
    if error:
        return show(
            request, "console/password.html", status=403, error=error, by_passkey=by_passkey
        )
    return HttpResponseRedirect(reverse("console:account"))


@page(permission=Permission.OWN_ACCOUNT, event=None, fresh=True)
@require_http_methods(["GET", "HEAD", "POST"])
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Make ten recovery codes in the place of the earlier ones, and show them once."""
    if request.method != "POST":
        return show(request, "console/recovery.html")
    codes = recovery.make_codes(
        staff=staff_of(request), actor=actor_of(request), now=timezone.now()
    )
    return show(request, "console/codes.html", codes=codes)


def _change_password(request: HttpRequest) -> str:
    """Change the password as the form says; return what was wrong with it, or nothing."""
    staff, now = staff_of(request), timezone.now()
    new = request.POST.get("new", "")
    if new != request.POST.get("again", ""):
        return UNEQUAL
    try:
        check_new_password(new[: PASSWORD_LIMIT + 1], staff)
    except UnfitPassword as refusal:
        return str(refusal)
    if len(new) > PASSWORD_LIMIT:
        return f"A password has at most {PASSWORD_LIMIT} characters."
    with transaction.atomic():
        device = _proof(request, staff, now=now)
        present = request.POST.get("password", "")[:PASSWORD_LIMIT]
        if device is None or not staff.check_password(present):
            return WRONG
        staff.password = make_password(new)
        staff.save(update_fields=["password"])
        record(
            event=EventType.STAFF_PASSWORD_CHANGED,
            actor=actor_of(request),
            now=now,
            resource=f"staff:{staff.id}",
        )
        sessions.rebind(request, staff=staff, device=device, now=now)
    return ""


def _proof(request: HttpRequest, staff: Staff, *, now: datetime) -> TOTPDevice | Passkey | None:
    """Return what proves the person beside the password: the passkey of a moment ago, or a code.

    Either way the passwords that a stolen session can try are counted.
    """
    passkey = sessions.fresh_passkey(request, now=now)
    if passkey is not None:
        return passkey if throttle.count_factor(ALONE, staff.pk, now=now) is None else None
    device = devices.prove_totp(staff, compact(request.POST.get("code", "")), now=now)
    return device if isinstance(device, TOTPDevice) else None
