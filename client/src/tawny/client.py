"""The service's HTTP API as a typed, synchronous client."""

import gzip
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random, SystemRandom
from types import TracebackType
from typing import Self, TypeVar

import httpx
import msgspec

from tawny._version import __version__
from tawny.answers import Alert, AlertPage, Receipt, Status, alert_page
from tawny.errors import InvalidUrl, Refused, UnexpectedAnswer, Unreachable, refusal
from tawny.formats.events import Kind
from tawny.retries import Attempts, Retry, seconds_asked_for

Answer = TypeVar("Answer")

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 120.0  # a large request is stored and synchronised to disk before its answer
GZIP_LEVEL = 1  # conn events shrink 6.3 times; level 6 makes it 7.7 for 2.5 times the work
MESSAGE_SHOWN = 300  # characters of an error's text: a proxy may answer a whole page


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Told before each wait: what went wrong and for how many seconds the client waits."""

    reason: str
    seconds: float


class Client:
    """A connection to one service with one API key.

    ``send`` may be called again with the same bytes: events take effect once. Errors are those of
    :mod:`tawny.errors`. Use it as a context manager, or call ``close``. One thread at a time
    should use it.

    Parameters
    ----------
    url
        Where the service is, such as ``https://tawny.example``; no user name in it.
    key
        The tenant's API key. It is never shown: neither by ``repr`` nor in an error.
    retry
        How often and how long to try again after transport errors, 429 and 5xx.
    on_pause
        Called before each wait.
    random, sleep, clock
        Source of the jitter, the way to wait (seconds), the epoch time for ``Retry-After`` dates.

    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        retry: Retry | None = None,
        on_pause: Callable[[Pause], None] | None = None,
        timeout: float = ANSWER_SECONDS,
        random: Random | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.url = checked(url)
        self._retry = retry or Retry()
        self._on_pause = on_pause
        self._random = random or SystemRandom()
        self._sleep = sleep
        self._clock = clock
        self._http = httpx.Client(
            base_url=self.url,
            auth=httpx.BasicAuth(key, ""),
            headers={"User-Agent": f"tawny/{__version__}"},
            timeout=httpx.Timeout(timeout, connect=CONNECT_SECONDS),
            verify=_trust(self.url),
        )

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(self, kind: Kind, events: bytes) -> Receipt:
        """Send JSON events, one a line or an array, in one compressed request.

        A repeated attempt sends the same bytes, which the service takes once.
        """
        request = self._http.build_request(
            "POST",
            f"/v1/events/{kind}",
            content=gzip.compress(events, GZIP_LEVEL, mtime=0),
            headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
        )
        return self._ask(request, msgspec.json.Decoder(Receipt).decode)

    def page(self, *, follow: str = "", min_severity: int | None = None) -> AlertPage:
        """Give the alerts after the ``follow`` of an earlier page, or the oldest ones."""
        query = {"threats": "all"}
        if follow:
            query["follow"] = follow
        if min_severity is not None:
            query["minSeverity"] = str(min_severity)
        request = self._http.build_request("GET", "/v1/alerts", params=query)
        return self._ask(request, alert_page)

    def pages(self, *, follow: str = "", min_severity: int | None = None) -> Iterator[AlertPage]:
        """Give pages, one at least, until the service has no more."""
        while True:
            page = self.page(follow=follow, min_severity=min_severity)
            yield page
            if not page.more:
                return
            if page.follow == follow:
                raise UnexpectedAnswer("the alerts do not advance: more, but the same follow")
            follow = page.follow

    def alerts(self, *, follow: str = "", min_severity: int | None = None) -> Iterator[Alert]:
        """Give every alert there is now, oldest first, after ``follow``.

        Use ``pages`` to learn the follow token that continues from there.
        """
        for page in self.pages(follow=follow, min_severity=min_severity):
            yield from page.alerts

    def status(self) -> Status:
        """Tell how the account of this key stands."""
        request = self._http.build_request("GET", "/v1/account/status")
        return self._ask(request, msgspec.json.Decoder(Status).decode)

    def _ask(self, request: httpx.Request, decode: Callable[[bytes], Answer]) -> Answer:
        attempts = Attempts(retry=self._retry, random=self._random)
        while True:
            try:
                return _decoded(self._once(request), decode)
            except (Unreachable, Refused) as error:
                wait = attempts.delay(retry_after=self._asked(error)) if _passes(error) else None
                if wait is None:
                    raise
                if self._on_pause:
                    self._on_pause(Pause(reason=str(error), seconds=wait))
            self._sleep(wait)

    def _once(self, request: httpx.Request) -> bytes:
        try:
            response = self._http.send(request)
        except httpx.TransportError as error:
            raise Unreachable(f"{self.url}: {error or type(error).__name__}") from error
        except httpx.DecodingError as error:
            raise UnexpectedAnswer(f"{self.url}: {error}") from error
        if response.status_code == httpx.codes.OK:
            return response.content
        if response.status_code < httpx.codes.BAD_REQUEST:
            raise UnexpectedAnswer(f"{self.url} answered {response.status_code}")
        retry_after = response.headers.get("Retry-After")
        raise refusal(response.status_code, _message(response.content), retry_after)

    def _asked(self, error: Unreachable | Refused) -> float | None:
        header = error.retry_after if isinstance(error, Refused) else None
        return seconds_asked_for(header, epoch=self._clock())


def _trust(url: str) -> ssl.SSLContext | bool:
    """Load the authorities for ``https`` only: it takes 100 ms; the empty context trusts nobody."""
    return True if url.startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _passes(error: Unreachable | Refused) -> bool:
    """Tell whether the same request may succeed later."""
    if isinstance(error, Unreachable):
        return True
    return error.status == httpx.codes.TOO_MANY_REQUESTS or error.status >= 500


def _decoded(body: bytes, decode: Callable[[bytes], Answer]) -> Answer:
    try:
        return decode(body)
    except msgspec.DecodeError as error:
        raise UnexpectedAnswer(f"an answer that is not this API's: {error}") from error


class _Complaint(msgspec.Struct):
    message: str


def _message(body: bytes) -> str:
    try:
        text = msgspec.json.decode(body, type=_Complaint).message
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = body[:MESSAGE_SHOWN].decode("utf-8", "replace")
    return " ".join(text.split())[:MESSAGE_SHOWN] or "no explanation"


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
