"""Small JSON bodies: of a key request, a registration, a reset."""

import zlib
from typing import Any

import msgspec
from django.http import HttpRequest

from tenants.errors import BadBody

MAX_BODY = 64 << 10
"""Octets of a body, as sent and inflated: a registration has a few hundred."""
TOO_LARGE = f"The body has more than {MAX_BODY} octets."
GZIP = 16 + zlib.MAX_WBITS
ENCODINGS = {"gzip": (GZIP,), "x-gzip": (GZIP,), "deflate": (zlib.MAX_WBITS, -zlib.MAX_WBITS)}
"""The window bits of each encoding; deflate is zlib's by its name and bare from many clients."""


def read_object(request: HttpRequest) -> dict[str, Any]:
    """Return the JSON object that a request's body is; raises `BadBody` for any other body."""
    sent = request.read(MAX_BODY + 1)
    if len(sent) > MAX_BODY:
        raise BadBody(TOO_LARGE, status=413)
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    try:
        body = msgspec.json.decode(_inflated(sent, encoding))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # the last: endless nesting
        raise BadBody from None
    if not isinstance(body, dict):
        raise BadBody
    return body


def _inflated(sent: bytes, encoding: str) -> bytes:
    if encoding in {"", "identity"}:
        return sent
    if encoding not in ENCODINGS:
        raise BadBody("Send the body as it is, or as gzip or deflate.", status=415)
    for bits in ENCODINGS[encoding]:
        inflated = _members(sent, bits)
        if inflated is not None:
            return inflated
    raise BadBody


def _members(sent: bytes, bits: int) -> bytes | None:
    """Inflate every member of a body; None where it is damaged, cut short or of another form."""
    whole = b""
    while sent:
        inflater = zlib.decompressobj(bits)
        try:
            whole += inflater.decompress(sent, MAX_BODY + 1 - len(whole))
        except zlib.error:
            return None
        if len(whole) > MAX_BODY:
            raise BadBody(TOO_LARGE, status=413)
        if not inflater.eof:
            return None
        sent = inflater.unused_data
    return whole
