"""The pages that links in mails open: a button, and what pressing it did.

Mail scanners follow links, so a GET changes nothing; the button's POST does. It carries no CSRF
token, and needs none: no cookie or session stands behind it that another site could ride on. The
link's own token, 256 random bits known to the mail's reader alone, is the whole authority; a form
elsewhere that could post it would have to know it, and whoever knows it needs no form elsewhere.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from tenants import links
from tenants.actions import reset_keys, verify as verify_member
from tenants.links import Purpose
from tenants.problems import problem

POLICY = (
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
DEAD = "This link does not work (any more): it is used, too old, or was not copied whole."


@csrf_exempt
def verify(request: HttpRequest, token: str = "") -> HttpResponse:
    """Show a button that confirms a member's address; confirm it on POST."""

    def press(given: str) -> HttpResponse | None:
        if not verify_member(token=given, now=timezone.now()):
            return None
        return _page("done.html", {"title": "Your address is confirmed"})

    words = {"title": "Confirm your address", "button": "Confirm"}
    return _link(request, Purpose.VERIFY, token, words, press)


@csrf_exempt
def reset(request: HttpRequest) -> HttpResponse:
    """Show a button that makes a new key; make it on POST, and show it this once."""

    def press(given: str) -> HttpResponse | None:
        new = reset_keys(token=given, now=timezone.now())
        if new is None:
            return None
        return _page("key.html", {"title": "Your new API key", "key": new.text})

    words = {
        "title": "Replace your API key",
        "button": "Make a new key",
        "note": "Your other keys go on for 24 hours, so that running sensors can be changed over.",
    }
    return _link(request, Purpose.RESET, "", words, press)


def _link(
    request: HttpRequest,
    purpose: Purpose,
    token: str,
    words: dict[str, str],
    press: Callable[[str], HttpResponse | None],
) -> HttpResponse:
    token = token or request.GET.get("token", "")
    if request.method not in {"GET", "HEAD", "POST"}:
        response = refused(request, 405, "This page takes GET and POST.", "method_not_allowed")
        response["Allow"] = "GET, HEAD, POST"
        return response
    if request.method == "POST":
        return press(token) or refused(request, 400, DEAD, "dead_link")
    if not links.look(purpose, token, now=timezone.now()):
        return refused(request, 400, DEAD, "dead_link")
    return _page("press.html", words)


def _page(name: str, words: dict[str, Any], *, status: int = 200) -> HttpResponse:
    return _guarded(HttpResponse(render_to_string(f"tenants/{name}", words), status=status))


def refused(request: HttpRequest, status: int, message: str, code: str) -> HttpResponse:
    """Answer a browser with a page, and a program with the error that programs read.

    The path is not told to the log.
    """
    if "text/html" in request.META.get("HTTP_ACCEPT", ""):
        words = {"title": "This did not work", "words": message}
        response = _page("refused.html", words, status=status)
    else:
        response = _guarded(problem(status, message, code))
    # Django would write the path of a refused request to the log, and a path may hold a token.
    setattr(response, "_has_been_logged", True)  # noqa: B010 -- Django's own mark, not in its types
    return response


def _guarded(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    response["Content-Security-Policy"] = POLICY
    response["Referrer-Policy"] = "no-referrer"
    response["X-Frame-Options"] = "DENY"
    response["X-Robots-Tag"] = "noindex"
    return response
