"""What both clients tell and learn of the HTTP library: settings, requests, outcomes."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypedDict

import httpx

from tawny._version import __version__
from tawny.calls import Call
from tawny.errors import InvalidUrl, UnexpectedAnswer, Unreachable, Untrusted
from tawny.steps import Reply

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 120.0  # a large request is stored and synchronised to disk before its answer
MASK = b"(key)"


class Settings(TypedDict):
    """Arguments of ``httpx.Client`` and ``httpx.AsyncClient``."""

    base_url: str
    auth: httpx.BasicAuth
    headers: dict[str, str]
    timeout: httpx.Timeout
    verify: ssl.SSLContext | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One service and one key, which no representation and no outcome shows."""

    url: str
    key: str = field(repr=False)

    def settings(self, timeout: float) -> Settings:
        """Give what the HTTP library must know."""
        return Settings(
            base_url=self.url,
            auth=httpx.BasicAuth(self.key, ""),
            headers={"User-Agent": f"tawny/{__version__}"},
            timeout=httpx.Timeout(timeout, connect=CONNECT_SECONDS),
            verify=_trust(self.url),
        )

    def reply(self, response: httpx.Response) -> Reply:
        """Give what the rest of the client reads of an answer."""
        body = response.content
        if self.key and not response.is_success:
            body = body.replace(self.key.encode(), MASK)
        return Reply(
            status=response.status_code,
            body=body,
            retry_after=response.headers.get("Retry-After"),
            location=response.headers.get("Location"),
        )

    def failure(self, error: httpx.HTTPError) -> Unreachable | UnexpectedAnswer:
        """Name what kept an answer from arriving."""
        if isinstance(error, httpx.DecodingError):
            made: Unreachable | UnexpectedAnswer = UnexpectedAnswer(f"{self.url}: {error}")
        elif (fault := certificate_fault(error)) is not None:
            made = Untrusted(f"{self.url}: the certificate is not trusted: {fault}")
        else:
            made = Unreachable(f"{self.url}: {str(error) or type(error).__name__}")
        made.__cause__ = error
        return made


def built(http: httpx.Client | httpx.AsyncClient, call: Call[object]) -> httpx.Request:
    """Make the HTTP library's request of a call."""
    return http.build_request(
        call.method, call.target, content=call.content, headers=dict(call.headers)
    )


def causes(error: BaseException) -> Iterator[BaseException]:
    """Give an error and what led to it, the innermost last."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def certificate_fault(error: BaseException) -> str | None:
    """Give what is wrong with the certificate that the error is about, None if it is not."""
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message or str(cause)
    return None


@contextmanager
def usable_proxies() -> Iterator[None]:
    """Say InvalidUrl where the HTTP library cannot use a proxy that the environment names."""
    try:
        yield
    except (ValueError, httpx.InvalidURL, ImportError):
        raise InvalidUrl(
            "a proxy that HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names cannot be used"
        ) from None  # the cause may show the proxy's password


def _trust(url: str) -> ssl.SSLContext | bool:
    """Load the authorities for ``https`` only: it takes 100 ms; the empty context trusts nobody."""
    return True if url.startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def checked(url: str) -> str:
    """Give the address without a trailing slash; InvalidUrl if it cannot be the service's."""
    try:
        parsed = httpx.URL(url.strip())
    except httpx.InvalidURL as error:
        raise InvalidUrl(f"the URL cannot be read: {error}") from error
    if parsed.userinfo:
        raise InvalidUrl("the URL holds a user name: give the key apart from it")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise InvalidUrl("the URL must start with http:// or https:// and name a host")
    if parsed.query or parsed.fragment:
        raise InvalidUrl("the URL must end with its path")
    return str(parsed).rstrip("/")
