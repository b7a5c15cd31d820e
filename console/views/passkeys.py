"""Passkeys: what the package's scripts ask for, and the pages around them.

The package's own views are not mounted: these answer as they do, behind the gate, with our counts
and the audit log. A challenge and its answer are JSON; an error is ``{"detail": words}``.
"""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from audit.events import EventType
from audit.record import record
from console import ceremonies, passkeys, sessions
from console.ceremonies import Purpose
from console.deeds import Answer, Deed, confirm
from console.devices import TryLater
from console.errors import TooManyPasskeys
from console.following import followed, permitted
from console.models import Passkey, Staff
from console.pages import actor_of, page, public, show, staff_of
from console.permissions import Permission
from console.signin import is_half_way, sign_in_by_passkey

GET_AND_POST = ["GET", "HEAD", "POST"]
NAMING = "staff_passkey_name"
"""Session entry: how the passkey that is about to be made will be called."""
WRONG_SIGN_IN = "User name, password or passkey is not right. Start again with the password."
WRONG = "The passkey is not one of yours, or its answer came too late. Try again."
TOO_OFTEN = "Too many attempts. Wait before the next."
NOT_ADDED = "That passkey cannot be added."
UNNAMED = "Give the passkey a name of 1 to 64 printable characters."

proving = page(
    permission=Permission.OWN_ACCOUNT,
    event=None,
    before_mfa=True,
    before_passkey=True,
    visited=False,
    scripted=True,
)
adding = page(
    permission=Permission.OWN_ACCOUNT,
    event=None,
    before_passkey=True,
    fresh=True,
    visited=False,
    scripted=True,
)


@public
@require_POST
def sign_in_begin(request: HttpRequest) -> JsonResponse:
    """Give a challenge to whoever has sent name and password, right or wrong."""
    now = timezone.now()
    if not is_half_way(request, now=now):
        return _refusal(WRONG_SIGN_IN)
    options = ceremonies.challenge(request, purpose=Purpose.SIGN_IN, staff=None, now=now)
    return JsonResponse(options)


@public
@require_POST
def sign_in_complete(request: HttpRequest) -> JsonResponse:
    """Take the answer, and sign in whoever's password and passkey both were right."""
    outcome = sign_in_by_passkey(request, now=timezone.now())
    if isinstance(outcome, Staff):
        where = permitted(outcome, followed(request.GET.get("next")))
        return JsonResponse({"id": outcome.username, "redirect_url": where})
    return _refusal(WRONG_SIGN_IN)


@proving
@require_POST
def verify_begin(request: HttpRequest) -> JsonResponse:
    """Give a challenge for a fresh proof, to be answered by one of the person's passkeys."""
    options = ceremonies.challenge(
        request, purpose=Purpose.STEP_UP, staff=staff_of(request), now=timezone.now()
    )
    return JsonResponse(options)


@proving
@require_POST
def verify_complete(request: HttpRequest) -> JsonResponse:
    """Take the answer as a fresh proof; the passkey holds the session from now on."""
    staff, now = staff_of(request), timezone.now()
    answer = ceremonies.answer(request, purpose=Purpose.STEP_UP, now=now)
    if answer is None:
        return _refusal(WRONG)
    with transaction.atomic():
        outcome = passkeys.prove(staff, answer, request=request, now=now)
        if not isinstance(outcome, Passkey):
            return _refusal(WRONG) if outcome is None else _too_often(outcome)
        record(
            event=EventType.STAFF_STEPPED_UP,
            actor=actor_of(request),
            now=now,
            resource=f"staff:{staff.id}",
            detail={"device": outcome.persistent_id, "method": "passkey"},
        )
        sessions.prove_again(request, device=outcome, now=now)
    where = permitted(staff, followed(request.GET.get("next")))
    return JsonResponse({"id": outcome.pk, "redirect_url": where})


