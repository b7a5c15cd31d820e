"""A service on the loopback, for the tests of programs that use the SDK.

::

    with FakeService() as service, Client(service.url, service.key) as client:
        service.alert(severity=4, detection="beacon", event={"srcIP": "192.0.2.7"})
        my_program(client)
    assert service.received["dns"] == [...]

It takes every event that is JSON, and finds nothing of its own.
"""

import base64
import gzip
from collections import deque
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from tawny import keys

PAGE = 100  # alerts in one answer
_KEY_BODY = f"{keys.PREFIX}_{'t' * keys.ID_LENGTH}_{'0' * keys.SECRET_LENGTH}"

Answer = tuple[int, Any, Mapping[str, str]]


class FakeService:
    """Answers like the service; ``received`` holds the events by kind in the order they came.

    Use it as a context manager. ``url`` is valid inside, ``key`` is the one key it knows. Threads
    may use it at the same time.
    """

    def __init__(self) -> None:
        self.key = _KEY_BODY + keys.checksum(_KEY_BODY)
        self.received: dict[str, list[dict[str, Any]]] = {}
        self._alerts: list[dict[str, Any]] = []
        self._known: dict[str, dict[str, Any]] = {}
        self._refusals: deque[Answer] = deque()
        self._lock = Lock()
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(
            target=self._server.serve_forever, args=(0.01,), name="tawny-fake-service", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def alert(self, **members: Any) -> None:
        """Open an alert, of members as in the API's JSON; its id is its number if none is given."""
        with self._lock:
            self._alerts.append({"id": str(len(self._alerts) + 1)} | members)

    def know(self, what: str, **members: Any) -> None:
        """Say what a look-up of ``what`` answers; of anything else nothing is known."""
        self._known[what] = {"flags": []} | members

    def refuse(
        self, status: int, message: str = "refused", *, retry_after: int | None = None
    ) -> None:
        """Refuse the next request that was not refused yet; call it again for more of them."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        self._refusals.append((status, {"message": message}, headers))

    def answer(self, *, authorization: str, target: str, body: bytes) -> Answer:
        """Give status, JSON and headers of the answer to a request."""
        parts = urlsplit(target)
        with self._lock:
            if self._refusals:
                return self._refusals.popleft()
            if parts.path in ("/healthz", "/readyz"):
                return _fine({"status": "ok"})
            if authorization != _basic(self.key):
                return HTTPStatus.UNAUTHORIZED, {"message": "The API key is unknown."}, {}
            if parts.path.startswith("/v1/events/"):
                return self._taken(parts.path.rpartition("/")[2], body)
            return self._told(parts.path, parts.query)

    def _taken(self, kind: str, body: bytes) -> Answer:
        try:
            events = [msgspec.json.decode(line) for line in gzip.decompress(body).splitlines()]
        except (OSError, msgspec.DecodeError) as error:
            return HTTPStatus.BAD_REQUEST, {"message": str(error)}, {}
        self.received.setdefault(kind, []).extend(events)
        return _fine({"received": len(events), "accepted": len(events), "rejected": {}})

    def _told(self, path: str, query: str) -> Answer:
        match path:
            case "/v1/alerts":
                return _fine(self._page(parse_qs(query)))
            case "/v1/wisdom":
                what = unquote(query.removeprefix("q="))
                return _fine(self._known.get(what, {"flags": []}))
            case "/v1/account/status":
                return _fine({"registered": True, "expired": False, "messages": []})
            case _:
                return HTTPStatus.NOT_FOUND, {"message": "not in this fake"}, {}

    def _page(self, query: Mapping[str, list[str]]) -> dict[str, Any]:
        start = int(query.get("follow", ["1-0"])[0].partition("-")[2])
        least = int(query.get("minSeverity", ["0"])[0])
        end = min(start + PAGE, len(self._alerts))
        alerts = [alert for alert in self._alerts[start:end] if alert.get("severity", 0) >= least]
        more = end < len(self._alerts)
        return {"follow": f"1-{end}", "more": more, "alerts": alerts, "threats": {}}


def _fine(body: Any) -> Answer:
    return HTTPStatus.OK, body, {}


def _basic(key: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, service: FakeService) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.service = service


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one packet
    server: _Server

    def _serve(self) -> None:
        status, body, headers = self.server.service.answer(
            authorization=self.headers.get("Authorization", ""),
            target=self.path,
            body=self.rfile.read(int(self.headers.get("Content-Length", 0))),
        )
        content = msgspec.json.encode(body)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    do_GET = do_POST = _serve  # noqa: N815 -- the names that http.server looks for

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the parent's name
        """Stay silent."""
