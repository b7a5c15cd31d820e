"""The doctor's own connection: one attempt a request, and what else than the answer it shows."""

import socket
import ssl
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import httpx

from tawny.checkup.values import Heard, Lost
from tawny.transport import Target, causes, certificate_fault, usable_proxies

PATIENCE = 10.0  # seconds: a service that takes longer to say that it lives is away

CERTIFICATE_REMEDIES = (
    ("expired", "renew the server's certificate"),
    ("not yet valid", "set this machine's clock, or wait"),
    ("mismatch", "use a name that the certificate is for in TAWNY_URL"),
    ("", "give the file with your certificate authority in SSL_CERT_FILE"),
)
REMEDIES: tuple[tuple[type[BaseException], str], ...] = (
    (httpx.ProxyError, "check the proxy, or exempt the service by NO_PROXY"),
    (httpx.TimeoutException, "look for a firewall on the way, or a proxy that must be set"),
    (socket.gaierror, "check the host name in TAWNY_URL, and this machine's DNS"),
    (ssl.SSLError, "the port speaks no TLS that fits: is it http:// in TAWNY_URL?"),
    (ConnectionRefusedError, "start the service there, or correct the port in TAWNY_URL"),
    (BaseException, "check TAWNY_URL: the port may be that of another program"),
)


class Probe:
    """Asks one service without trying again; ``clock`` is epoch time, ``timer`` never set."""

    def __init__(
        self,
        target: Target,
        *,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        settings = target.settings(PATIENCE)
        self._auth = settings["auth"]
        self._clock = clock
        self._timer = timer
        with usable_proxies():
            self._http = httpx.Client(**settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def get(self, path: str, *, with_key: bool) -> Heard | Lost:
        """Ask for a path; the key goes along only where it is needed."""
        asked, begun = self._clock(), self._timer()
        try:
            response = self._http.get(path, auth=self._auth if with_key else None)
        except httpx.HTTPError as error:
            return lost(error)
        ended, came = self._timer(), self._clock()
        tls: Any = response.extensions["network_stream"].get_extra_info("ssl_object")
        return Heard(
            status=response.status_code,
            body=response.content,
            date=response.headers.get("Date"),
            location=response.headers.get("Location"),
            asked=asked,
            came=came,
            seconds=ended - begun,
            certificate=_end(tls) if tls else None,
            tls=tls.version() if tls else None,
        )


def _end(tls: Any) -> float | None:
    certificate = tls.getpeercert()
    return float(ssl.cert_time_to_seconds(certificate["notAfter"])) if certificate else None


def lost(error: httpx.HTTPError) -> Lost:
    """Say for people why no answer came."""
    fault = certificate_fault(error)
    if fault is not None:
        todo = next(todo for words, todo in CERTIFICATE_REMEDIES if words in fault.lower())
        return Lost(said=f"the certificate is not trusted: {fault}", todo=todo, untrusted=True)
    led = list(causes(error))
    todo = next(todo for kind, todo in REMEDIES if any(isinstance(cause, kind) for cause in led))
    if isinstance(error, httpx.TimeoutException):
        return Lost(said=f"no answer in {PATIENCE:g} s", todo=todo)
    return Lost(said=str(error) or type(error).__name__, todo=todo)
