"""Which methods a plain view of the composition answers."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from tenants.problems import problem

View = Callable[[HttpRequest], HttpResponse]


def reads(view: View) -> View:
    """Answer GET and HEAD; any other method gets a 405 that says so, in JSON like every error."""

    @csrf_exempt  # no cookie authenticates here
    @wraps(view)
    def answered(request: HttpRequest) -> HttpResponse:
        if request.method in {"GET", "HEAD"}:
            return view(request)
        response = problem(405, "Only GET is answered here.", "method_not_allowed")
        response["Allow"] = "GET, HEAD"
        return response

    return answered