@page(permission=Permission.OWN_ACCOUNT, event=None, before_passkey=True, fresh=True)
@require_http_methods(GET_AND_POST)
def new(request: HttpRequest) -> HttpResponse:
    """Ask for a name, then lead to the browser's own question for a passkey."""
    staff = staff_of(request)
    full = len(passkeys.of(staff)) >= passkeys.MOST
    shown: dict[str, Any] = {"full": full, "most": passkeys.MOST, **scripts(request)}
    if request.method != "POST" or full:
        return show(request, "console/passkey_new.html", **shown)
    name = request.POST.get("name", "").strip()
    if not name or not name.isprintable() or len(name) > passkeys.NAME_LIMIT:
        return show(request, "console/passkey_new.html", status=400, error=UNNAMED, **shown)
    request.session[NAMING] = name
    return show(request, "console/passkey_new.html", named=name, **shown)


@adding
@require_POST
def add_begin(request: HttpRequest) -> JsonResponse:
    """Give what a browser needs to make a passkey."""
    if NAMING not in request.session:
        return _refusal(UNNAMED)
    options = ceremonies.challenge(
        request, purpose=Purpose.ADD, staff=staff_of(request), now=timezone.now()
    )
    return JsonResponse(options)


@adding
@require_POST
def add_complete(request: HttpRequest) -> JsonResponse:
    """Add the passkey that was made."""
    now = timezone.now()
    name = request.session.pop(NAMING, "")
    answer = ceremonies.answer(request, purpose=Purpose.ADD, now=now)
    if answer is None or not name:
        return _refusal(NOT_ADDED)
    try:
        made = passkeys.add(
            staff_of(request),
            answer,
            name=name,
            request=request,
            actor=actor_of(request),
            now=now,
        )
    except TooManyPasskeys as refusal:
        return _refusal(f"Not added: {refusal}.")
    return _refusal(NOT_ADDED) if made is None else JsonResponse({"id": made.pk})


@page(permission=Permission.OWN_ACCOUNT, event=None, fresh=True)
@require_http_methods(GET_AND_POST)
def remove(request: HttpRequest, passkey: int) -> HttpResponse:
    """Remove one of the person's own passkeys."""
    staff = staff_of(request)
    found = next((each for each in passkeys.of(staff) if each.pk == passkey), None)
    if found is None:
        raise Http404
    deed = Deed(
        title=f"Remove {found.name}",
        words="It opens nothing any more, and the sessions that it opened end at once.",
        button="Remove the passkey",
        back=reverse("console:account"),
    )

    def act(answer: Answer) -> None:
        passkeys.remove(
            staff, passkey, actor=actor_of(request), reason=answer.reason, now=timezone.now()
        )

    return confirm(request, deed, act)


@page(permission=Permission.OWN_ACCOUNT, event=None, fresh=True, visited=False)
@require_POST
def seen(request: HttpRequest) -> HttpResponse:
    """Close the notice that passkeys changed: a fresh proof says that it was them."""
    passkeys.note_seen(staff_of(request), actor=actor_of(request), now=timezone.now())
    return HttpResponseRedirect(reverse("console:account"))


def scripts(request: HttpRequest) -> dict[str, Any]:
    """Return what a page with the package's scripts needs: their addresses, and where they work."""
    origins: list[str] = settings.OTP_WEBAUTHN_ALLOWED_ORIGINS
    staff = getattr(request, "passed_gate", False)
    begin, complete = ("verify_begin", "verify_complete") if staff else ("login_begin", "login_end")
    return {
        "offered": ceremonies.is_offered(request),
        "passkeys_at": origins[0],
        "passkey_config": {
            "autocompleteLoginFieldSelector": None,
            "nextFieldSelector": "input[name='next']",
            "csrfToken": get_token(request),
            "beginAuthenticationUrl": reverse(f"console:passkey_{begin}"),
            "completeAuthenticationUrl": reverse(f"console:passkey_{complete}"),
            "beginRegistrationUrl": reverse("console:passkey_add_begin"),
            "completeRegistrationUrl": reverse("console:passkey_add_complete"),
        },
    }


def _refusal(words: str) -> JsonResponse:
    return JsonResponse({"detail": words}, status=HTTPStatus.FORBIDDEN)


def _too_often(late: TryLater) -> JsonResponse:
    response = JsonResponse({"detail": TOO_OFTEN}, status=HTTPStatus.TOO_MANY_REQUESTS)
    seconds = max(1, int((late.until - timezone.now()).total_seconds()))
    response["Retry-After"] = str(seconds)
    return response
