"""What the console refuses, and the pages that say so.

ConsoleError
├── NameTaken           a staff account of that name exists
├── UnfitName           a user name has other characters or lengths than are allowed
├── UnfitPassword       a new password is too short or too common
├── LastOwner           the deed would leave nobody who may manage staff
├── NoSuchStaff         nobody active has that name
├── NoSuchPasskey       the person has no such passkey
└── TooManyPasskeys     the person has as many passkeys as one may

The project's error handlers are here too: a path of the console gets a page, everything else the
problem that API clients read. A page never says more than its status: no path, no reason of ours.
"""

from http import HTTPStatus

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from tenants.problems import problem


class ConsoleError(Exception):
    """The console refused a deed."""

    code = "console"


class NameTaken(ConsoleError):  # noqa: N818 -- reads as a fact, like Django's DoesNotExist
    """A staff account of that name exists."""

    code = "name_taken"


class UnfitName(ConsoleError):  # noqa: N818 -- see NameTaken
    """A user name has other characters or lengths than are allowed."""

    code = "unfit_name"


class NoSuchStaff(ConsoleError):  # noqa: N818 -- see NameTaken
    """Nobody active has that name."""

    code = "no_such_staff"


class UnfitPassword(ConsoleError):  # noqa: N818 -- see NameTaken
    """A new password is too short or too common."""

    code = "unfit_password"


class LastOwner(ConsoleError):  # noqa: N818 -- see NameTaken
    """The deed would leave nobody who may manage staff."""

    code = "last_owner"


class NoSuchPasskey(ConsoleError):  # noqa: N818 -- see NameTaken
    """The person has no such passkey."""

    code = "no_such_passkey"


class TooManyPasskeys(ConsoleError):  # noqa: N818 -- see NameTaken
    """The person has as many passkeys as one may."""

    code = "too_many_passkeys"


PREFIX = "/console/"

WORDS = {
    HTTPStatus.BAD_REQUEST: "The request could not be understood.",
    HTTPStatus.FORBIDDEN: "You may not do this, or your session has ended.",
    HTTPStatus.NOT_FOUND: "There is no such page.",
    HTTPStatus.METHOD_NOT_ALLOWED: "The page does not take this kind of request.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong here. It has been logged.",
    HTTPStatus.SERVICE_UNAVAILABLE: "A key is not available at the moment; try again.",
}


UNRECORDED = "The audit log takes no entry: nothing is shown or done."
"""A 503 that is not for want of a key."""
UNKNOWN_HOST = "This deployment does not serve the host name of the request (TAWNY_HOSTS)."


def is_console_path(path: str) -> bool:
    """Say whether a path belongs to the console, whether or not a page answers there."""
    return path == PREFIX.rstrip("/") or path.startswith(PREFIX)


def error_page(status: HTTPStatus, words: str = "", *, back: str = "") -> HttpResponse:
    """Return the console's page for an error; it needs no session and no database.

    `back` is the path of a page that its reader may see.
    """
    page = render_to_string(
        "console/error.html",
        {
            "status": int(status),
            "title": status.phrase,
            "words": words or WORDS[status],
            "back": back,
        },
    )
    return HttpResponse(page, status=status)


def _answer(request: HttpRequest, status: HTTPStatus, code: str) -> HttpResponse:
    if is_console_path(request.path_info):
        return error_page(status)
    return problem(int(status), WORDS[status], code)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400 (``handler400``), and say where the name in the request is not served here."""
    if isinstance(exception, DisallowedHost) and not is_console_path(request.path_info):
        return problem(int(HTTPStatus.BAD_REQUEST), UNKNOWN_HOST, "unknown_host")
    return _answer(request, HTTPStatus.BAD_REQUEST, "bad_request")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 -- Django passes it by this name
    """Answer 403 (``handler403``)."""
    return _answer(request, HTTPStatus.FORBIDDEN, "forbidden")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 -- Django passes it by this name
    """Answer 404 (``handler404``)."""
    return _answer(request, HTTPStatus.NOT_FOUND, "not_found")


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 (``handler500``)."""
    return _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, "internal")


def csrf_refused(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 -- Django's signature; the reason is for its log
    """Answer 403 to a form without the token that its page carried (``CSRF_FAILURE_VIEW``)."""
    if is_console_path(request.path_info):
        words = "The form was too old, or came from elsewhere. Go back, reload and try again."
        return error_page(HTTPStatus.FORBIDDEN, words)
    return problem(403, WORDS[HTTPStatus.FORBIDDEN], "forbidden")
