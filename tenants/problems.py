"""Errors as clients read them: RFC 9457 with the member ``message`` that existing clients need."""

from typing import Any

import msgspec
from django.http import HttpResponse
from rest_framework.exceptions import APIException
from rest_framework.response import Response

from tenants.errors import KeyUnavailable, Refused

TITLES = {
    400: "Bad request",
    401: "Unauthenticated",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported encoding",
    422: "Unprocessable",
    429: "Too many requests",
    503: "Unavailable",
}
KEY_RETRY_SECONDS = 30
"""Retry-After where a key service is away: about the length of its own failover."""
CONTENT_TYPE = "application/json"  # problem+json would break a client that checks the type


def body(status: int, message: str, code: str) -> dict[str, Any]:
    """Return the members of an error answer."""
    return {
        "type": f"about:blank#{code}",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": message,
        "message": message,
        "code": code,
    }


def problem(
    status: int, message: str, code: str, *, retry_after: int | None = None
) -> HttpResponse:
    """Return an error answer of a plain view."""
    response = HttpResponse(
        msgspec.json.encode(body(status, message, code)), status=status, content_type=CONTENT_TYPE
    )
    if status == 401:
        response["WWW-Authenticate"] = 'Basic realm="Tawny"'
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    response["Cache-Control"] = "no-store"
    return response


def refusal(error: Refused) -> HttpResponse:
    """Return the answer to a request that was refused."""
    response = problem(error.status, error.message, error.code)
    for name, value in error.headers.items():
        response[name] = value
    return response


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Render REST framework's errors in the product's shape; anything else bubbles."""
    from rest_framework.views import exception_handler as framework_handler  # noqa: PLC0415 -- it imports our defaults

    if isinstance(error, Refused):
        return Response(
            body(error.status, error.message, error.code),
            status=error.status,
            headers=dict(error.headers),
        )
    if isinstance(error, KeyUnavailable):  # never plaintext, never an internal error: come again
        return Response(
            body(503, "A key is not available at the moment; try again.", KeyUnavailable.code),
            status=503,
            headers={"Retry-After": str(KEY_RETRY_SECONDS), "Cache-Control": "no-store"},
        )
    response = framework_handler(error, context)
    if response is not None and isinstance(error, APIException):
        response.data = body(response.status_code, str(error.detail), error.default_code)
    return response
