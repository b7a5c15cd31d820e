"""Errors and headers that many doors share, described once."""

from collections.abc import Mapping
from typing import Any

REASONS: Mapping[int, str] = {
    400: "The request cannot be read; `message` says what is wrong with it.",
    401: "No key was given, or one that nobody has.",
    403: "The key is revoked or expired, the account is suspended, or the key lacks the scope.",
    404: "There is nothing here.",
    405: "The method is not answered here; `Allow` names those that are.",
    409: "The request contradicts what is there already.",
    410: "What was asked for is over.",
    413: "The body is larger than the limit that `message` names.",
    415: "The body comes in an encoding or media type that is not read here.",
    422: "The request can be read but not followed; `message` says why.",
    429: "More requests than the limit allows; `Retry-After` says when to come again.",
    500: "A failure of ours.",
    503: "Not at present; `Retry-After` says when to come again.",
}
"""What each status means where a door says nothing of its own."""

TITLES: Mapping[int, tuple[str, str]] = {
    400: ("Bad request", "refused"),
    401: ("Unauthenticated", "unauthenticated"),
    403: ("Forbidden", "forbidden"),
    404: ("Not found", "not_found"),
    405: ("Method not allowed", "method_not_allowed"),
    409: ("Conflict", "conflict"),
    410: ("Gone", "gone"),
    413: ("Too large", "too_large"),
    415: ("Unsupported encoding", "unsupported"),
    422: ("Unprocessable", "unprocessable"),
    429: ("Too many requests", "limited"),
    500: ("Error", "error"),
    503: ("Unavailable", "unavailable"),
}

RETRY_AFTER = "Retry-After"
RATE_LIMIT = "RateLimit"
RATE_POLICY = "RateLimit-Policy"
HEADERS: Mapping[str, tuple[str, dict[str, Any], Any]] = {
    RETRY_AFTER: ("Seconds to wait before asking again.", {"type": "integer", "minimum": 0}, 30),
    RATE_LIMIT: (
        "What is left: `r` requests or octets, all of them again in `t` seconds (RFC 9651).",
        {"type": "string"},
        '"key-requests";r=998;t=1',
    ),
    RATE_POLICY: (
        "The limits in force: `q` requests or octets in `w` seconds (RFC 9651).",
        {"type": "string"},
        '"key-requests";q=1000;w=10',
    ),
    "Allow": ("The methods that are answered.", {"type": "string"}, "GET"),
    "WWW-Authenticate": ("The scheme to use.", {"type": "string"}, 'Basic realm="Tawny"'),
}
"""Headers by name: what they say, their schema, an example."""

WITH: Mapping[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate",),
    405: ("Allow",),
    429: (RETRY_AFTER, RATE_LIMIT, RATE_POLICY),
    503: (RETRY_AFTER,),
}
"""Which headers an error bears."""


def example(status: int, reason: str) -> dict[str, Any]:
    """Return the body of an error as a client reads it."""
    title, code = TITLES[status]
    message = reason.replace("`", "")
    return {
        "type": f"about:blank#{code}",
        "title": title,
        "status": status,
        "detail": message,
        "message": message,
        "code": code,
    }
