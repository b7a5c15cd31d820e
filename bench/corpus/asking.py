"""A body of the corpus as a request."""

import http.client
import io
from base64 import b64encode
from typing import Any
from urllib.parse import urlsplit

from bench.corpus.case import Case
from bench.corpus.judging import Answer

PATH = "/v1/events/ip"
SECONDS = 60.0
"""Wait for an answer: the largest bomb takes two."""


def authorization(key: str) -> str:
    """Write HTTP Basic with the key as user name, as every existing client does."""
    return "Basic " + b64encode(f"{key}:".encode()).decode()


def environ_of(case: Case, body: bytes, *, key: str) -> dict[str, Any]:
    """Return the WSGI environment of the request, with a Content-Length as the case has it."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": PATH,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "CONTENT_TYPE": "application/json",
        "HTTP_AUTHORIZATION": authorization(key),
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
    }
    if case.encoding:
        environ["HTTP_CONTENT_ENCODING"] = case.encoding
    if case.length is not None:
        environ["CONTENT_LENGTH"] = str(len(body)) if case.length == "true" else case.length
    return environ


def can_be_sent(case: Case) -> bool:
    """Say whether a request gets through a web server as it is.

    One whose length is no truth does not: the server waits for the rest, takes it for the next
    request, or refuses it before the product sees it. A control character is in no header.
    """
    return case.length in {"true", None} and case.encoding.isprintable()


def send(case: Case, body: bytes, *, url: str, key: str) -> Answer:
    """Send the request to a server; in chunks if it is to have no length."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(parts.hostname or "localhost", parts.port, timeout=SECONDS)
    headers = {"Authorization": authorization(key), "Content-Type": "application/json"}
    if case.encoding:
        headers["Content-Encoding"] = case.encoding
    try:
        chunked = case.length is None
        content: Any = iter([body]) if chunked else body
        connection.request("POST", PATH, content, headers, encode_chunked=chunked)
        response = connection.getresponse()
        return Answer(status=response.status, content=response.read())
    finally:
        connection.close()
