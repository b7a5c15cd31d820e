"""The pages of an invitation: a password, an authenticator, recovery codes, and no session."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from console import invites
from console.actions import Enrolment
from console.errors import UnfitPassword, error_page
from console.pages import public, show
from console.signin import PASSWORD_LIMIT, compact

GONE = "This invitation was used, is over, or never was. Ask for another."
UNEQUAL = "The two passwords are not the same."
TOO_LONG = f"A password has at most {PASSWORD_LIMIT} characters."
WRONG_CODE = "The code is not right, or was used already. Wait for the next one."


@public
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest, token: str) -> HttpResponse:
    """Lead an invited person from the link to recovery codes."""
    now = timezone.now()
    staff = invites.invited_by(token, now=now)
    if staff is None:
        return error_page(HTTPStatus.NOT_FOUND, GONE)
    if request.method != "POST":
        return show(request, "console/invite.html", invited=staff.username)
    if request.POST.get("step") == "password":
        return _take_password(request, token, staff.username)
    codes = invites.enrol(token=token, code=compact(request.POST.get("code", "")), now=now)
    if codes is not None:
        return show(request, "console/codes.html", codes=codes, enrolled=True)
    waiting = invites.waiting(token=token, now=now)
    if waiting is None:
        return show(request, "console/invite.html", status=403, invited=staff.username)
    return _show_seed(request, waiting, staff.username, error=WRONG_CODE)


def _take_password(request: HttpRequest, token: str, username: str) -> HttpResponse:
    password, again = request.POST.get("password", ""), request.POST.get("again", "")
    error = TOO_LONG if len(password) > PASSWORD_LIMIT else UNEQUAL if password != again else ""
    enrolment = None
    if not error:
        try:
            enrolment = invites.set_password(token=token, password=password, now=timezone.now())
        except UnfitPassword as refusal:
            error = str(refusal)
    if enrolment is None:
        return show(
            request, "console/invite.html", status=403, invited=username, error=error or GONE
        )
    return _show_seed(request, enrolment, username)


def _show_seed(
    request: HttpRequest, enrolment: Enrolment, username: str, *, error: str = ""
) -> HttpResponse:
    return show(
        request,
        "console/invite.html",
        status=403 if error else 200,
        invited=username,
        error=error,
        **enrolment.drawn(),
    )
